"""What CloudFormation knows of an environment's stacks, also of deleted ones (for 90 days, says its documentation)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from operations.audit.call import Clients
from operations.audit.finding import Memory, Owner
from operations.stacks import expected_names, tags

_BY_NAME = (
    "AWS::SageMaker::NotebookInstance", "AWS::SageMaker::Endpoint", "AWS::SageMaker::MonitoringSchedule"
)  # fmt: skip
"""What writes logs under its own name, and what gets none of its stack's tags (localcloud/RULES.md)."""

_UNTAGGABLE = ("AWS::IAM::ManagedPolicy",)
"""What a stack can put no tag on: that the stack made it is the only proof (the type has no ``Tags``)."""


def remember(clients: Clients, owner: Owner) -> Memory:
    """Return the Studio domains that the environment's stacks have or had, and what can only be known by its name.

    A domain's file system and security groups, and the logs of apps, name nothing but the domain.
    """
    client = clients.client("cloudformation")
    domains, names = set[str](), set[str]()
    for kind, physical in _resources(client, owner):
        if kind == "AWS::SageMaker::Domain":
            domains.add(physical)
        elif kind in _BY_NAME:
            names.add(physical.rsplit("/", 1)[-1])
        elif kind in _UNTAGGABLE:
            names.add(physical)
    return Memory(frozenset(domains - {""}), frozenset(names - {""}))


def _resources(client: Any, owner: Owner) -> Iterator[tuple[str, str]]:
    """Yield type and physical id of all that the environment's stacks have, and of what deleted ones had.

    A stack is the environment's by its tag. A deleted one is found by its name, and tells what it had by its events.
    """
    pages = client.get_paginator("describe_stacks").paginate()
    for stack in _ours(owner, (stack for page in pages for stack in page["Stacks"])):
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                yield resource["ResourceType"], resource.get("PhysicalResourceId", "")
    names = expected_names(owner.environment)
    pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    gone = [stack["StackId"] for page in pages for stack in page["StackSummaries"] if stack["StackName"] in names]
    for stack_id in gone:
        for stack in _ours(owner, client.describe_stacks(StackName=stack_id)["Stacks"]):
            for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
                for event in page["StackEvents"]:
                    yield event["ResourceType"], event.get("PhysicalResourceId", "")


def _ours(owner: Owner, stacks: Iterable[Any]) -> list[str]:
    return [stack["StackId"] for stack in stacks if owner.by_map(tags(stack.get("Tags", [])))]
