"""Tuning jobs as state machines, on a clock that moves only when told, and where they search."""

from __future__ import annotations

import re
from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.tuning.search import Search
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World

_METRIC = {"Name": "auc", "Regex": "auc: ([0-9.]+)"}
_ETA = {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}
_DEPTH = {"Name": "depth", "MinValue": "1", "MaxValue": "8"}


def tuning(
    most: int = 4, parallel: int = 2, config: Any = None, definition: Any = None, **members: Any
) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobName": "tuning",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel},
            "ParameterRanges": {"ContinuousParameterRanges": [_ETA], "IntegerParameterRanges": [_DEPTH]},
            **(config or {}),
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"num_round": "5"},
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [_METRIC],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **(definition or {}),
        },
        **members,
    }


def describe(world: World) -> dict[str, Any]:
    return world.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="tuning")


def status(world: World) -> str:
    return str(describe(world)["HyperParameterTuningJobStatus"])


def trials(world: World, **members: Any) -> list[dict[str, Any]]:
    reply = world.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName="tuning", **members)
    found: list[dict[str, Any]] = reply["TrainingJobSummaries"]
    return found


def launch(world: World, count: int) -> list[Any]:
    """Let the processes of the trials that have been made start."""
    before = len(world.backend.jobs)
    world.clock.advance(durations.JOB_STARTING)
    world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
    assert len(world.backend.jobs) == before + count
    return world.backend.jobs[before:]


def done(*values: float, status: Any = "Completed") -> JobOutcome:
    return JobOutcome(status, metrics=[("auc", value, 1.0) for value in values], seconds_running=10)


def test_trials_run_so_many_at_a_time_and_the_best_is_found(world: World) -> None:
    world.call("CreateHyperParameterTuningJob", **tuning(most=3, parallel=2), Tags=[{"Key": "team", "Value": "a"}])
    first, second = launch(world, 2)
    assert re.fullmatch(r"tuning-001-[0-9a-f]{8}", first.spec.name)
    assert set(first.spec.hyperparameters) == {"num_round", "eta", "depth", "_tuning_objective_metric"}
    assert first.spec.hyperparameters["_tuning_objective_metric"] == "auc"
    assert first.spec.metric_definitions == [_METRIC, {**_METRIC, "Name": "ObjectiveMetric"}]
    assert first.spec.hyperparameters != second.spec.hyperparameters
    assert world.call("ListTags", ResourceArn=first.spec.arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    job = world.call("DescribeTrainingJob", TrainingJobName=first.spec.name)
    assert job["TuningJobArn"].endswith(":hyper-parameter-tuning-job/tuning")
    assert describe(world)["TrainingJobStatusCounters"]["InProgress"] == 2
    first.on_done(done(0.5, 0.9, 0.7))  # the last one logged counts
    [third] = launch(world, 1)
    assert third.spec.name.startswith("tuning-003-")
    second.on_done(done(0.8))
    assert status(world) == "InProgress"
    third.on_done(done(status="Failed"))
    ended = describe(world)
    assert ended["HyperParameterTuningJobStatus"] == "Completed"
    assert ended["HyperParameterTuningEndTime"] == world.clock.now()
    assert ended["TrainingJobStatusCounters"] == {
        "Completed": 2,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 1,
        "Stopped": 0,
    }
    assert ended["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}
    best = ended["BestTrainingJob"]
    assert best["TrainingJobName"] == second.spec.name
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize",
        "MetricName": "auc",
        "Value": 0.8,
    }
    assert best["TunedHyperParameters"] == {k: second.spec.hyperparameters[k] for k in ("eta", "depth")}
    by_value = trials(world, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert [trial["TrainingJobName"] for trial in by_value] == [second.spec.name, first.spec.name]
    assert [trial["TrainingJobStatus"] for trial in trials(world, StatusEquals="Failed")] == ["Failed"]
    # every trial is billed as the training job it is
    assert [line["kind"] for line in world.meter.snapshot()] == ["training-instance"] * 3


def test_minimise(world: World) -> None:
    objective = {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "auc"}}
    world.call("CreateHyperParameterTuningJob", **tuning(most=2, config=objective))
    first, second = launch(world, 2)
    first.on_done(done(0.2))
    second.on_done(done(0.1))
    assert describe(world)["BestTrainingJob"]["TrainingJobName"] == second.spec.name


def test_a_stop_stops_every_trial(world: World) -> None:
    world.call("CreateHyperParameterTuningJob", **tuning(most=4, parallel=3))
    first, second, third = launch(world, 3)
    first.on_done(done(0.5))  # a fourth is made in its place and has no instances yet
    third.stop = lambda: None  # takes its time after SIGTERM
    world.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert status(world) == "Stopping"
    assert second.stopped
    again = world.refusal("StopHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert again.message == "The request was rejected because the tuning job is in status Stopping."
    world.clock.advance(durations.JOB_STOP_EARLY)
    assert status(world) == "Stopping"
    third.on_done(done(0.6, status="Stopped"))
    assert status(world) == "Stopped"
    assert sorted(trial["TrainingJobStatus"] for trial in trials(world)) == ["Completed"] + ["Stopped"] * 3
    assert describe(world)["BestTrainingJob"]["TrainingJobName"] == third.spec.name


def test_delete_forgets_the_record_alone(world: World) -> None:
    world.call("CreateHyperParameterTuningJob", **tuning(most=1, parallel=1))
    refused = world.refusal("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert refused.code == "ResourceInUse"
    [job] = launch(world, 1)
    job.on_done(done(0.5))
    world.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert status(world) == "Deleting"
    world.clock.advance(durations.JOB_DELETE)
    gone = world.refusal("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert gone.code == "ResourceNotFound"
    assert gone.message.startswith("Amazon SageMaker can't find a tuning job")
    assert world.call("DescribeTrainingJob", TrainingJobName=job.spec.name)["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (done(status="Failed"), "No training job succeeded after 5 attempts."),
        (done(), "No objective metrics found after running 5 training jobs."),
    ],
)
def test_it_gives_up_when_nothing_comes_of_it(world: World, outcome: JobOutcome, text: str) -> None:
    world.call("CreateHyperParameterTuningJob", **tuning(most=20, parallel=5))
    for job in launch(world, 5):
        job.on_done(outcome)
    # what was started in place of the first four is stopped
    world.clock.advance(durations.JOB_STOP_EARLY)
    ended = describe(world)
    assert ended["HyperParameterTuningJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith(text)
    assert len(trials(world, MaxResults=100)) == 9
    assert "BestTrainingJob" not in ended


def test_a_quota_ends_it(world: World) -> None:
    world.quotas.set({"ml.m5.large for training job usage": 3})
    world.call("CreateHyperParameterTuningJob", **tuning(most=5, parallel=5))
    world.clock.advance(durations.JOB_STOP_EARLY)
    ended = describe(world)
    assert ended["HyperParameterTuningJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("ResourceLimitExceeded: ")
    assert [trial["TrainingJobStatus"] for trial in trials(world)] == ["Stopped"] * 3


def test_a_grid_is_every_combination(world: World) -> None:
    ranges = {
        "CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y", "z"]}]
    }
    config = {
        "Strategy": "Grid",
        "ParameterRanges": ranges,
        "ResourceLimits": {"MaxParallelTrainingJobs": 6},
    }
    world.call("CreateHyperParameterTuningJob", **tuning(config=config))
    jobs = launch(world, 6)
    found = {(job.spec.hyperparameters["a"], job.spec.hyperparameters["b"]) for job in jobs}
    assert found == {(a, b) for a in "12" for b in "xyz"}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"config": {"Strategy": "Hyperband"}}, "Strategy = 'Hyperband' is not supported yet"),
        (
            {"config": {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1}}}},
            "HyperParameterTuningJobConfig.StrategyConfig is not supported yet",
        ),
        (
            {
                "WarmStartConfig": {
                    "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "old"}],
                    "WarmStartType": "TransferLearning",
                }
            },
            "WarmStartConfig is not supported yet",
        ),
        (
            {"config": {"TrainingJobEarlyStoppingType": "Auto"}},
            "TrainingJobEarlyStoppingType = 'Auto' is not supported",
        ),
        ({"Autotune": {"Mode": "Enabled"}}, "Autotune is not supported yet"),
        ({"config": {"ParameterRanges": {}}}, "at least one hyperparameter range"),
        ({"config": {"ParameterRanges": {"IntegerParameterRanges": [_DEPTH, _DEPTH]}}}, "depth has more than one"),
        ({"definition": {"StaticHyperParameters": {"eta": "1"}}}, "Hyperparameter eta is both static and tuned."),
        ({"parallel": 9}, "MaxParallelTrainingJobs must not be greater than MaxNumberOfTrainingJobs."),
        ({"config": {"Strategy": "Grid"}}, "takes categorical hyperparameter ranges only"),
        (
            {
                "config": {
                    "Strategy": "Grid",
                    "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2", "3"]}]},
                }
            },
            "MaxNumberOfTrainingJobs must be left out or be 3, the number of combinations.",
        ),
        ({"definition": {"ResourceConfig": {"InstanceType": "ml.m5.large"}}}, "ResourceConfig must contain"),
        (
            {"config": {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "f1"}}},
            "A metric is required for this hyperparameter tuning job objective.",
        ),
    ],
)
def test_what_is_refused(world: World, changes: dict[str, Any], text: str) -> None:
    refused = world.refusal("CreateHyperParameterTuningJob", **tuning(**changes))
    assert refused.code == "ValidationException"
    assert text in refused.message
    assert world.call("ListHyperParameterTuningJobs") == {"HyperParameterTuningJobSummaries": []}


def test_the_metrics_of_a_built_in_algorithm(world: World) -> None:
    world.backend.own_metrics = frozenset({"validation:auc"})
    algorithm = {"AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"}}
    refused = world.refusal("CreateHyperParameterTuningJob", **tuning(definition=algorithm))
    assert refused.message.startswith("The objective metric for the hyperparameter tuning job, [auc], isn't valid for")
    objective = {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"}}
    world.call("CreateHyperParameterTuningJob", **tuning(config=objective, definition=algorithm))
    # the image's own definitions stay in force
    assert launch(world, 2)[0].spec.metric_definitions == []


def test_names_are_taken_once_and_lists_filter(world: World) -> None:
    world.call("CreateHyperParameterTuningJob", **tuning())
    assert world.refusal("CreateHyperParameterTuningJob", **tuning()).code == "ResourceInUse"
    listed = world.call("ListHyperParameterTuningJobs", StatusEquals="InProgress")["HyperParameterTuningJobSummaries"]
    assert [job["HyperParameterTuningJobName"] for job in listed] == ["tuning"]
    assert not world.call("ListHyperParameterTuningJobs", StatusEquals="Stopped")["HyperParameterTuningJobSummaries"]


def test_the_same_seed_searches_the_same_places() -> None:
    ranges = {
        "IntegerParameterRanges": [{"Name": "i", "MinValue": "1", "MaxValue": "3"}],
        "ContinuousParameterRanges": [
            {"Name": "log", "MinValue": "0.001", "MaxValue": "1000", "ScalingType": "Logarithmic"},
            {"Name": "rev", "MinValue": "0", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"},
        ],
        "CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}],
    }
    one, again, other = (Search.of(ranges, seed) for seed in ("7", "7", "8"))
    drawn = [one.random(trial) for trial in range(1, 401)]
    assert drawn == [again.random(trial) for trial in range(1, 401)]
    assert drawn != [other.random(trial) for trial in range(1, 401)]
    assert {each["i"] for each in drawn} == {"1", "2", "3"}
    assert {each["c"] for each in drawn} == {"a", "b"}
    logs = sorted(float(each["log"]) for each in drawn)
    assert logs[0] >= 0.001 and logs[-1] <= 1000
    assert 0.1 < logs[200] < 10  # half of the draws are below one, the middle of the scale
    reverse = sorted(float(each["rev"]) for each in drawn)
    assert reverse[200] > 0.9


@pytest.mark.parametrize(
    ("entry", "whole", "text"),
    [
        ({"MinValue": "a", "MaxValue": "1"}, False, "must be numbers"),
        ({"MinValue": "0.5", "MaxValue": "1"}, True, "must be integers"),
        ({"MinValue": "2", "MaxValue": "1"}, True, "must not be greater"),
        ({"MinValue": "0", "MaxValue": "1", "ScalingType": "Logarithmic"}, False, "greater than 0"),
        ({"MinValue": "0", "MaxValue": "1", "ScalingType": "ReverseLogarithmic"}, False, "from 0 to below 1"),
    ],
)
def test_bad_ranges(entry: dict[str, str], whole: bool, text: str) -> None:
    kind = "IntegerParameterRanges" if whole else "ContinuousParameterRanges"
    with pytest.raises(ServiceError, match=text):
        Search.of({kind: [{"Name": "x", **entry}]}, "seed")


def test_reset_stops_what_runs(world: World) -> None:
    world.call("CreateHyperParameterTuningJob", **tuning())
    jobs = launch(world, 2)
    world.service.reset()
    assert all(job.stopped for job in jobs)
    assert world.call("ListHyperParameterTuningJobs") == {"HyperParameterTuningJobSummaries": []}
