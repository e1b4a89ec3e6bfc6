"""``predict``, ``evaluate`` and ``logs``: one workload of an environment."""

from __future__ import annotations

import argparse
from pathlib import Path

from operations.commands.common import Register, name_of, target_of
from operations.console import Console
from operations.errors import EXIT_OK
from operations.project import REPORTS


def register(command: Register) -> None:
    """Add the commands of this group."""
    for name, summary in (
        ("predict", "send one request to a workload's endpoint and say what the answer means"),
        ("invoke", "the same as predict"),
    ):
        sub = command(name, _predict, summary)
        sub.add_argument("workload")
        one = sub.add_mutually_exclusive_group(required=True)
        one.add_argument("file", nargs="?", help="file whose bytes are the request; - for standard input")
        one.add_argument("--sample", type=int, metavar="N", help="row N (from 1) of the held-out test split")
    sub = command("evaluate", _evaluate, "run the test split through the endpoint and judge it")
    sub.add_argument("workload")
    sub.add_argument("--out", type=Path, default=REPORTS, help="folder for the PNG and JSON (reports/)")
    sub.add_argument("--no-baseline", action="store_true", help="without a plain scikit-learn model to compare with")
    command("logs", _logs, "print the log of a job or an endpoint").add_argument("job")


def _predict(options: argparse.Namespace, console: Console) -> int:
    from operations.predict import predict_body, predict_sample, read_body

    target, name = target_of(options, start=False), name_of(options)
    if options.file:
        console.finish(predict_body(target, name, options.workload, *read_body(options.file), console))
    else:
        console.finish(predict_sample(target, name, options.workload, options.sample, console))
    return EXIT_OK


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    from operations.evaluate import evaluate_workload

    target = target_of(options, start=False)
    baseline = not options.no_baseline
    report = evaluate_workload(target, name_of(options), options.workload, options.out, console, baseline=baseline)
    console.finish(report)
    return EXIT_OK


def _logs(options: argparse.Namespace, console: Console) -> int:
    from operations.logs import logs

    console.finish(logs(target_of(options, start=False), options.job, console))
    return EXIT_OK
