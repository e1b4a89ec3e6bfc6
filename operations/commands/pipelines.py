"""``pipeline run|watch|list|approve|reject|graph``: what one does with a workload that has a pipeline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from operations.commands.common import Register, name_of, positive, target_of
from operations.console import Console
from operations.errors import EXIT_FAILED, EXIT_OK, UsageError
from operations.pipeline.place import Place
from operations.project import REPORTS
from operations.served import known_workload


def register(command: Register) -> None:
    """Add the commands of this group."""
    sub = command("pipeline run", _run, "train, judge, register and deploy by the pipeline of a workload")
    sub.add_argument("workload")
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter; repeatable")
    how = sub.add_mutually_exclusive_group()
    how.add_argument("--retry", action="store_true", help="take up the last execution where it failed or was stopped")
    how.add_argument(
        "--from-step", metavar="STEP", help="only this step and what waits for it, on an earlier execution"
    )
    sub.add_argument("--execution", metavar="ID", help="which execution to retry, or to go on from; else the last one")
    _watching(sub)
    sub = command("pipeline watch", _watch, "follow an execution: its steps as they come, with their times")
    sub.add_argument("workload")
    sub.add_argument("--execution", metavar="ID", help="which one; else the one that was started last")
    sub = command("pipeline list", _list, "list executions, and versions of the model with their accuracy")
    sub.add_argument("workload")
    sub.add_argument("--limit", type=positive, default=10, metavar="N", help="as many of each, the newest first (10)")
    sub = command("pipeline approve", _approve, "approve a version of the model, which deploys it")
    sub.add_argument("workload")
    sub.add_argument("version", type=int)
    sub.add_argument("--comment", default="", metavar="TEXT", help="why; kept with the version")
    sub.add_argument("--yes", action="store_true", help="do not ask")
    _watching(sub)
    sub = command("pipeline reject", _reject, "reject a version of the model")
    sub.add_argument("workload")
    sub.add_argument("version", type=int)
    sub.add_argument("--comment", default="", metavar="TEXT", help="why; kept with the version")
    sub = command("pipeline graph", _graph, "draw the pipeline as SVG, with the colours of its last execution")
    sub.add_argument("workload")
    sub.add_argument("--deployment", action="store_true", help="the deployment pipeline, which an approval starts")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--execution", metavar="ID", help="which execution's colours; else the last one's")
    which.add_argument("--plain", action="store_true", help="the definition alone, as it is now")
    sub.add_argument("--out", type=Path, default=REPORTS, help="folder for the SVG (reports/)")


def _place(options: argparse.Namespace) -> Place:
    known_workload(options.workload)
    return Place.find(target_of(options, start=False), name_of(options), options.workload)


def _run(options: argparse.Namespace, console: Console) -> int:
    from operations.by_hand import pairs
    from operations.pipeline.run import retry, run, start, start_from

    changes = pairs(options.set, "--set")
    if options.retry and changes:
        raise UsageError("--retry takes up an execution with the parameters that it has; leave --set out.")
    if options.execution and not (options.retry or options.from_step):
        raise UsageError("--execution says which execution to retry or to go on from: add --retry or --from-step STEP.")
    place = _place(options)
    if options.retry:
        arn = retry(place, options.execution, console)
    elif options.from_step:
        arn = start_from(place, options.from_step, options.execution, changes, console)
    else:
        arn = start(place, changes, console)
    return _ended(run(place, arn, options.watch, console), console)


def _watch(options: argparse.Namespace, console: Console) -> int:
    from operations.pipeline.watch import watch

    place = _place(options)
    return _ended(watch(place, place.execution(options.execution, *place.pipelines.values()), console), console)


def _list(options: argparse.Namespace, console: Console) -> int:
    from operations.pipeline.listing import listing

    console.finish(listing(_place(options), options.limit, console))
    return EXIT_OK


def _approve(options: argparse.Namespace, console: Console) -> int:
    from operations.pipeline.approval import approve

    place, number = _place(options), options.version
    return _ended(approve(place, number, options.comment, options.yes, options.watch, console), console)


def _reject(options: argparse.Namespace, console: Console) -> int:
    from operations.pipeline.approval import reject

    console.finish(reject(_place(options), options.version, options.comment, console))
    return EXIT_OK


def _graph(options: argparse.Namespace, console: Console) -> int:
    from operations.pipeline.graph import graph

    place = _place(options)
    pipeline = place.deployment if options.deployment else place.training
    console.finish(graph(place, pipeline, options.execution, not options.plain, options.out, console))
    return EXIT_OK


def _ended(document: dict[str, Any], console: Console) -> int:
    console.finish(document)
    return EXIT_OK if document["status"] in ("Executing", "Succeeded") else EXIT_FAILED


def _watching(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--watch", action=argparse.BooleanOptionalAction, default=True, help="follow it to its end (the default)"
    )
