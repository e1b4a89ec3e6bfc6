"""``tutorial``: the notebook of a workload, run or opened."""

from __future__ import annotations

import argparse
from pathlib import Path

from operations.commands.common import Register, name_of, target_of
from operations.console import Console
from operations.errors import EXIT_FAILED, EXIT_OK
from operations.project import REPORTS


def register(command: Register) -> None:
    """Add the command."""
    sub = command("tutorial", _tutorial, "run the notebook of a workload in the environment, or open it in JupyterLab")
    sub.add_argument("workload")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--execute", action="store_true", help="run it to its end and write it as HTML (the default)")
    which.add_argument("--open", action="store_true", help="open it in JupyterLab, which is installed at first use")
    sub.add_argument("--user", help="whose role its jobs have: a user of Studio, or notebook (the first there is)")
    sub.add_argument("--out", type=Path, default=REPORTS, help="folder for the notebook and its HTML (reports/)")


def _tutorial(options: argparse.Namespace, console: Console) -> int:
    from operations.run_tutorial import open_tutorial, run_tutorial

    target, name = target_of(options, start=False), name_of(options)
    if options.open:
        code = open_tutorial(target, name, options.workload, options.user, console)
        console.finish({"environment": name, "workload": options.workload, "exit_code": code})
        return EXIT_FAILED if code else EXIT_OK
    console.finish(run_tutorial(target, name, options.workload, options.user, options.out, console))
    return EXIT_OK
