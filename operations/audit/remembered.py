"""What CloudFormation still knows of an environment's deleted stacks (for 90 days, says its documentation)."""

from __future__ import annotations

from typing import Any

from operations.audit.call import Clients
from operations.audit.finding import Memory, Owner
from operations.stacks import expected_names, tags


def remember(clients: Clients, owner: Owner) -> Memory:
    """Return the Studio domains and the names of notebooks and endpoints that the environment's deleted stacks had.

    A domain's file system and security groups, and the logs of apps, name nothing but the domain.
    """
    client = clients.client("cloudformation")
    names = expected_names(owner.environment)
    domains, left = set[str](), set[str]()
    pages = client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    gone = [stack["StackId"] for page in pages for stack in page["StackSummaries"] if stack["StackName"] in names]
    for stack_id in gone:
        if not _is_ours(client, owner, stack_id):
            continue
        for resource in client.describe_stack_resources(StackName=stack_id)["StackResources"]:
            kind, physical = resource["ResourceType"], resource.get("PhysicalResourceId", "")
            if kind == "AWS::SageMaker::Domain":
                domains.add(physical)
            elif kind in ("AWS::SageMaker::NotebookInstance", "AWS::SageMaker::Endpoint"):
                left.add(physical.rsplit("/", 1)[-1])
    return Memory(frozenset(domains), frozenset(left))


def _is_ours(client: Any, owner: Owner, stack_id: str) -> bool:
    stacks = client.describe_stacks(StackName=stack_id)["Stacks"]
    return any(owner.by_map(tags(stack.get("Tags", []))) for stack in stacks)
