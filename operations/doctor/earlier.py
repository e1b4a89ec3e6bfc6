"""What is there already: stacks of the same names, stacks that cannot be updated, things of an earlier environment."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.survey import pages
from operations.doctor.finding import Case, Finding
from operations.project import ENVIRONMENT_TAG
from operations.stacks import expected_names, tags
from operations.words import count, usd

_STUCK = ("DELETE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED", "DELETE_IN_PROGRESS")
"""States of a stack from which nothing can be deployed."""


def conflicts(case: Case) -> Iterator[Finding]:
    """A stack with one of our names that carries another tag, or none, is somebody else's."""
    name = case.environment.name
    names = expected_names(name)
    foreign = [
        stack["StackName"]
        for stack in pages(case.target.client("cloudformation"), "describe_stacks", "Stacks")
        if stack["StackName"] in names
        and tags(stack.get("Tags", [])).get(ENVIRONMENT_TAG) != name
        and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
    ]
    for stack in foreign:
        yield Finding(
            "blocker", "names", f"a stack named {stack} exists and is not this environment's",
            f"Give the environment another name: rename {case.environment.file.name} and its `name`.",
        )  # fmt: skip
    domains = [
        domain["DomainName"]
        for domain in pages(case.target.client("sagemaker"), "list_domains", "Domains")
        if case.environment.studio
        and domain["DomainName"].startswith(f"sandcastle-{name}--")
        and domain["DomainId"] not in {finding.name for finding in case.inventory.of("domain")}
    ]
    for found in domains:
        yield Finding(
            "blocker", "names", f"a Studio domain named {found} exists and is not this environment's",
            f"Give the environment another name: rename {case.environment.file.name} and its `name`.",
        )  # fmt: skip
    if not foreign and not domains:
        yield Finding("ok", "names", "no stack or domain of somebody else has one of our names")


def stuck(case: Case) -> Iterator[Finding]:
    """CloudFormation deploys nothing onto a stack that failed to roll back or to go."""
    for stack in case.stacks:
        if stack.status in _STUCK:
            yield Finding(
                "blocker", "stacks", f"{stack.name} is {stack.status}. {stack.reason}".rstrip(),
                f"sandcastle destroy {case.command}",
            )  # fmt: skip


def leftovers(case: Case) -> Iterator[Finding]:
    """What an environment of the same name left behind, when it has no stack any more."""
    inventory = case.inventory
    for service, reason in inventory.unanswered.items():
        yield Finding(
            "warning", "leftovers", f"{service} did not answer: {reason}",
            "Let whoever deploys list and describe there: `sandcastle destroy` needs it to prove that all is gone.",
        )  # fmt: skip
    if case.stacks:
        yield Finding("ok", "leftovers", f"{count(len(case.stacks), 'stack')} of it deployed: this would be an update")
    elif inventory.findings:
        kinds = sorted({finding.kind for finding in inventory.findings})
        yield Finding(
            "warning", "leftovers",
            f"{count(len(inventory.findings), 'thing')} of an earlier {case.environment.name} ({', '.join(kinds)}), "
            f"{usd(inventory.monthly_usd)} a month",
            f"sandcastle destroy {case.command}",
        )  # fmt: skip
    elif not inventory.unanswered:
        yield Finding("ok", "leftovers", "nothing of an earlier environment of this name")
