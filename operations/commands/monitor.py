"""Commands about the monitors of one workload."""

from __future__ import annotations

import argparse
from pathlib import Path

from operations.commands.common import Register, name_of, positive, target_of
from operations.console import Console
from operations.errors import EXIT_OK
from operations.monitor.monitors import WORDS, Watched
from operations.project import REPORTS
from operations.served import known_workload
from sandcastle.config import BATCH


def register(command: Register) -> None:
    """Add the commands of this group."""
    sub = command("monitor show", _show, "the monitors of a workload, their newest runs and what they found")
    _which(sub)
    sub.add_argument("--limit", type=positive, default=10, metavar="N", help="as many runs of each, newest first (10)")
    sub = command("monitor run", _run, "run the monitors once now, over the last hour, and write a page about each")
    _which(sub)
    _out(sub)
    sub = command("monitor report", _report, "write a page about the newest run of each monitor")
    _which(sub)
    sub.add_argument("--run", metavar="TIME", help="about another run of `show`: 2026-01-01T15:00, or less of it")
    _out(sub)


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workload")
    parser.add_argument("--monitor", choices=sorted([*WORDS.values(), BATCH]), help="only this one")


def _out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=REPORTS, help="folder for the pages (reports/)")


def _watched(options: argparse.Namespace) -> Watched:
    known_workload(options.workload)
    return Watched.find(target_of(options, start=False), name_of(options), options.workload)


def _show(options: argparse.Namespace, console: Console) -> int:
    from operations.monitor.show import show

    console.finish(show(_watched(options), options.monitor, options.limit, console))
    return EXIT_OK


def _run(options: argparse.Namespace, console: Console) -> int:
    from operations.monitor.report import run

    console.finish(run(_watched(options), options.monitor, options.out, console))
    return EXIT_OK


def _report(options: argparse.Namespace, console: Console) -> int:
    from operations.monitor.report import report

    console.finish(report(_watched(options), options.monitor, options.run, options.out, console))
    return EXIT_OK
