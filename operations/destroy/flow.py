"""The way to zero: CloudFormation does most of it; what it cannot do, or failed to, is covered here.

That is a stack that is still being created or updated, one whose deletion failed or whose janitor ran out of time,
triggers that would start something meanwhile, and things that no stack knows.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from operations.audit.report import show_inventory
from operations.cdk import cdk
from operations.console import Console
from operations.destroy.history import history_of, parts_of
from operations.destroy.layers import StillWorkingError, delete_stacks, settle
from operations.destroy.page import write_page
from operations.destroy.quiesce import quiesce
from operations.destroy.run import Run
from operations.project import REPORTS, display, teardown_stack
from operations.regions import refuse_if_elsewhere
from operations.stacks import Stack, environment_stacks
from operations.sweep import sweep
from operations.sweep.order import holds_stacks_back
from operations.target import Target

ATTEMPTS = 3
"""How often the stacks are deleted. A deletion that met something still in progress works on the second try. The last
is forced: CloudFormation forgets what it cannot delete (DeleteStack, ``DeletionMode=FORCE_DELETE_STACK``), because a
janitor that failed once may have lost its own function by then and would fail for ever. What is forgotten carries the
environment's tag, so the audit finds it and the sweep removes it."""

SWEEPS = 3
"""How often what is left is removed and asked for again: a late line brings a log group back, a domain that goes leaves
a file system."""


def destroy(target: Target, environment: str, console: Console, *, file: str | None) -> dict[str, Any]:
    """Destroy the environment and return what the last audit found, with the figures of the run.

    ``file`` is what ``-c environment=`` takes; without a valid one the stacks are deleted through CloudFormation's
    API, which needs no template. A page about the run is written when there was anything to destroy.
    """
    began = time.monotonic()
    run = Run(target, environment, console, started=datetime.now(UTC))
    run.stacks = environment_stacks(target, environment)
    if not run.stacks:
        refuse_if_elsewhere(target, environment)
    console.step("asking every service what there is")
    run.before = run.ask()
    if run.stacks:
        run.parts = parts_of(target, run.stacks)
        run.quiesced = quiesce(target, run.before, console, keep_group=_expiry_group(run.stacks))
        if teardown_stack(environment) not in {stack.name for stack in run.stacks}:
            # its janitor would remove what was made at run time while the roles are there that SageMaker needs for it
            run.swept += sweep(target, run.before, console, only=run.strange)
        _delete(run, file)
    _sweep(run)
    run.history = history_of(target, run.stacks, run.parts)
    run.seconds = round(time.monotonic() - began, 1)
    document = run.document()
    if run.before.findings:
        document["page"] = display(write_page(run, REPORTS, target.now()))
    _tell(run, document)
    return document


def _delete(run: Run, file: str | None) -> None:
    """Delete the stacks, until none is left or every attempt is used; between two, remove what held them back."""
    target, environment, console = run.target, run.environment, run.console
    try:
        while run.attempts < ATTEMPTS and (stacks := settle(target, environment, console)):
            run.attempts += 1
            names = ", ".join(stack.name for stack in stacks)
            console.step(f"destroying {names}" + (f" (attempt {run.attempts})" if run.attempts > 1 else ""))
            if run.attempts == 1 and file:
                cdk(target, file, "destroy", "--all", "--force", "--concurrency", "4")
                if not settle(target, environment, console):
                    break
            if run.attempts > 1 or file:
                run.swept += sweep(target, run.ask(), console, only=holds_stacks_back)
            delete_stacks(target, environment, console, force=run.attempts == ATTEMPTS)
    except StillWorkingError as error:
        console.warn(str(error))


def _sweep(run: Run) -> None:
    """Ask every service, remove what no stack knows, and ask again until nothing is left or nothing more goes."""
    run.console.step("asking every service what is left")
    run.audit = run.ask()
    # what a stack that is left consists of is left to it: without its roles and functions it would stay for ever
    only = holds_stacks_back if environment_stacks(run.target, run.environment) else None
    if run.audit.findings and not only:
        refuse_if_elsewhere(run.target, run.environment)
    for _ in range(SWEEPS):
        if not run.audit.findings:
            return
        swept = sweep(run.target, run.audit, run.console, only=only)
        run.swept += swept
        run.audit = run.ask()
        if all(one.refused for one in swept):
            return


def _tell(run: Run, document: dict[str, Any]) -> None:
    assert run.audit is not None  # noqa: S101  # the sweep begins with it
    show_inventory(run.audit, run.console)
    refused = {(one.finding.kind, one.finding.name): one.refused for one in run.refused}
    for finding in run.audit.findings:
        reason = refused.get((finding.kind, finding.name), "")
        if reason or finding.billable:
            run.console.say(f"NOT REMOVED: {finding.kind} {finding.name}{': ' * bool(reason)}{reason}")
            run.console.say(f"  by hand: {finding.remove}")
    if run.audit.clean:
        run.console.say(f"Environment {run.environment} is gone after {run.seconds:.0f} s. Nothing is left of it.")
    if "page" in document:
        run.console.say(f"The whole story: {document['page']}")


def _expiry_group(stacks: list[Stack]) -> str:
    return next((stack.outputs["ExpiryGroup"] for stack in stacks if "ExpiryGroup" in stack.outputs), "")
