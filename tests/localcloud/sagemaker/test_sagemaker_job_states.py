"""Jobs as state machines, on a clock that moves only when told."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, START, World

BILLED_BEFORE = int(durations.JOB_IMAGE_DOWNLOAD)


def training(**members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://bucket/train",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {"num_round": "5"},
        **members,
    }


def processing(**members: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", "pass"]},
        "ProcessingInputs": [
            {
                "InputName": "in",
                "S3Input": {
                    "S3Uri": "s3://bucket/in",
                    "S3DataType": "S3Prefix",
                    "LocalPath": "/opt/ml/processing/input/in",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://bucket/out",
                        "LocalPath": "/opt/ml/processing/output/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        **members,
    }


def describe(world: World) -> dict[str, Any]:
    return world.call("DescribeTrainingJob", TrainingJobName="job")


def launch(world: World, **members: Any) -> Any:
    """Create the job and let its process start."""
    world.call("CreateTrainingJob", **training(**members))
    world.clock.advance(durations.JOB_STARTING)
    world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
    return world.backend.jobs[-1]


def test_a_training_job_from_start_to_end(world: World) -> None:
    created = world.call("CreateTrainingJob", **training())
    assert created["TrainingJobArn"].endswith(":training-job/job")
    assert (describe(world)["TrainingJobStatus"], describe(world)["SecondaryStatus"]) == ("InProgress", "Starting")
    assert "TrainingStartTime" not in describe(world)
    world.clock.advance(durations.JOB_STARTING)
    assert describe(world)["SecondaryStatus"] == "Downloading"
    world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
    job = world.backend.jobs[0]
    job.on_status("Starting", "again")  # the executor's own first word is not a step back
    job.on_status("Downloading", "Downloading input data")
    world.clock.advance(10)
    job.on_status("Training", "Training image download completed. Training in progress.")
    assert describe(world)["SecondaryStatus"] == "Training"
    world.clock.advance(20)
    job.on_status("Uploading", "Uploading generated training model")
    job.on_done(
        JobOutcome(
            "Completed",
            artifact_uri="s3://bucket/out/job/output/model.tar.gz",
            seconds_running=42.4,
            metrics=[("loss", 0.9, START), ("loss", 0.25, START + 1)],
            secondary_status="Completed",
        )
    )
    done = describe(world)
    assert [step["Status"] for step in done["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    steps = done["SecondaryStatusTransitions"]
    assert all(a["EndTime"] == b["StartTime"] for a, b in pairwise(steps))
    assert steps[1]["StatusMessage"] == "Downloading input data"
    assert steps[4]["StatusMessage"] == "Training job completed"
    assert done["TrainingJobStatus"] == done["SecondaryStatus"] == "Completed"
    assert done["ModelArtifacts"] == {"S3ModelArtifacts": "s3://bucket/out/job/output/model.tar.gz"}
    assert done["FinalMetricDataList"] == [{"MetricName": "loss", "Value": 0.25, "Timestamp": START + 1}]
    assert done["TrainingStartTime"] == START + durations.JOB_STARTING
    assert done["TrainingEndTime"] > done["TrainingStartTime"]
    assert done["TrainingTimeInSeconds"] == done["BillableTimeInSeconds"] == BILLED_BEFORE + 43
    assert done["EnableManagedSpotTraining"] is False
    assert "Tags" not in done


def test_what_the_executor_is_told(world: World) -> None:
    job = launch(
        world,
        Environment={"A": "b"},
        EnableNetworkIsolation=True,
        CheckpointConfig={"S3Uri": "s3://bucket/check"},
    )
    spec = job.spec
    assert (spec.kind, spec.name, spec.region, spec.account) == ("training", "job", "eu-west-1", "123456789012")
    assert spec.hyperparameters == {"num_round": "5"}
    assert spec.environment == {"A": "b"}
    assert spec.network_isolation
    assert spec.checkpoint == ("s3://bucket/check", "")
    assert spec.max_runtime_seconds == 600
    assert (spec.instance_type, spec.instance_count) == ("ml.m5.large", 2)
    assert [(i.name, i.s3_uri, i.content_type, i.mode) for i in spec.inputs] == [
        ("train", "s3://bucket/train", "text/csv", "File"),
    ]


def test_what_changes_little_here_is_taken(world: World) -> None:
    """Encryption between hosts has nothing to encrypt; output may be plain files."""
    job = launch(
        world,
        EnableInterContainerTrafficEncryption=True,
        OutputDataConfig={"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"},
    )
    assert not job.spec.compress_output
    assert describe(world)["EnableInterContainerTrafficEncryption"] is True


def test_a_failure_of_the_service_is_retried_as_often_as_asked(world: World) -> None:
    job = launch(world, RetryStrategy={"MaximumRetryAttempts": 1})
    for attempt in (1, 2):
        job.on_status("Training", "")
        failed = JobOutcome(
            "Failed",
            failure_reason="InternalServerError: no luck",
            secondary_status="Failed",
            metrics=[("loss", attempt, 1.0)],
            seconds_running=10,
        )
        job.on_done(failed)
        if attempt == 1:
            assert (describe(world)["TrainingJobStatus"], describe(world)["SecondaryStatus"]) == (
                "InProgress",
                "Starting",
            )
            world.clock.advance(durations.JOB_STARTING)
            world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
            job = world.backend.jobs[-1]
            assert job.spec.max_runtime_seconds == 590
    done = describe(world)
    assert (done["TrainingJobStatus"], done["FailureReason"]) == ("Failed", "InternalServerError: no luck")
    assert [each["Status"] for each in done["SecondaryStatusTransitions"]] == [
        *["Starting", "Downloading", "Training"] * 2,
        "Failed",
    ]
    assert done["TrainingTimeInSeconds"] == 2 * (BILLED_BEFORE + 10)
    assert done["FinalMetricDataList"][0]["Value"] == 2
    assert len(world.backend.jobs) == 2


def test_other_failures_are_not_retried(world: World) -> None:
    job = launch(world, RetryStrategy={"MaximumRetryAttempts": 3})
    job.on_done(JobOutcome("Failed", failure_reason="AlgorithmError: , exit code: 1", secondary_status="Failed"))
    assert describe(world)["TrainingJobStatus"] == "Failed"


def test_a_failure_carries_its_reason(world: World) -> None:
    job = launch(world)
    job.on_done(JobOutcome("Failed", failure_reason="AlgorithmError: " + "x" * 2000, secondary_status="Failed"))
    done = describe(world)
    assert done["TrainingJobStatus"] == done["SecondaryStatus"] == "Failed"
    assert done["FailureReason"] == ("AlgorithmError: " + "x" * 2000)[:1024]
    assert "ModelArtifacts" not in done


def test_max_runtime_exceeded_is_a_stopped_job(world: World) -> None:
    job = launch(world)
    job.on_done(JobOutcome("Stopped", secondary_status="MaxRuntimeExceeded", artifact_uri="s3://b/m.tar.gz"))
    done = describe(world)
    assert (done["TrainingJobStatus"], done["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert done["ModelArtifacts"]


def test_stop_before_the_instances_are_up(world: World) -> None:
    world.call("CreateTrainingJob", **training())
    assert world.call("StopTrainingJob", TrainingJobName="job") == {}
    assert (describe(world)["TrainingJobStatus"], describe(world)["SecondaryStatus"]) == ("Stopping", "Stopping")
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    done = describe(world)
    assert done["TrainingJobStatus"] == "Stopped"
    assert world.backend.jobs == []
    assert "BillableTimeInSeconds" not in done
    assert world.meter.snapshot() == []


def test_stop_while_running(world: World) -> None:
    job = launch(world)
    job.on_status("Training", "")
    world.call("StopTrainingJob", TrainingJobName="job")
    assert job.stopped
    done = describe(world)
    assert done["TrainingJobStatus"] == done["SecondaryStatus"] == "Stopped"
    assert done["BillableTimeInSeconds"] == BILLED_BEFORE + 5


def test_stop_of_a_finished_job_is_refused(world: World) -> None:
    launch(world).on_done(JobOutcome("Completed"))
    error = world.refusal("StopTrainingJob", TrainingJobName="job")
    assert error.code == "ValidationException"
    assert error.message == "The request was rejected because the training job is in status Completed."


def test_a_name_is_taken_until_the_job_is_deleted(world: World) -> None:
    job = launch(world)
    taken = world.refusal("CreateTrainingJob", **training())
    assert taken.code == "ResourceInUse"
    assert taken.message == (
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        "(arn:aws:sagemaker:eu-west-1:123456789012:training-job/job)"
    )
    assert world.refusal("DeleteTrainingJob", TrainingJobName="job").code == "ResourceInUse"
    job.on_done(JobOutcome("Completed"))
    world.call("DeleteTrainingJob", TrainingJobName="job")
    assert describe(world)["TrainingJobStatus"] == "Deleting"
    world.clock.advance(durations.JOB_DELETE)
    gone = world.refusal("DescribeTrainingJob", TrainingJobName="job")
    assert (gone.code, gone.message) == ("ValidationException", "Requested resource not found.")
    world.call("CreateTrainingJob", **training())


def test_spot_training_is_billed_for_less_than_it_runs(world: World) -> None:
    job = launch(
        world,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    )
    job.on_done(JobOutcome("Completed", seconds_running=70.0))
    done = describe(world)
    assert done["TrainingTimeInSeconds"] == 100
    assert done["BillableTimeInSeconds"] == 30
    assert world.meter.snapshot()[0]["seconds"] == 30


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 599},
            },
            "greater than or equal",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600}}, "only supported when"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
                    "TrainingInputMode": "File",
                },
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 3601},
            },
            "must not be greater than 3600 for the algorithm linear-learner, which does not support checkpoints",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "TrainingImage"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large"}}, "InstanceCount, VolumeSizeInGB"),
        ({"InputDataConfig": training()["InputDataConfig"] * 2}, "Duplicate channel name 'train'"),
    ],
)
def test_what_a_training_job_must_say(world: World, members: dict[str, Any], text: str) -> None:
    error = world.refusal("CreateTrainingJob", **training(**members))
    assert error.code == "ValidationException"
    assert text in error.message


def test_the_meter_counts_instances_times_seconds_once(world: World) -> None:
    job = launch(world, Tags=[{"Key": "team", "Value": "a"}])
    assert world.meter.snapshot() == []
    job.on_done(JobOutcome("Completed", seconds_running=70.0))
    world.clock.advance(10_000)
    [line] = world.meter.snapshot()
    assert (line["kind"], line["rate_key"], line["quantity"], line["seconds"], line["running"]) == (
        "training-instance",
        "ml.m5.large training",
        2,
        100,
        False,
    )
    assert line["tags"] == {"team": "a"}


def test_pass_role_and_tagging_are_asked_of_the_caller(world: World) -> None:
    world.call("CreateTrainingJob", **training(Tags=[{"Key": "team", "Value": "a"}]))
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/job"
    tagging = {"aws:RequestTag/team": "a", "aws:TagKeys": ["team"], "sagemaker:TaggingAction": "CreateTrainingJob"}
    assert world.backend.asked == [
        ("sagemaker:AddTags", arn, tagging),
        ("iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    ]
    world.backend.denied = {"iam:PassRole"}
    error = world.refusal("CreateTrainingJob", **training(TrainingJobName="other"))
    assert error.code == "AccessDeniedException"
    assert "iam:PassRole" in error.message


def test_a_processing_job_from_start_to_end(world: World) -> None:
    world.call("CreateProcessingJob", **processing(StoppingCondition={"MaxRuntimeInSeconds": 60}))
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    job = world.backend.jobs[0]
    assert job.spec.kind == "processing"
    assert job.spec.entrypoint == ["python3", "-c", "pass"]
    assert job.spec.max_runtime_seconds == 60
    assert [(o.name, o.s3_uri, o.local_path) for o in job.spec.outputs] == [
        ("out", "s3://bucket/out", "/opt/ml/processing/output/out"),
    ]
    job.on_done(JobOutcome("Completed", exit_message="fine", seconds_running=1))
    done = world.call("DescribeProcessingJob", ProcessingJobName="job")
    assert done["ProcessingJobStatus"] == "Completed"
    assert done["ExitMessage"] == "fine"
    assert done["ProcessingEndTime"] >= done["ProcessingStartTime"]
    assert world.meter.snapshot()[0]["rate_key"] == "ml.m5.large processing"
    world.call("DeleteProcessingJob", ProcessingJobName="job")
    gone = world.refusal("DescribeProcessingJob", ProcessingJobName="job")
    assert gone.message == "Could not find requested job with name: job"


def test_a_processing_path_outside_its_root_is_refused(world: World) -> None:
    request = processing()
    request["ProcessingInputs"][0]["S3Input"]["LocalPath"] = "/etc"
    assert "/opt/ml/processing/" in world.refusal("CreateProcessingJob", **request).message


def test_lists_filter_by_status(world: World) -> None:
    launch(world).on_done(JobOutcome("Completed"))
    world.call("CreateTrainingJob", **training(TrainingJobName="second"))
    listed = world.call("ListTrainingJobs", StatusEquals="InProgress")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == ["second"]
    both = world.call("ListTrainingJobs")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in both] == ["job", "second"]  # ascending by default


def test_a_job_that_cannot_be_launched_fails_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(world.backend, "start_job", broken)
    world.call("CreateTrainingJob", **training())
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    assert describe(world)["FailureReason"] == "InternalServerError: [localcloud] no room"


def test_reset_stops_what_runs(world: World) -> None:
    job = launch(world)
    world.service.reset()
    assert job.stopped
    assert world.call("ListTrainingJobs") == {"TrainingJobSummaries": []}
