"""``cost``: what an environment costs a month, from its templates, before anything is deployed."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from operations.commands.common import Register
from operations.console import Console
from operations.errors import EXIT_OK, UsageError
from operations.project import ROOT
from sandcastle.config import load_environment


def register(command: Register) -> None:
    """Add the command."""
    sub = command("cost", _cost, "what an environment costs a month: at rest, by use, for each workload and user")
    sub.add_argument("which", nargs="?", metavar="ENVIRONMENT", help="like --environment")
    sub.add_argument(
        "--assume", action="append", default=[], metavar="NAME=NUMBER", help="another amount of use (docs/cost.md)"
    )
    sub.add_argument("--assembly", type=Path, metavar="FOLDER", help="a folder that cdk synth wrote, of any app")


def _cost(options: argparse.Namespace, console: Console) -> int:
    from operations.cost.table import show
    from operations.review.assembly import read_assembly
    from operations.review.cost import assumed, estimate
    from operations.synthesis import synthesise

    assumptions = assumed(options.assume)
    if options.assembly:
        if options.which:
            raise UsageError("Either an environment or --assembly: both would be two answers.")
        name = str(options.assembly)
        found = estimate(read_assembly(options.assembly), assumptions, options.region)
    else:
        which = options.which or options.environment
        environment = load_environment(which, ROOT, options.region)
        name = environment.name
        if options.region and options.region != environment.region:
            raise UsageError(f"--region {options.region}: {which}'s file says {environment.region}.")
        with tempfile.TemporaryDirectory(prefix="sandcastle-cost-") as folder:
            console.step("synthesising")
            synthesise(which, Path(folder), options.region)
            found = estimate(read_assembly(Path(folder)), assumptions, options.region)
    show(found, name, console)
    console.finish({"environment": name, **found.document()})
    return EXIT_OK
