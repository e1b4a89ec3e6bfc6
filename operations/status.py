"""``sandcastle status``: the stacks of an environment, their endpoints and the jobs behind them."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from operations.console import Console
from operations.stacks import Stack, environment_stacks
from operations.target import Target


def status(target: Target, environment: str, console: Console) -> dict[str, Any]:
    """Show what is deployed; an environment that does not exist is an empty table, not an error."""
    stacks = environment_stacks(target, environment)
    endpoints = {stack.name: _endpoint(target, stack) for stack in stacks if "EndpointName" in stack.outputs}
    if stacks:
        table = Table(
            box=box.SIMPLE, title=f"environment {environment} in {target.name}, {target.region}", title_justify="left"
        )
        for heading in ("stack", "status", "endpoint", "trained by", "reason"):
            table.add_column(heading, overflow="fold")
        for stack in stacks:
            outputs = stack.outputs
            served = f"{outputs['EndpointName']} {endpoints[stack.name]}" if stack.name in endpoints else ""
            table.add_row(stack.name, stack.status, served, outputs.get("TrainingJob", ""), stack.reason)
        console.show(table)
    else:
        console.say(f"Nothing of environment {environment} is deployed in {target.name}, {target.region}.")
    return {
        "environment": environment,
        "target": target.name,
        "region": target.region,
        "stacks": [
            {
                "name": stack.name,
                "status": stack.status,
                "reason": stack.reason,
                "outputs": stack.outputs,
                "endpoint_status": endpoints.get(stack.name),
            }
            for stack in stacks
        ],
    }


def _endpoint(target: Target, stack: Stack) -> str:
    from botocore.exceptions import ClientError

    try:
        reply = target.client("sagemaker").describe_endpoint(EndpointName=stack.outputs["EndpointName"])
    except ClientError as error:
        if "Could not find endpoint" in str(error):
            return "deleted"
        raise
    return str(reply["EndpointStatus"])
