"""Service quotas: what an account may have at a time, and AWS's refusal."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from localcloud.sagemaker.quotas import Quotas, apps, instances, table
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, World
from tests.localcloud.sagemaker.test_sagemaker_endpoint_states import make_config, reach, server_is_up

ASK = (
    "Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
    "contact AWS support to request an increase for this quota."
)


def training(name: str, **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **members,
    }


def processing(name: str) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 5}
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def notebook(name: str) -> dict[str, Any]:
    return {"NotebookInstanceName": name, "InstanceType": "ml.t3.medium", "RoleArn": ROLE}


@pytest.mark.parametrize(
    ("operation", "request_of", "quota", "unit", "delta"),
    [
        ("CreateTrainingJob", training("a"), "ml.m5.large for training job usage", "Instances", 2),
        ("CreateTrainingJob", training("a"), "Number of instances across all training jobs", "Instances", 2),
        (
            "CreateTrainingJob",
            training(
                "a",
                EnableManagedSpotTraining=True,
                StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            ),
            "ml.m5.large for spot training job usage",
            "Instances",
            2,
        ),
        ("CreateProcessingJob", processing("a"), "ml.t3.medium for processing job usage", "Instances", 1),
        ("CreateNotebookInstance", notebook("a"), "ml.t3.medium for notebook instance usage", "Instances", 1),
        ("CreateNotebookInstance", notebook("a"), "Total number of notebook instances", "NotebookInstances", 1),
        (
            "CreateEndpoint",
            {"EndpointName": "a", "EndpointConfigName": "first"},
            "ml.m5.large for endpoint usage",
            "Instances",
            2,
        ),
    ],
)
def test_nothing_is_created_beyond_a_quota(
    world: World, operation: str, request_of: dict[str, Any], quota: str, unit: str, delta: int
) -> None:
    make_config(world, "first")
    world.quotas.set({quota: 0})
    error = world.refusal(operation, **request_of)
    assert error.code == "ResourceLimitExceeded"
    assert error.message == (
        f"The account-level service limit '{quota}' is 0 {unit}, with current utilization of 0 {unit} and a request "
        f"delta of {delta} {unit}. {ASK}"
    )
    world.quotas.reset()
    world.call(operation, **request_of)  # nothing was left of the refused one


def test_a_job_that_is_over_uses_nothing(world: World) -> None:
    world.quotas.set({"ml.m5.large for training job usage": 3})
    world.call("CreateTrainingJob", **training("a"))
    error = world.refusal("CreateTrainingJob", **training("b"))
    assert (
        "is 3 Instances, with current utilization of 2 Instances and a request delta of 2 Instances." in error.message
    )
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    world.wait_until(lambda: bool(world.backend.jobs))
    world.backend.jobs[0].on_done(JobOutcome("Completed", secondary_status="Completed", seconds_running=1))
    world.call("CreateTrainingJob", **training("b"))


def test_regions_do_not_share(world: World) -> None:
    world.quotas.set({"ml.t3.medium for processing job usage": 1})
    world.call("CreateProcessingJob", **processing("a"))
    world.call("CreateProcessingJob", type(SCOPE)(SCOPE.account, "us-west-2"), **processing("a"))
    world.refusal("CreateProcessingJob", **processing("b"))


def test_a_stopped_notebook_keeps_its_place_and_frees_its_instance(world: World) -> None:
    world.quotas.set({"ml.t3.medium for notebook instance usage": 1, "Total number of notebook instances": 2})
    world.call("CreateNotebookInstance", **notebook("a"))
    assert "ml.t3.medium" in world.refusal("CreateNotebookInstance", **notebook("b")).message
    world.clock.advance(durations.NOTEBOOK_START)
    world.call("StopNotebookInstance", NotebookInstanceName="a")
    world.clock.advance(durations.NOTEBOOK_STOP)
    world.call("CreateNotebookInstance", **notebook("b"))
    assert world.refusal("StartNotebookInstance", NotebookInstanceName="a").code == "ResourceLimitExceeded"
    assert "Total number" in world.refusal("CreateNotebookInstance", **notebook("c")).message


def test_an_endpoint_update_needs_room_for_both_fleets(world: World) -> None:
    make_config(world, "first")
    make_config(world, "second")
    world.quotas.set({"ml.m5.large for endpoint usage": 3})
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first")
    server_is_up(world, 1)
    world.clock.advance(durations.ENDPOINT_CREATE)
    error = world.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    assert "current utilization of 2 Instances" in error.message
    world.quotas.set({"ml.m5.large for endpoint usage": 4})
    world.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    assert world.refusal("CreateEndpoint", EndpointName="b", EndpointConfigName="first").code == "ResourceLimitExceeded"
    server_is_up(world, 2)
    world.clock.advance(durations.ENDPOINT_UPDATE)
    reach(world, "InService")
    world.call("CreateEndpoint", EndpointName="b", EndpointConfigName="first")


def test_names_are_those_of_aws() -> None:
    for name in (
        "ml.m5.large for endpoint usage",
        "ml.m5.4xlarge for training warm pool usage",
        "ml.t3.medium for processing job usage",
        "ml.g5.2xlarge for transform job usage",
        "Studio JupyterLab Apps running on ml.t3.medium instances",
        "Studio CodeEditor Apps running on ml.m5d.8xlarge instances",
        "Total domains",
    ):
        assert name in table()
    assert instances("ml.m5.large", "endpoint") in table()
    assert apps("JupyterLab", "ml.t3.medium") in table()
    codes = [quota.code for quota in table().values()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"ml.huge for endpoint usage": 1}, "no quota 'ml.huge for endpoint usage'"),
        ({"Total domains": -1}, "-1 is not a number of at least 0"),
        ({"Total domains": "many"}, "'many' is not a number"),
    ],
)
def test_a_wrong_setting_changes_nothing(values: dict[str, Any], text: str) -> None:
    quotas = Quotas()
    with pytest.raises(ValueError, match=text):
        quotas.set({"ml.m5.large for endpoint usage": 0, **values})
    assert quotas.changed() == {}


@pytest.mark.localcloud
def test_service_quotas_lists_and_an_admin_changes_them(localcloud: Any) -> None:
    quotas = localcloud.client("service-quotas")
    name = "ml.m5.24xlarge for processing job usage"
    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    listed = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
    assert set(listed) == set(table())
    code = listed[name]["QuotaCode"]
    with pytest.raises(HTTPError, match="400"):
        localcloud.admin("POST", "quotas", {"x": 1})
    assert localcloud.admin("POST", "quotas", {name: 0})[name] == 0
    try:
        assert quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]["Value"] == 0.0
        default = quotas.get_aws_default_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]
        assert (default["QuotaName"], default["Value"]) == (name, listed[name]["Value"])
    finally:
        localcloud.admin("POST", "quotas", {name: listed[name]["Value"]})
    with pytest.raises(quotas.exceptions.NoSuchResourceException):
        quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode="L-00000000")
    with pytest.raises(quotas.exceptions.ClientError, match="RequestServiceQuotaIncrease is not supported yet"):
        quotas.request_service_quota_increase(ServiceCode="sagemaker", QuotaCode=code, DesiredValue=5)
