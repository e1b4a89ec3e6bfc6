"""From a registered model to a monitored endpoint: the steps at the end of training, and a pipeline of their own."""

from __future__ import annotations

from dataclasses import dataclass

from sandcastle.config import Serve
from sandcastle.pipeline.definition import Definition, Parameter
from sandcastle.pipeline.expressions import EXECUTION_ID, answer, join, parameter, result
from sandcastle.pipeline.parts import Parts
from sandcastle.pipeline.steps import AnswerType, Step, function, model, transform
from sandcastle.processing_request import Value, tag_list

PACKAGE, FOLDER = "ModelPackageArn", "Folder"
"""Parameters of the deployment's own pipeline."""

SMOKE_FILE = "smoke/input.csv"
"""Rows whose answers are known, in the folder that a model's evaluation leaves."""

_DEPLOYED: dict[str, AnswerType] = {"endpoint": "String", "version": "Integer"}
"""What the functions behind ``Deploy`` and ``Confirm`` answer."""


@dataclass(frozen=True)
class Candidate:
    """What is deployed: ARN of the model package, and the folder that its evaluation left."""

    package: Value
    folder: Value


def deployment_pipeline(serve: Serve, parts: Parts) -> Definition:
    """Return the pipeline that deploys a package which somebody approved."""
    candidate = Candidate(parameter(PACKAGE), parameter(FOLDER))
    return Definition(
        parameters=(Parameter(PACKAGE, "String"), Parameter(FOLDER, "String")),
        steps=tuple(deployment_steps(serve, parts, candidate)),
    )


def deployment_steps(serve: Serve, parts: Parts, candidate: Candidate) -> list[Step]:
    """Return the steps: a model, its answers to known rows, the endpoint's update when they are right, its monitors.

    A Lambda step may take ten minutes and an endpoint longer: ``Deploy`` begins and waits, ``Confirm`` waits on.
    """
    smoke: dict[str, Value] = {
        "package": candidate.package,
        "model": result("CreateModel", "ModelName"),
        "folder": candidate.folder,
        "answers": result("SmokeTest", "TransformOutput.S3OutputPath"),
        "execution": EXECUTION_ID,
    }
    return [
        model(
            "CreateModel",
            {
                "ExecutionRoleArn": parts.serving_role,
                "EnableNetworkIsolation": not serve.internet,
                "Containers": [{"ModelPackageName": candidate.package}],
                "Tags": tag_list(parts.tags),
            },
            prefix=parts.names.jobs,
        ),
        _smoke_test(serve, parts, candidate),
        function("Deploy", parts.functions.deploy, smoke, _DEPLOYED),
        function("Confirm", parts.functions.confirm, smoke, _DEPLOYED, after=["Deploy"]),
        function(
            "Schedules",
            parts.functions.schedules,
            {"package": candidate.package, "endpoint": answer("Confirm", "endpoint")},
            {"schedules": "String"},
        ),
    ]


def _smoke_test(serve: Serve, parts: Parts, candidate: Candidate) -> Step:
    source = {"S3DataType": "S3Prefix", "S3Uri": join("/", candidate.folder, SMOKE_FILE)}
    return transform(
        "SmokeTest",
        {
            "ModelName": result("CreateModel", "ModelName"),
            "BatchStrategy": "MultiRecord",
            "TransformInput": {
                "DataSource": {"S3DataSource": source},
                "ContentType": serve.content_type,
                "SplitType": "Line",
                "CompressionType": "None",
            },
            "TransformOutput": {
                "S3OutputPath": join("/", parts.data, "runs", EXECUTION_ID, "smoke-answers"),
                "Accept": serve.accept,
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": serve.instance, "InstanceCount": 1},
            "Tags": tag_list(parts.tags),
        },
        prefix=parts.names.jobs,
    )
