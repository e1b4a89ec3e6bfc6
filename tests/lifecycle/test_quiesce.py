"""What was made at run time is at rest or gone before the stacks go, and a neighbour's is not touched.

The stacks are deleted as ``cdk destroy`` does, without anything that ``sandcastle destroy`` does besides: the janitor
has to do all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lifecycle.busy import Busy
from tests.lifecycle.conftest import Cloud, running_localcloud
from tests.lifecycle.stand import stand
from tests.synthesis import Template

NAME = "quiet"
TAGS = [{"Key": "sandcastle:environment", "Value": NAME}]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """With room for all these jobs at once, however few cores there are."""
    with running_localcloud(tmp_path_factory, LOCALCLOUD_JOB_SLOTS="12") as running:
        yield running


def test_a_busy_environment_is_brought_to_rest_and_a_neighbour_is_left_alone(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    file = environment_file(NAME)
    place = stand(cloud, file)
    place.deploy({"workload-bank": with_a_rule})
    assert set(cloud.stacks().values()) == {"CREATE_COMPLETE"}
    sagemaker = cloud.client("sagemaker")
    neighbour = Busy(cloud, NAME, "sandcastle-quiet-b--bank", owner="quiet-b")
    neighbour.endpoint("endpoint")
    neighbour.package()

    ours = Busy(cloud, NAME, "anything")  # only the tag says whose these are
    named = Busy(cloud, NAME, f"sandcastle-{NAME}--users-ada")
    named.schedule()
    alarm = named.scaled_endpoint()
    ours.package()
    ours.training("training")
    ours.processing()
    ours.tuning()
    ours.pipeline()  # whose execution has no tags: it ends with its jobs
    named.pipeline()
    ours.warm_pool()  # the last of all that trains: the next one would take its instances
    named.transform()
    assert _at_work(sagemaker) == {
        "HyperParameterTuningJob", "TrainingJob", "ProcessingJob", "TransformJob", "PipelineExecution", "warm pool"
    }  # fmt: skip
    cloud.until(lambda: _streams(cloud.client("logs"), "model-monitoring-"), "the log of a monitoring job")

    place.cdk_destroy()

    assert _running(sagemaker) == []
    disabled = [call for call in cloud.admin("calls") if call["action"] == "events:DisableRule"]
    assert {call["decision"] for call in disabled} == {"allowed"}
    assert _streams(cloud.client("logs"), "model-monitoring-") == []
    assert cloud.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"] == []
    kept = "sandcastle-quiet-b--bank"
    assert [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]] == [f"{kept}-endpoint"]
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [one["EndpointConfigName"] for one in configs] == [f"{kept}-endpoint"]
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [one["ModelPackageGroupName"] for one in groups] == [f"{kept}-models"]
    assert sagemaker.list_model_packages(ModelPackageGroupName=f"{kept}-models")["ModelPackageSummaryList"]
    assert cloud.here("audit", "--environment", file)["findings"] == []


def with_a_rule(template: Template) -> Template:
    """Return the template with a rule of EventBridge, which must start nothing while everything is brought to rest."""
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"]}
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Tags": TAGS}}
    return {**template, "Resources": {**template["Resources"], "Rule": rule}}


def _streams(logs: Any, prefix: str) -> list[str]:
    """Return the streams of processing jobs whose names begin so."""
    which = {"logGroupName": "/aws/sagemaker/ProcessingJobs", "logStreamNamePrefix": prefix}
    return [stream["logStreamName"] for stream in logs.describe_log_streams(**which)["logStreams"]]


def _at_work(sagemaker: Any) -> set[str]:
    """Return the kinds of which something runs that is told to stop: without that nothing would be proved."""
    found = set()
    for stem, listing in {
        "HyperParameterTuningJob": sagemaker.list_hyper_parameter_tuning_jobs,
        "TrainingJob": sagemaker.list_training_jobs,
        "ProcessingJob": sagemaker.list_processing_jobs,
        "TransformJob": sagemaker.list_transform_jobs,
    }.items():
        if listing(StatusEquals="InProgress")[f"{stem}Summaries"]:
            found.add(stem)
    if sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]:
        found.add("warm pool")
    for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]:
        executions = sagemaker.list_pipeline_executions(PipelineName=pipeline["PipelineName"])
        if any(one["PipelineExecutionStatus"] == "Executing" for one in executions["PipelineExecutionSummaries"]):
            found.add("PipelineExecution")
    return found


def _running(sagemaker: Any) -> list[str]:
    """Return what is billed by the second, or would start something that is."""
    pages = {
        "list_hyper_parameter_tuning_jobs": ("HyperParameterTuningJobSummaries", {"StatusEquals": "InProgress"}),
        "list_training_jobs": ("TrainingJobSummaries", {"StatusEquals": "InProgress"}),
        "list_processing_jobs": ("ProcessingJobSummaries", {"StatusEquals": "InProgress"}),
        "list_transform_jobs": ("TransformJobSummaries", {"StatusEquals": "InProgress"}),
        "list_pipelines": ("PipelineSummaries", {}),
        "list_monitoring_schedules": ("MonitoringScheduleSummaries", {}),
        "list_data_quality_job_definitions": ("JobDefinitionSummaries", {}),
        "list_model_quality_job_definitions": ("JobDefinitionSummaries", {}),
        "list_models": ("Models", {}),
    }
    return [
        str(item)
        for operation, (result, filters) in pages.items()
        for page in sagemaker.get_paginator(operation).paginate(**filters)
        for item in page[result]
    ]
