"""A workload with a pipeline in a deployed environment: what a user types, and what SageMaker then has."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.lifecycle.conftest import Cloud


@dataclass(frozen=True)
class Piped:
    """One workload with a pipeline. ``environment`` is a name or the path of a file."""

    cloud: Cloud
    environment: str
    workload: str

    @property
    def sagemaker(self) -> Any:
        """A client of the account's root."""
        return self.cloud.client("sagemaker")

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of its stack."""
        stacks = self.cloud.client("cloudformation").describe_stacks()["Stacks"]
        (stack,) = [one for one in stacks if one["StackName"].endswith(f"-pipeline-{self.workload}")]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    @property
    def endpoint(self) -> str:
        """The endpoint's name, also before there is one."""
        return self.outputs["Endpoint"]

    def typed(self, command: str, *arguments: str, expect: int = 0) -> Any:
        """Run ``sandcastle pipeline <command> <workload> ...`` and return its document."""
        return self.cloud.here(
            "pipeline", command, self.workload, *arguments, "--environment", self.environment, expect=expect
        )

    def run(self, *arguments: str, expect: int = 0) -> Any:
        """Run its pipeline to the end, and return what became of it."""
        return self.typed("run", *arguments, expect=expect)

    def begin(self, **parameters: Any) -> str:
        """Start its training pipeline and return the execution's ARN."""
        arn: str = self.sagemaker.start_pipeline_execution(
            PipelineName=self.outputs["TrainingPipeline"],
            PipelineParameters=[{"Name": name, "Value": str(value)} for name, value in parameters.items()],
        )["PipelineExecutionArn"]
        return arn

    def steps(self, execution: str) -> dict[str, str]:
        """Return the states of an execution's steps, by name."""
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution)
        return {one["StepName"]: one["StepStatus"] for page in pages for one in page["PipelineExecutionSteps"]}

    def until(self, execution: str, step: str, *states: str) -> None:
        """Wait until a step of the execution is in one of these states."""
        self.cloud.until(lambda: self.steps(execution).get(step) in states, f"{step} to be {' or '.join(states)}")

    def ended(self, execution: str) -> str:
        """Wait for the end of an execution and return how it ended."""

        def status() -> str:
            found: str = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)[
                "PipelineExecutionStatus"
            ]
            return "" if found in ("Executing", "Stopping") else found

        said: str = self.cloud.until(status, "the end of the execution")
        return said

    def serving(self) -> dict[str, Any]:
        """Return what serves: status, configuration and model of the endpoint."""
        endpoint = self.sagemaker.describe_endpoint(EndpointName=self.endpoint)
        config = self.sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        return {
            "status": endpoint["EndpointStatus"],
            "config": endpoint["EndpointConfigName"],
            "model": config["ProductionVariants"][0]["ModelName"],
        }

    def versions(self) -> dict[int, str]:
        """Return the versions in the registry, with their approval."""
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self.outputs["PackageGroup"]
        )
        return {
            one["ModelPackageVersion"]: one["ModelApprovalStatus"]
            for page in pages
            for one in page["ModelPackageSummaryList"]
        }

    def made(self) -> dict[str, list[str]]:
        """Return what runs have made for the endpoint, by kind: nothing of it may come twice."""
        lists = (
            ("list_endpoints", "Endpoints", "EndpointName"),
            ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
            ("list_models", "Models", "ModelName"),
            ("list_transform_jobs", "TransformJobSummaries", "TransformJobName"),
            ("list_monitoring_schedules", "MonitoringScheduleSummaries", "MonitoringScheduleName"),
            ("list_data_quality_job_definitions", "JobDefinitionSummaries", "MonitoringJobDefinitionName"),
            ("list_model_quality_job_definitions", "JobDefinitionSummaries", "MonitoringJobDefinitionName"),
        )
        found = {}
        for operation, result, name in lists:
            pages = self.sagemaker.get_paginator(operation).paginate(NameContains=f"--{self.workload}-")
            found[operation] = sorted(one[name] for page in pages for one in page[result])
        return found

    def package(self, version: int) -> dict[str, Any]:
        """Return what the registry says of a version."""
        group = self.outputs["PackageGroup"]
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        (arn,) = [
            one["ModelPackageArn"]
            for page in pages
            for one in page["ModelPackageSummaryList"]
            if one["ModelPackageVersion"] == version
        ]
        found: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        return found

    def registered_like(self, version: int, *, archive: str = "", folder: str = "") -> int:
        """Register another version like this one, with another archive or folder; return its number."""
        like = self.package(version)
        specification = like["InferenceSpecification"]
        (container,) = specification["Containers"]
        kept = {key: container[key] for key in ("Image", "ModelDataUrl", "Environment") if key in container}
        kept["ModelDataUrl"] = archive or kept["ModelDataUrl"]
        arn: str = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.outputs["PackageGroup"],
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={**specification, "Containers": [kept]},
            ModelMetrics=like["ModelMetrics"],
            DriftCheckBaselines=like["DriftCheckBaselines"],
            CustomerMetadataProperties={
                **like["CustomerMetadataProperties"],
                "folder": folder or like["CustomerMetadataProperties"]["folder"],
            },
        )["ModelPackageArn"]
        return int(arn.rsplit("/", 1)[-1])

    def archive_that_cannot_start(self, beside: int) -> str:
        """Put a model archive beside that of a version that no server can load, and return where it lies."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            text = b"this is no model"
            entry = tarfile.TarInfo("model.bin")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
        good = self.package(beside)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        url = f"{good.rsplit('/', 3)[0]}/broken/output/model.tar.gz"
        bucket, key = _place(url)
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
        return url

    def folder_that_expects_otherwise(self, version: int) -> str:
        """Copy the smoke test of a version and change what it expects of the first row; return where it lies."""
        s3 = self.cloud.client("s3")
        good = self.package(version)["CustomerMetadataProperties"]["folder"]
        run = good.rstrip("/").rsplit("/", 2)[-2]
        url = good.replace(f"/{run}/", "/otherwise/")
        (bucket, source), (_, target) = _place(good), _place(url)
        rows = s3.get_object(Bucket=bucket, Key=f"{source}/smoke/input.csv")["Body"].read()
        answers = s3.get_object(Bucket=bucket, Key=f"{source}/smoke/expected.jsonl")["Body"].read().decode()
        s3.put_object(Bucket=bucket, Key=f"{target}/smoke/input.csv", Body=rows)
        changed = _otherwise(answers.splitlines())
        s3.put_object(Bucket=bucket, Key=f"{target}/smoke/expected.jsonl", Body=changed.encode())
        return url


def at_once(cloud: Cloud, *commands: Sequence[str]) -> list[Any]:
    """Run several ``sandcastle ...`` at the same time, insist that each succeeds, and return their documents."""
    processes = [cloud.start(*command, "--json") for command in commands]
    documents = []
    for command, process in zip(commands, processes, strict=True):
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, f"sandcastle {' '.join(command)}: {process.returncode}\n{err}\n{out}"
        documents.append(json.loads(out))
    return documents


def _place(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key.rstrip("/")


def _otherwise(answers: list[str]) -> str:
    """Return the lines with the first one's prediction exchanged for another's that differs."""
    predictions = [json.loads(answer)["prediction"] for answer in answers]
    other = next(answer for answer, said in zip(answers, predictions, strict=True) if said != predictions[0])
    return "\n".join([other, *answers[1:]]) + "\n"
