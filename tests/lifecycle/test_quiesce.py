"""What was made at run time is at rest or gone before the stacks go, and a neighbour's is not touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lifecycle.conftest import Cloud

NAME = "quiet"


def tags(environment: str) -> list[dict[str, str]]:
    return [{"Key": "sandcastle:environment", "Value": environment}]


def endpoint_like(cloud: Cloud, name: str, environment: str, variants: list[dict[str, Any]]) -> None:
    """Make an endpoint of the given variants under any name: only the tag says whose it is."""
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, Tags=tags(environment))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags(environment))


def training_like(cloud: Cloud, name: str, environment: str) -> None:
    """Start a training job like the environment's own."""
    sagemaker = cloud.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=cloud.jobs()[0])
    keys = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    algorithm = {key: job["AlgorithmSpecification"][key] for key in ("TrainingImage", "TrainingInputMode")}
    sagemaker.create_training_job(
        TrainingJobName=name,
        **{key: job[key] for key in keys if key != "AlgorithmSpecification"},
        AlgorithmSpecification=algorithm,
        HyperParameters={**job["HyperParameters"], "num_round": "100000"},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        Tags=tags(environment),
    )


def group_with_a_version(cloud: Cloud, name: str, environment: str, model: Any) -> None:
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=tags(environment))
    container = {key: model["PrimaryContainer"][key] for key in ("Image", "ModelDataUrl")}
    sagemaker.create_model_package(
        ModelPackageGroupName=name,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def test_run_time_things_go_with_the_environment_and_a_neighbours_stay(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    file = environment_file(NAME)
    cloud.sandcastle("deploy", "--environment", file)
    sagemaker = cloud.client("sagemaker")
    (own,) = sagemaker.list_endpoints()["Endpoints"]
    config = sagemaker.describe_endpoint(EndpointName=own["EndpointName"])["EndpointConfigName"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variants[0]["ModelName"])
    for environment in (NAME, f"{NAME}-b"):
        endpoint_like(cloud, f"try-{environment}", environment, variants)
        group_with_a_version(cloud, f"models-{environment}", environment, model)
    training_like(cloud, f"sandcastle-{NAME}--users-ada--long", NAME)

    report = cloud.sandcastle("destroy", "--environment", file).document
    assert (report["clean"], report["swept"], report["attempts"]) == (True, [], 1)
    job = sagemaker.describe_training_job(TrainingJobName=f"sandcastle-{NAME}--users-ada--long")
    assert job["TrainingJobStatus"] == "Stopped"
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == [f"models-{NAME}-b"]
    assert [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]] == [f"try-{NAME}-b"]
    assert [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]] == [
        f"try-{NAME}-b"
    ]
    assert cloud.sandcastle("audit", "--environment", file).document["findings"] == []
