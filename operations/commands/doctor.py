"""``doctor``: what would go wrong, before anything is deployed."""

from __future__ import annotations

import argparse

from operations.commands.common import Register, target_of
from operations.console import Console
from operations.errors import EXIT_FAILED, EXIT_OK, OperationError, UsageError
from operations.project import ROOT, display
from operations.words import count
from sandcastle.config import load_environment

_MARKS = {"ok": "ok     ", "warning": "warning", "blocker": "BLOCKER"}


def register(command: Register) -> None:
    """Add the command."""
    command("doctor", _doctor, "look for what would go wrong, before the first deploy; exit 1 on a blocker")


def _doctor(options: argparse.Namespace, console: Console) -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    from operations.doctor import examine
    from operations.doctor.context import FILE, remember
    from operations.doctor.finding import Case, Finding
    from sandcastle.synth import context

    environment = load_environment(options.environment, ROOT, options.region)
    try:
        target = target_of(options, start=True)
    except UsageError:
        raise
    except OperationError as error:
        do = "aws sso login, aws configure, or AWS_PROFILE; for the embedded AWS: make install"
        findings, case = [Finding("blocker", "credentials", str(error), do)], None
    else:
        console.step(f"examining account {target.account}, region {target.region}")
        environment = environment.monitored_by(context(ROOT), target.account)
        case = Case(target, environment, options.environment)
        findings = examine(case)
    for finding in findings:
        console.say(f"{_MARKS[finding.level]}  {finding.check}: {finding.found}")
        if finding.do and finding.level != "ok":
            console.say(f"         {finding.do}")
    blockers = sum(1 for finding in findings if finding.level == "blocker")
    warnings = sum(1 for finding in findings if finding.level == "warning")
    if case and case.target.name == "aws":  # localcloud's account is everybody's: nothing about it is worth committing
        try:
            remember(case, case.target.now().date())
            console.say(f"Written to {display(FILE)}, which synth reads: commit it.")
        except (ClientError, BotoCoreError) as error:
            console.warn(f"Nothing was written to {display(FILE)}: {error}")
    console.say(
        f"{count(blockers, 'blocker')}, {count(warnings, 'warning')}." if blockers or warnings else "All is well."
    )
    console.finish(
        {
            "environment": environment.name,
            "findings": [finding.document() for finding in findings],
            "blockers": blockers,
            "warnings": warnings,
        }
    )
    return EXIT_FAILED if blockers else EXIT_OK
