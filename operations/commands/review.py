"""``review``: what a change does to an environment, from its templates."""

from __future__ import annotations

import argparse
from pathlib import Path

from operations.commands.common import Register
from operations.console import Console
from operations.errors import EXIT_OK, OperationError, UsageError

EXIT_APPROVAL = 2
"""Something blocks until it is approved. Whatever goes wrong in the review itself is 1, never this."""

_REGION = "us-east-1"
"""Where nothing says another region: templates are compared, and nothing is asked of any."""


def register(command: Register) -> None:
    """Add the command."""
    sub = command("review", _review, "review a change without AWS: resources, data, access, network, cost, teardown")
    sub.add_argument("base", help="what is deployed: a folder that cdk synth wrote, or a git ref")
    sub.add_argument("head", help="what shall be: the same")
    sub.add_argument("--out", type=Path, default=Path("review"), help="folder for comment.md, review.json, review.html")
    sub.add_argument("--without-linters", action="store_true", help="do not ask cfn-lint and cdk-nag, which is faster")
    sub.epilog = "Exit codes: 0 nothing blocks; 2 something needs approval; 1 the review itself failed."


def _review(options: argparse.Namespace, console: Console) -> int:
    from operations.review.run import run

    region, linters = options.region or _REGION, not options.without_linters
    try:
        found, made = run(
            options.base, options.head, options.environment, region, options.out, console, linters=linters
        )
    except UsageError as error:
        raise OperationError(str(error)) from error  # 2 would say that a review was made
    console.finish(made)
    return EXIT_APPROVAL if found.gate.blocked else EXIT_OK
