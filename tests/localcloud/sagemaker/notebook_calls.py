"""Calls about one notebook instance, Bench, and what the meter says of it."""

from __future__ import annotations

import base64
from typing import Any

from tests.localcloud.sagemaker.scripted_backend import ROLE, World

ACCOUNT = "arn:aws:sagemaker:eu-west-1:123456789012"
ARN = f"{ACCOUNT}:notebook-instance/bench"
CONFIG_ARN = f"{ACCOUNT}:notebook-instance-lifecycle-config/hooks"


def create(world: World, name: str = "Bench", **members: Any) -> dict[str, Any]:
    given = {"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE, **members}
    return world.call("CreateNotebookInstance", **given)


def act(world: World, verb: str, **members: Any) -> None:
    world.call(f"{verb}NotebookInstance", NotebookInstanceName="Bench", **members)


def describe(world: World) -> dict[str, Any]:
    return world.call("DescribeNotebookInstance", NotebookInstanceName="Bench")


def status(world: World) -> str:
    return str(describe(world)["NotebookInstanceStatus"])


def lines(world: World) -> dict[str, tuple[float, float, bool]]:
    """Rate -> (quantity, seconds, running) of the meter."""
    return {line["rate_key"]: (line["quantity"], line["seconds"], line["running"]) for line in world.meter.snapshot()}


def script(text: str) -> list[dict[str, str]]:
    return [{"Content": base64.b64encode(text.encode()).decode()}]
