"""Where a workload's pipelines are in an environment: the outputs of its pipeline stack, and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.errors import UsageError
from operations.pipeline.plan import Plan
from operations.stacks import pipeline_outputs
from operations.target import Target


@dataclass(frozen=True)
class Served:
    """What the endpoint of a pipeline is: its status, its configuration, and the version that it serves if known."""

    endpoint: str
    status: str
    config: str
    version: int | None

    @property
    def words(self) -> str:
        """The same as a sentence."""
        return f"{self.endpoint} is {self.status}" + (f" with version {self.version}." if self.version else ".")


@dataclass(frozen=True)
class Place:
    """The pipelines of one workload in one environment; find it with ``find``."""

    target: Target
    environment: str
    workload: str
    training: str
    deployment: str
    group: str
    endpoint: str

    @classmethod
    def find(cls, target: Target, environment: str, workload: str) -> Place:
        """Return the place. Raises OperationError where the workload has no pipeline."""
        return cls.of(target, environment, workload, pipeline_outputs(target, environment, workload))

    @classmethod
    def of(cls, target: Target, environment: str, workload: str, outputs: dict[str, str]) -> Place:
        """Return the place that the outputs of a pipeline stack lead to."""
        return cls(
            target=target,
            environment=environment,
            workload=workload,
            training=outputs["TrainingPipeline"],
            deployment=outputs["DeploymentPipeline"],
            group=outputs["PackageGroup"],
            endpoint=outputs["Endpoint"],
        )

    @property
    def pipelines(self) -> dict[str, str]:
        """Its pipelines' names by what people call them."""
        return {"training": self.training, "deployment": self.deployment}

    def called(self, pipeline: str) -> str:
        """Return what people call a pipeline of the workload: ``digits training``."""
        word = next((word for word, name in self.pipelines.items() if name == pipeline), pipeline)
        return f"{self.workload} {word}"

    def plan(self, pipeline: str) -> Plan:
        """Return the plan that an execution would have now."""
        described = self.target.client("sagemaker").describe_pipeline(PipelineName=pipeline)
        return Plan.read(described["PipelineDefinition"])

    def executions(self, *pipelines: str) -> Iterator[dict[str, Any]]:
        """Return AWS's summaries of the executions of these pipelines, of each the newest first."""
        pages = self.target.client("sagemaker").get_paginator("list_pipeline_executions")
        for name in pipelines:
            for page in pages.paginate(PipelineName=name, SortBy="CreationTime", SortOrder="Descending"):
                yield from page["PipelineExecutionSummaries"]

    def newest(self, *pipelines: str, status: str | None = None) -> str | None:
        """Return the ARN of the execution that was started last, if there is one (of this status)."""
        found = []
        for name in pipelines:
            rows = (one for one in self.executions(name) if status in (None, one["PipelineExecutionStatus"]))
            if first := next(rows, None):
                found.append((first["StartTime"], first["PipelineExecutionArn"]))
        return max(found)[1] if found else None

    def execution(self, given: str | None, *pipelines: str) -> str:
        """Return the ARN of the execution with this id, else of the newest one of these pipelines.

        Raises UsageError when there is no such execution.
        """
        if not given:
            if newest := self.newest(*pipelines):
                return newest
            raise UsageError(
                f"The pipeline of {self.workload} has never run in environment {self.environment}. "
                f"Run it with: {self.command('run')}"
            )
        for one in self.executions(*pipelines):
            if str(one["PipelineExecutionArn"]).rpartition("/")[2] == given.rpartition("/")[2]:
                return str(one["PipelineExecutionArn"])
        raise UsageError(f"{self.workload} has no execution {given}. They are listed by: {self.command('list')}")

    def serving(self) -> Served | None:
        """Return what the endpoint is and serves; None where there is no endpoint.

        The version is the part of the configuration's name after the endpoint's (``sandcastle.naming``).
        """
        try:
            found = self.target.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        except ClientError as error:
            if "Could not find endpoint" in str(error):
                return None
            raise
        version = found["EndpointConfigName"].removeprefix(f"{self.endpoint}-").partition("-")[0]
        return Served(
            self.endpoint,
            found["EndpointStatus"],
            found["EndpointConfigName"],
            int(version) if version.isdecimal() else None,
        )

    def command(self, what: str) -> str:
        """Return what a person types to do something with this pipeline: ``run``, ``approve 3``."""
        verb, _, rest = what.partition(" ")
        words = ["sandcastle pipeline", verb, self.workload, rest, "--environment", self.environment]
        return " ".join(word for word in words if word)
