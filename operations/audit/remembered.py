"""What CloudFormation knows of an environment's stacks, also of deleted ones (for 90 days, says its documentation)."""

from __future__ import annotations

from typing import Any

from operations.audit.call import Clients
from operations.audit.finding import Memory, Owner
from operations.stacks import expected_names, tags

_LEAVE_NAMES = ("AWS::SageMaker::NotebookInstance", "AWS::SageMaker::Endpoint")
"""What writes logs under its own name, or a name that CloudFormation makes."""

_UNTAGGABLE = ("AWS::IAM::ManagedPolicy",)
"""What a stack can put no tag on: that the stack made it is the only proof (the type has no ``Tags``)."""


def remember(clients: Clients, owner: Owner) -> Memory:
    """Return the Studio domains that the environment's stacks have or had, and what can only be known by its name.

    A domain's file system and security groups, and the logs of apps, name nothing but the domain.
    """
    client = clients.client("cloudformation")
    domains, names = set[str](), set[str]()
    for stack_id in _stacks(client, owner):
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack_id):
            for resource in page["StackResourceSummaries"]:
                kind, physical = resource["ResourceType"], resource.get("PhysicalResourceId", "")
                if kind == "AWS::SageMaker::Domain":
                    domains.add(physical)
                elif kind in _LEAVE_NAMES:
                    names.add(physical.rsplit("/", 1)[-1])
                elif kind in _UNTAGGABLE:
                    names.add(physical)
    return Memory(frozenset(domains - {""}), frozenset(names - {""}))


def _stacks(client: Any, owner: Owner) -> list[str]:
    """Return the ids of the environment's stacks, deleted ones too, proved by their tag."""
    pages = client.get_paginator("describe_stacks").paginate()
    there = [stack for page in pages for stack in page["Stacks"]]
    names = expected_names(owner.environment)
    pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    gone = [stack["StackId"] for page in pages for stack in page["StackSummaries"] if stack["StackName"] in names]
    there += [stack for stack_id in gone for stack in client.describe_stacks(StackName=stack_id)["Stacks"]]
    return [stack["StackId"] for stack in there if owner.by_map(tags(stack.get("Tags", [])))]
