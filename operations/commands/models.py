"""``train``, ``tune``, ``deploy-model`` and ``transform``: what one tries by hand with a deployed workload."""

from __future__ import annotations

import argparse
from pathlib import Path

from operations.commands.common import Register, name_of, positive, target_of
from operations.console import Console
from operations.errors import EXIT_OK
from operations.project import REPORTS


def register(command: Register) -> None:
    """Add the commands of this group."""
    sub = command("train", _train, "train once as deployed, with hyperparameters of your own; nothing deployed changes")
    sub.add_argument("workload")
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter; repeatable")
    sub.add_argument(
        "--spot", action=argparse.BooleanOptionalAction, help="on spare capacity or not; as deployed if neither"
    )
    _with_pictures(sub)
    sub = command("tune", _tune, "search the ranges of workload.yaml for the best hyperparameters")
    sub.add_argument("workload")
    sub.add_argument("--max-jobs", type=positive, metavar="N", help="trials in all; else as in workload.yaml")
    sub.add_argument("--parallel", type=positive, metavar="N", help="trials side by side; else as in workload.yaml")
    _with_pictures(sub)
    sub = command("deploy-model", _deploy_model, "put the model of a training job behind the deployed endpoint")
    sub.add_argument("workload")
    which = sub.add_mutually_exclusive_group(required=True)
    which.add_argument("job", nargs="?", help="a training job that has completed")
    which.add_argument("--best-of", metavar="TUNINGJOB", help="the best trial of a tuning job")
    which.add_argument("--latest", action="store_true", help="the training job of the workload that was started last")
    which.add_argument("--restore", action="store_true", help="the template's own model again")
    sub = command("transform", _transform, "run a batch transform job over the test split, or a file, without endpoint")
    sub.add_argument("workload")
    sub.add_argument("file", nargs="?", help="rows without a label; the test split if left out")
    sub.add_argument("--join", action="store_true", help="each answer beside what was asked (where both are CSV)")
    sub.add_argument("--capture", action="store_true", help="keep what was asked, for the monitor batch-data-quality")
    sub.add_argument("--out", type=Path, default=REPORTS, help="folder for the answers (reports/)")


def _train(options: argparse.Namespace, console: Console) -> int:
    from operations.by_hand import pairs
    from operations.train import train

    changes, target = pairs(options.set, "--set"), target_of(options, start=False)
    console.finish(train(target, name_of(options), options.workload, changes, options.spot, options.out, console))
    return EXIT_OK


def _tune(options: argparse.Namespace, console: Console) -> int:
    from operations.tune import tune

    limits = (options.max_jobs, options.parallel)
    target = target_of(options, start=False)
    console.finish(tune(target, name_of(options), options.workload, *limits, options.out, console))
    return EXIT_OK


def _deploy_model(options: argparse.Namespace, console: Console) -> int:
    from operations.deploy_model import deploy_model, restore_model

    target, name = target_of(options, start=False), name_of(options)
    if options.restore:
        console.finish(restore_model(target, name, options.workload, console))
    else:
        console.finish(deploy_model(target, name, options.workload, options.job, options.best_of, console))
    return EXIT_OK


def _transform(options: argparse.Namespace, console: Console) -> int:
    from operations.transform import transform

    target, which = target_of(options, start=False), {"join": options.join, "capture": options.capture}
    console.finish(transform(target, name_of(options), options.workload, options.file, options.out, console, **which))
    return EXIT_OK


def _with_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=REPORTS, help="folder for the PNG (reports/)")
