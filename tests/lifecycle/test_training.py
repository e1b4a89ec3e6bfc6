"""Every way to train, deployed: a search, several instances on spot, a script of one's own, a model that is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.promises import try_all
from tests.lifecycle.stand import Stand
from tests.synthesis import synthesise
from tests.training_project import NAME, training_project


@pytest.fixture(scope="module")
def place(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    project = training_project(tmp_path_factory.mktemp("trainings"))
    return Stand(cloud, str(project.file), synthesise(str(project.file), project.root)).up()


def outputs(place: Stand, workload: str) -> dict[str, str]:
    """The outputs of a workload's stack."""
    stacks = place.client("cloudformation").describe_stacks(StackName=place.stack(f"workload-{workload}"))["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}


def trained(place: Stand, workload: str) -> Any:
    """The description of the job that made the workload's model."""
    name = outputs(place, workload)["TrainingJob"]
    return place.client("sagemaker").describe_training_job(TrainingJobName=name)


def answer(place: Stand, workload: str, row: str) -> str:
    """What the endpoint says to one row."""
    reply = place.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=outputs(place, workload)["EndpointName"], Body=row.encode(), ContentType="text/csv"
    )
    return str(reply["Body"].read().decode().strip())


def test_the_best_of_a_search_is_served(place: Stand) -> None:
    sagemaker, found = place.client("sagemaker"), outputs(place, "searched")
    tuning = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=found["TuningJob"])
    assert len(found["TuningJob"]) <= 32
    assert tuning["TrainingJobStatusCounters"]["Completed"] == 4
    summaries = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=found["TuningJob"]
    )["TrainingJobSummaries"]
    values = {job["TrainingJobName"]: job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in summaries}
    assert values[found["TrainingJob"]] == max(values.values())
    assert found["Objective"] == f"validation:auc = {max(values.values()):.6g}"
    job = trained(place, "searched")
    assert found["ModelDataUrl"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    assert job["EnableManagedSpotTraining"] is True
    served = sagemaker.list_models()["Models"]
    addresses = [
        sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]["ModelDataUrl"] for model in served
    ]
    assert found["ModelDataUrl"] in addresses
    assert float(answer(place, "searched", "0.9,0.9")) > float(answer(place, "searched", "0.1,0.1"))


def test_training_jobs_of_a_search_carry_the_environments_tags(place: Stand) -> None:
    job = trained(place, "searched")
    tags = place.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {"Key": "sandcastle:environment", "Value": NAME} in tags
    assert job["TuningJobArn"].endswith(outputs(place, "searched")["TuningJob"])


def test_two_instances_train_one_model(place: Stand) -> None:
    job = trained(place, "spread")
    assert job["ResourceConfig"]["InstanceCount"] == 2
    streams = place.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job['TrainingJobName']}/"
    )["logStreams"]
    assert len(streams) == 2


def test_a_script_of_the_workload_trains_and_serves_without_a_network(place: Stand) -> None:
    job = trained(place, "scripted")
    assert job["EnableNetworkIsolation"] is True
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["train:accuracy"] > 0.9
    assert (answer(place, "scripted", "0.9,0.9"), answer(place, "scripted", "0.1,0.1")) == ("1.0", "0.0")


def test_a_model_that_is_there_is_served_and_nothing_is_trained(place: Stand) -> None:
    assert "TrainingJob" not in outputs(place, "finished")
    assert (answer(place, "finished", "0.9,0.9"), answer(place, "finished", "0.1,0.1")) == ("1.0", "0.0")


@pytest.mark.exhaustive
def test_every_promise_of_the_roles_is_kept(place: Stand) -> None:
    tried = try_all(place.cloud, NAME)
    broken = [str(one) for one in tried if one.decided != one.promise.allowed]
    assert broken == []
    assert len(tried) > 150


def test_a_destroy_leaves_no_jobs_logs_or_stacks(place: Stand) -> None:
    place.destroyed_at_once()
    groups = place.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    logs = place.client("logs")
    for group in groups:
        assert logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"] == []
