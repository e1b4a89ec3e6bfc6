"""Every way to train, deployed: a search, several instances on spot, a script of one's own, a model that is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.promises import try_all
from tests.lifecycle.stand import Change, Stand
from tests.synthesis import Template, resources, synthesise
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


def searches(place: Stand) -> dict[str, str]:
    """The states of all tuning jobs ever started, by name."""
    listed = place.client("sagemaker").list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    return {one["HyperParameterTuningJobName"]: one["HyperParameterTuningJobStatus"] for one in listed}


def deleted(place: Stand, part: str) -> None:
    """Delete one stack."""
    place.client("cloudformation").delete_stack(StackName=place.stack(part))
    place.settle([place.stack(part)])
    assert place.stack(part) not in place.cloud.stacks()


def edited(old: str, new: str) -> Change:
    """A change of the text of requests in a template."""

    def change(template: Template) -> Template:
        text, (was, now) = json.dumps(template), (json.dumps(part)[1:-1] for part in (old, new))
        assert was in text
        changed: Template = json.loads(text.replace(was, now))
        return changed

    return change


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


def test_the_same_search_is_not_made_again(place: Stand) -> None:
    before = outputs(place, "searched")
    longer = edited('"MaxRuntimeInSeconds":300', '"MaxRuntimeInSeconds":240')
    assert place.update("workload-searched", longer) == "UPDATE_COMPLETE"
    assert outputs(place, "searched") == before
    assert len(searches(place)) == 1


def test_a_search_that_fails_says_why_and_leaves_what_there_was(place: Stand) -> None:
    before = outputs(place, "searched")

    def hopeless(template: Template) -> Template:
        changed = edited('"MaxNumberOfTrainingJobs":4,"MaxParallel', '"MaxNumberOfTrainingJobs":2,"MaxParallel')(
            template
        )
        changed = edited('"num_round":"3"', '"num_round":"0"')(changed)
        (job,) = resources(changed, "Custom::SandcastleTrainedModel").values()
        job["Properties"]["Fingerprint"] = "0" * 16
        return changed

    assert place.update("workload-searched", hopeless) == "UPDATE_ROLLBACK_COMPLETE"
    assert outputs(place, "searched") == before
    events = place.client("cloudformation").describe_stack_events(StackName=place.stack("workload-searched"))
    told = "\n".join(event.get("ResourceStatusReason", "") for event in events["StackEvents"])
    assert "Tuning job sc-" in told
    assert "num_round" in told, "the reason of the training job that failed"


def test_a_search_is_stopped_with_its_stack(place: Stand) -> None:
    """As when the creation is cancelled and begins its job after the deletion has looked for one."""
    sagemaker, found = place.client("sagemaker"), outputs(place, "searched")["TuningJob"]
    deleted(place, "teardown")
    like = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=found)
    definition, config = like["TrainingJobDefinition"], like["HyperParameterTuningJobConfig"]
    definition["StaticHyperParameters"]["num_round"] = "1000000"
    config["ResourceLimits"] = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    late = f"{found[:-2]}77"
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=late,
        HyperParameterTuningJobConfig=config,
        TrainingJobDefinition={key: value for key, value in definition.items() if key != "TuningObjective"},
        Tags=place.tag_list,
    )
    deleted(place, "workload-searched")
    assert searches(place)[late] == "Stopped"


def test_a_destroy_leaves_no_jobs_logs_or_stacks(place: Stand) -> None:
    place.destroyed_at_once()
    groups = place.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    logs = place.client("logs")
    for group in groups:
        assert logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"] == []
