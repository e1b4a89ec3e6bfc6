"""What EventBridge is told of each kind of change, member by member as the examples of AWS's guide have them."""

from __future__ import annotations

from typing import Any

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_runs import launch, start, stop, wait_for, wait_for_end
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, START, World

_ARN = "arn:aws:sagemaker:eu-west-1:123456789012"
_TAGS = [{"Key": "team", "Value": "a"}]
_STATUSES = ("previousPipelineExecutionStatus", "currentPipelineExecutionStatus")


def heard(world: World, kind: str, count: int) -> list[dict[str, Any]]:
    """The details of the events of a kind, once there are so many."""
    wanted = f"SageMaker {kind} Change"
    world.wait_until(lambda: sum(event.detail_type == wanted for event in world.backend.events) >= count)
    found = [event for event in world.backend.events if event.detail_type == wanted]
    assert len(found) == count
    assert {event.scope for event in found} == {SCOPE}
    return [dict(event.detail) for event in found]


def test_a_training_job_tells_every_status(world: World) -> None:
    world.call("CreateTrainingJob", TrainingJobName="job", Tags=_TAGS, **parts.training("unused")["Arguments"])
    job = launch(world)
    job.on_status("Training", "")
    job.on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no", seconds_running=4))
    details = heard(world, "Training Job State", 4)
    assert [(detail["TrainingJobStatus"], detail["SecondaryStatus"]) for detail in details] == [
        ("InProgress", "Starting"),
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("Failed", "Failed"),
    ]
    last = details[-1]
    assert (last["FailureReason"], last["Tags"], last["RoleArn"]) == ("AlgorithmError: no", {"team": "a"}, ROLE)
    assert last["CreationTime"] == START * 1000  # milliseconds
    assert last["SecondaryStatusTransitions"][-1]["EndTime"] == last["TrainingEndTime"]
    event = world.backend.events[-1]
    assert event.resources == [f"{_ARN}:training-job/job"]
    assert event.moment == START + durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD


def test_processing_and_tuning_jobs_tell_theirs(world: World) -> None:
    world.call("CreateProcessingJob", ProcessingJobName="job", **parts.processing("x")["Arguments"])
    launch(world).on_done(JobOutcome("Completed", exit_message="fine"))
    last = heard(world, "Processing Job State", 3)[-1]
    assert (last["ProcessingJobStatus"], last["ExitMessage"]) == ("Completed", "fine")
    world.call("CreateHyperParameterTuningJob", HyperParameterTuningJobName="t", **parts.tuning("x")["Arguments"])
    launch(world, 2)
    for job in world.backend.jobs[-2:]:
        job.on_done(JobOutcome("Completed", metrics=[("auc", 0.5, START)]))
    details = heard(world, "HyperParameter Tuning Job State", 2)
    assert [detail["HyperParameterTuningJobStatus"] for detail in details] == ["InProgress", "Completed"]
    assert details[-1]["TrainingJobStatusCounters"]["Completed"] == 2


def test_an_endpoint_tells_its_status_in_capitals(world: World) -> None:
    world.call(
        "CreateModel",
        ModelName="m",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"},
    )
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    world.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c", Tags=_TAGS)
    world.wait_until(lambda: bool(world.backend.servers))
    world.clock.advance(durations.ENDPOINT_CREATE)
    world.wait_until(lambda: world.call("DescribeEndpoint", EndpointName="e")["EndpointStatus"] == "InService")
    world.service.inject({"name": "e", "status": "SystemUpdating", "seconds": 60})
    details = heard(world, "Endpoint State", 3)
    assert [detail["EndpointStatus"] for detail in details] == ["CREATING", "IN_SERVICE", "SYSTEM_UPDATING"]
    assert (details[0]["EndpointConfigName"], details[0]["Tags"]) == ("c", {"team": "a"})
    assert details[1]["ProductionVariants"][0]["DesiredInstanceCount"] == 1


def test_a_package_tells_what_an_update_was_about(world: World) -> None:
    world.call("CreateModelPackageGroup", ModelPackageGroupName="group")
    arn = world.call("CreateModelPackage", **parts.register("x", "s3://b/m")["Arguments"])["ModelPackageArn"]
    world.call(
        "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="looks good"
    )
    world.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"stage": "live"})
    registered, approved, noted = heard(world, "Model Package State", 3)
    assert "UpdatedModelPackageFields" not in registered
    assert (registered["ModelPackageVersion"], registered["ModelPackageStatus"]) == (1, "Completed")
    assert registered["CreationTime"] == "2027-01-15T08:00:00Z"
    assert approved["ModelApprovalStatus"] == "Approved"
    assert approved["UpdatedModelPackageFields"] == ["ModelApprovalStatus", "ApprovalDescription"]
    assert noted["ModelApprovalStatus"] == "Approved"
    assert noted["UpdatedModelPackageFields"] == ["CustomerMetadataProperties"]
    assert noted["CustomerMetadataProperties"] == {"stage": "live"}


def test_executions_and_steps_tell_their_status_and_the_one_before(world: World) -> None:
    parts.create(world, parts.processing("Prepare"), parts.fail("Fail", "too weak") | {"DependsOn": ["Prepare"]})
    arn = start(world, PipelineExecutionDisplayName="first")
    wait_for(world, arn, Prepare="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for_end(world, arn)
    began, ended = heard(world, "Model Building Pipeline Execution Status", 2)
    assert [began.get(name) for name in _STATUSES] == [None, "Executing"]
    assert [ended.get(name) for name in _STATUSES] == ["Executing", "Failed"]
    assert ended["pipelineExecutionDisplayName"] == "first"
    assert (ended["pipelineArn"], ended["pipelineExecutionArn"]) == (f"{_ARN}:pipeline/pipeline", arn)
    assert "executionEndTime" not in began
    assert "executionEndTime" in ended
    steps = heard(world, "Model Building Pipeline Execution Step Status", 5)
    assert [(s["stepName"], s.get("previousStepStatus"), s["currentStepStatus"]) for s in steps] == [
        ("Prepare", None, "Starting"),
        ("Prepare", "Starting", "Executing"),
        ("Prepare", "Executing", "Succeeded"),
        ("Fail", None, "Starting"),
        ("Fail", "Starting", "Failed"),
    ]
    job = world.backend.jobs[0].spec.arn
    assert steps[2]["metadata"] == {"processingJob": {"arn": job}}
    assert steps[2]["stepType"] == "Processing"
    assert steps[4]["failureReason"] == "too weak"
    assert world.backend.events[-1].resources == [f"{_ARN}:pipeline/pipeline", arn]


def test_a_stop_tells_both_of_its_statuses(world: World) -> None:
    parts.create(world, parts.processing("Prepare"))
    arn = start(world)
    wait_for(world, arn, Prepare="Executing")
    launch(world)
    stop(world, arn)
    wait_for_end(world, arn)
    details = heard(world, "Model Building Pipeline Execution Status", 3)
    assert [detail["currentPipelineExecutionStatus"] for detail in details] == ["Executing", "Stopping", "Stopped"]
