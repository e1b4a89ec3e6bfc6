"""``traffic`` and ``truth``: requests as clients would send them, and what turns out to be true of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from operations.commands.common import Register, name_of, positive, target_of
from operations.console import Console
from operations.errors import EXIT_OK, UsageError
from operations.traffic.amounts import length, rate, share, some_time

if TYPE_CHECKING:
    from operations.traffic.run import Knowledge
    from operations.traffic.watched import Watched

_SINCE = "24h"


def register(command: Register) -> None:
    """Add the commands of this group."""
    sub = command("traffic", _traffic, "send rows of the test split to an endpoint, changed as you like")
    sub.add_argument("workload", nargs="+", help="one, or several at the same time")
    sub.add_argument("--rate", type=rate, default=1.0, help="requests per second to each, or such as 90/m, 1000/h (1)")
    sub.add_argument(
        "--for", dest="seconds", type=some_time, default=3600.0, metavar="TIME", help="how long, such as 30m, 24h (1h)"
    )
    sub.add_argument("--rows", type=positive, default=1, metavar="N", help="rows in each request (1)")
    sub.add_argument(
        "--drift",
        action="append",
        default=[],
        metavar="FEATURE=+30%|+1sd",
        help="move a feature; repeatable, * allowed",
    )
    sub.add_argument(
        "--missing", action="append", default=[], metavar="FEATURE=10%", help="leave a feature out so often; repeatable"
    )
    sub.add_argument(
        "--new-category",
        action="append",
        default=[],
        metavar="FEATURE=10%",
        help="a text that nobody knows; repeatable",
    )
    sub.add_argument(
        "--broken", type=share, default=0.0, metavar="SHARE", help="break so many rows: cut, garbled, too long"
    )
    sub.add_argument("--real-time", action="store_true", help="wait, where localcloud's clock could be put forward")
    sub.add_argument("--truth", action="store_true", help="deliver true labels beside it, as `sandcastle truth` does")
    _knowing(sub)
    sub = command("truth", _truth, "deliver the true labels of captured requests, as Model Monitor wants them")
    sub.add_argument("workload")
    sub.add_argument("--since", type=some_time, default=_SINCE, metavar="TIME", help="how far back to look (24h)")
    sub.add_argument(
        "--for", dest="seconds", type=some_time, metavar="TIME", help="go on so long; else what is known now, once"
    )
    _knowing(sub)


def _knowing(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--accuracy", type=share, metavar="SHARE", help="make so many of the model's answers right, such as 0.8 or 80%%"
    )
    how.add_argument("--noise", type=share, default=0.0, metavar="SHARE", help="make so many true labels wrong")
    parser.add_argument("--delay", type=length, default=0.0, metavar="TIME", help="labels are known so much later (0s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same rows and labels (1)")


def _traffic(options: argparse.Namespace, console: Console) -> int:
    from operations.traffic.run import Wanted, run_traffic
    from operations.traffic.stopping import stoppable

    if not options.truth and (options.accuracy is not None or options.noise or options.delay):
        raise UsageError("--accuracy, --noise and --delay are about labels: add --truth.")
    wanted = Wanted(
        rate=options.rate,
        seconds=options.seconds,
        rows=options.rows,
        seed=options.seed,
        drift=tuple(options.drift),
        missing=tuple(options.missing),
        new_category=tuple(options.new_category),
        broken=options.broken,
        real_time=options.real_time,
    )
    known = _knowledge(options) if options.truth else None
    several = [_watched(options, name) for name in dict.fromkeys(options.workload)]
    with stoppable() as stop:
        console.finish(run_traffic(several, wanted, known, console, stop))
    return stop.exit_code or EXIT_OK


def _truth(options: argparse.Namespace, console: Console) -> int:
    from operations.traffic.run import run_truth
    from operations.traffic.stopping import stoppable

    watched = _watched(options, options.workload)
    with stoppable() as stop:
        console.finish(run_truth(watched, _knowledge(options), options.since, options.seconds, console, stop))
    return stop.exit_code or EXIT_OK


def _watched(options: argparse.Namespace, workload: str) -> Watched:
    from operations.traffic.watched import Watched

    return Watched.find(target_of(options, start=False), name_of(options), workload)


def _knowledge(options: argparse.Namespace) -> Knowledge:
    from operations.traffic.run import Knowledge

    return Knowledge(delay=options.delay, accuracy=options.accuracy, noise=options.noise, seed=options.seed)
