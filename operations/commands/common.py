"""What every subcommand shares: its environment, its target, and the question before anything is risked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import Protocol

from operations import target as targets
from operations.console import Console
from operations.errors import UsageError
from operations.project import ROOT, is_name
from sandcastle.config import ConfigError, Environment, environment_path, load_environment, written_region
from sandcastle.config.catalogue import regions

_DEFAULT_REGION = "us-east-1"
"""Region of the local target when neither the environment file nor the command line names one."""

Handler = Callable[[argparse.Namespace, Console], int]
"""Serves one subcommand and returns the exit code."""


class Register(Protocol):
    """Adds a subcommand with the options that all have."""

    def __call__(self, name: str, handler: Handler, summary: str) -> argparse.ArgumentParser:
        """Return its parser, for options of its own."""


def environment_of(options: argparse.Namespace) -> Environment | None:
    """Return the environment's file, or None when it is missing or wrong."""
    try:
        return load_environment(options.environment, ROOT, options.region)
    except ConfigError:
        return None


def name_of(options: argparse.Namespace) -> str:
    """Return the environment's name: its file's, which need not exist any more when it is destroyed."""
    given: str = options.environment
    name = environment_path(given, ROOT).stem if given.endswith(".yaml") else given
    if not is_name(name):
        raise UsageError(f"--environment {given!r}: letters, digits and dashes, or a path to a .yaml file")
    return name


def target_of(options: argparse.Namespace, *, start: bool) -> targets.Target:
    """Return where to work: in the region that the file names, else ``--region``, else where the environment is.

    Raises UsageError when ``--region`` contradicts the file.
    """
    name = name_of(options)
    written = written_region(options.environment, ROOT)
    if written and options.region and written != options.region:
        raise UsageError(f"--region {options.region}: {options.environment}'s file says {written}. Nothing was done.")
    if options.region and options.region not in regions():
        raise UsageError(f"--region {options.region}: not a region of SageMaker. Nothing was done.")
    region = written or options.region
    target = targets.aws(region) if options.target == "aws" else targets.local(region or _DEFAULT_REGION, start=start)
    if region or start:
        return target
    from operations.regions import home_of

    return home_of(target, name)


def deployed_in(options: argparse.Namespace, console: Console) -> targets.Target | None:
    """Return the target in the environment's region, or None (with an answer given) when localcloud does not run."""
    try:
        return target_of(options, start=False)
    except targets.NotRunningError:
        name = name_of(options)
        console.say(f"localcloud does not run: nothing of environment {name} exists in it, and nothing is billed.")
        console.finish({"environment": name, "clean": True, "findings": [], "stacks": [], "localcloud": "not running"})
        return None


def insist_it_exists(options: argparse.Namespace, target: targets.Target, found: bool) -> None:
    """Raise UsageError when there is neither a file of the environment nor anything of it in the target."""
    from operations.stacks import deployed_environments

    if found or environment_path(options.environment, ROOT).exists():
        return
    name, deployed = name_of(options), deployed_environments(target)
    known = sorted({*deployed, *(file.stem for file in (ROOT / "environments").glob("*.yaml"))})
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"There is no environment {name}: no file, and nothing of it in {target.name}, {target.region}."
        + (f" Did you mean {near[0]}?" if near else "")
        + f" Deployed here: {', '.join(deployed) or 'none'}."
    )


def confirm(options: argparse.Namespace, target: targets.Target, deed: str) -> None:
    """Ask before anything costs or loses something in an AWS account."""
    if target.name == "local" or options.yes:
        return
    question = f"About to {deed} AWS account {target.account}, region {target.region}. Type yes to go on: "
    if not sys.stdin.isatty() or input(question).strip() != "yes":
        raise UsageError("Not confirmed; nothing was done. In a script, say --yes.")


def asks_first(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the option that answers ``confirm`` beforehand."""
    parser.add_argument("--yes", action="store_true", help="do not ask before working in an AWS account")
    return parser


def positive(text: str) -> int:
    """Return a number of at least 1 from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1")
    return number
