"""The CloudFormation stacks of an environment, as they are in the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from operations.errors import OperationError
from operations.project import ENVIRONMENT_TAG, WORKLOADS, pipeline_stack, stack_prefix, workload_stack
from operations.target import Target


@dataclass(frozen=True)
class Stack:
    """One stack: its name, CloudFormation status, outputs by key, and the reason that CloudFormation gives."""

    name: str
    stack_id: str
    status: str
    reason: str
    outputs: dict[str, str]

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work on the stack (a stack in review has no resources: it is not)."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def workload(self) -> str | None:
        """The workload that the stack holds, if it is a workload's."""
        _, found, name = self.name.partition("-workload-")
        return name if found else None

    @property
    def has_pipeline(self) -> bool:
        """Whether it holds the pipelines of a workload."""
        return "TrainingPipeline" in self.outputs

    @property
    def endpoint(self) -> str | None:
        """The name of its endpoint, if it may have one: a pipeline's is there when a version was deployed."""
        return self.outputs.get("Endpoint" if self.has_pipeline else "EndpointName")


def expected_names(environment: str) -> set[str]:
    """Return the names that this version of the project can give to the environment's stacks."""
    workloads = [folder.name for folder in WORKLOADS.iterdir() if (folder / "workload.yaml").exists()]
    fixed = {
        stack_prefix(environment) + part for part in ("foundation", "guardrails", "notebook", "studio", "teardown")
    }
    of_workloads = {name(environment, one) for name in (workload_stack, pipeline_stack) for one in workloads}
    return fixed | of_workloads


def environment_stacks(target: Target, environment: str) -> list[Stack]:
    """Return the environment's stacks, sorted by name.

    A stack belongs when it carries the environment's tag; one without any such tag (a change set that never
    ran) belongs when its name is one that this project gives.
    """
    names = expected_names(environment)
    found = []
    for page in target.client("cloudformation").get_paginator("describe_stacks").paginate():
        for item in page["Stacks"]:
            tag = tags(item.get("Tags", [])).get(ENVIRONMENT_TAG)
            if tag == environment or (tag is None and item["StackName"] in names):
                found.append(_stack(item))
    return sorted(found, key=lambda stack: stack.name)


def deployed_environments(target: Target) -> list[str]:
    """Return the names of all environments that have a stack in the target's region."""
    pages = target.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = {tags(item.get("Tags", [])).get(ENVIRONMENT_TAG) for page in pages for item in page["Stacks"]}
    return sorted(name for name in found if name)


def tags(pairs: Iterable[Any]) -> dict[str, str]:
    """Return AWS's list of Key/Value pairs as a dictionary."""
    return {pair["Key"]: pair["Value"] for pair in pairs}


def with_pipeline(stacks: Iterable[Stack], environment: str) -> dict[str, Stack]:
    """Return the stacks that hold pipelines, by the name of the workload."""
    begins = pipeline_stack(environment, "")
    return {stack.name.removeprefix(begins): stack for stack in stacks if stack.has_pipeline}


def workload_outputs(target: Target, environment: str, workload: str) -> dict[str, str]:
    """Return the outputs of a deployed workload without a pipeline.

    Raises OperationError when it is not deployed, naming those that are, and when it has a pipeline.
    """
    stacks = environment_stacks(target, environment)
    if workload in with_pipeline(stacks, environment):
        raise OperationError(
            f"Workload {workload} has a pipeline in environment {environment}, which trains, tunes, judges and deploys "
            f"it: sandcastle pipeline run {workload} --environment {environment}; another version of its model: "
            f"sandcastle pipeline approve {workload} VERSION --environment {environment}"
        )
    return _outputs(stacks, environment, workload, workload_stack(environment, workload), "Fingerprint")


def pipeline_outputs(target: Target, environment: str, workload: str) -> dict[str, str]:
    """Return the outputs of a workload's pipeline stack.

    Raises OperationError when it is not deployed, naming those that are, and when it has no pipeline.
    """
    stacks = environment_stacks(target, environment)
    if any(stack.workload == workload for stack in stacks):
        raise OperationError(
            f"Workload {workload} has no pipeline in environment {environment}: a deploy trains it. Give it one with "
            f"`workloads: {{{workload}: {{pipeline: true}}}}` in the environment file, and deploy."
        )
    return _outputs(stacks, environment, workload, pipeline_stack(environment, workload), "TrainingPipeline")


def _outputs(stacks: list[Stack], environment: str, workload: str, name: str, last: str) -> dict[str, str]:
    """Return the outputs of the workload's stack of this name; ``last`` is one that a finished stack has."""
    for stack in stacks:
        if stack.name == name:
            if last not in stack.outputs:
                raise OperationError(
                    f"Workload {workload} is not ready in environment {environment}: "
                    f"its stack {stack.name} is {stack.status}. {stack.reason}".rstrip()
                )
            return stack.outputs
    deployed = [*(stack.workload for stack in stacks if stack.workload), *with_pipeline(stacks, environment)]
    raise OperationError(
        f"Workload {workload} is not deployed in environment {environment}. "
        f"Deployed: {', '.join(deployed) or 'none'}. Deploy with: make deploy ENV={environment}"
    )


ANSWERS_AT_ONCE = ("real-time", "serverless")
"""Kinds of endpoints that answer a request while one waits for it."""


def _stack(item: Any) -> Stack:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in item.get("Outputs", [])}
    return Stack(item["StackName"], item["StackId"], item["StackStatus"], item.get("StackStatusReason", ""), outputs)
