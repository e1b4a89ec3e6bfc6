"""What pipelines do not do twice, and what they try again: caching, retries, selective executions, versions."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import errors
from localcloud.sagemaker.core import Operation
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import get
from tests.localcloud.sagemaker.pipeline_runs import (
    describe,
    launch,
    start,
    step,
    steps,
    stop,
    wait_for,
    wait_for_end,
)
from tests.localcloud.sagemaker.scripted_backend import World

_DAY = 86400.0
_CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P2D"}}
_DATA = [{"Name": "data", "Type": "String", "DefaultValue": "1"}]


def _environment(**values: Any) -> dict[str, Any]:
    return {"Arguments": {"Environment": values}}


def _two(world: World) -> None:
    """Prepare, cached, and Train, which needs it."""
    train = parts.training("Train", DependsOn=["Prepare"])
    prepare = parts.processing("Prepare", **_environment(version=get("Parameters.data")), **_CACHED)
    parts.create(world, prepare, train, parameters=_DATA)


def _run(world: World, token: str, jobs: int, train: str = "Completed", data: str = "1") -> str:
    """An execution in which ``jobs`` jobs are launched one after the other; the last is Train and ends so."""
    arn = start(world, token=token, PipelineParameters=[{"Name": "data", "Value": data}])
    if jobs == 2:
        wait_for(world, arn, Prepare="Executing")
        launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, arn, Train="Executing")
    launch(world).on_done(JobOutcome(train, failure_reason="AlgorithmError: no" if train == "Failed" else None))  # type: ignore[arg-type]  # a JobStatus
    wait_for_end(world, arn)
    return arn


def _run_without_parameters(world: World, token: str, prepare: bool) -> str:
    arn = start(world, token=token)
    if prepare:
        wait_for(world, arn, Prepare="Executing")
        launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, arn, Train="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for_end(world, arn)
    return arn


def retry(world: World, arn: str) -> None:
    world.call("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="r" * 32)


def selective(world: World, source: str | None, *names: str, **members: Any) -> dict[str, Any]:
    config = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source:
        config["SourcePipelineExecutionArn"] = source  # type: ignore[assignment]  # a text beside a list
    return {"SelectiveExecutionConfig": config, **members}


def test_a_step_with_the_same_attributes_is_not_run_again(world: World) -> None:
    _two(world)
    first = _run(world, "a", jobs=2)
    second = _run(world, "b", jobs=1)
    found = step(world, second, "Prepare")
    assert (found["StepStatus"], found["CacheHitResult"]) == ("Succeeded", {"SourcePipelineExecutionArn": first})
    assert found["Metadata"] == step(world, first, "Prepare")["Metadata"]
    assert "CacheHitResult" not in step(world, first, "Prepare")
    assert "CacheHitResult" not in step(world, second, "Train")
    # the result that is used again stays as old as it is, and an execution that used it is no source of it
    third = _run(world, "c", jobs=1)
    assert step(world, third, "Prepare")["CacheHitResult"] == {"SourcePipelineExecutionArn": first}


def test_a_result_is_used_again_although_its_job_was_deleted(world: World) -> None:
    report = get("Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")
    train = parts.training("Train", Arguments={"HyperParameters": {"data": report}})
    parts.create(world, parts.processing("Prepare", **_CACHED), train)
    _run_without_parameters(world, "a", prepare=True)
    job = world.backend.jobs[0].spec.name
    world.call("DeleteProcessingJob", ProcessingJobName=job)
    world.clock.advance(60)
    again = _run_without_parameters(world, "b", prepare=False)
    assert "CacheHitResult" in step(world, again, "Prepare")
    assert world.backend.jobs[-1].spec.hyperparameters == {"data": "s3://bucket/Prepare"}


def test_the_role_of_a_pipeline_must_be_able_to_look_at_its_jobs(world: World) -> None:
    parts.create(world, parts.processing("Prepare"))
    world.backend.denied.add("sagemaker:DescribeProcessingJob")
    arn = start(world)
    wait_for(world, arn, Prepare="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for_end(world, arn)
    reason = step(world, arn, "Prepare")["FailureReason"]
    assert reason.startswith(
        "ClientError: Failed to invoke sagemaker:DescribeProcessingJob. Error Details: User is not"
    )


def test_another_attribute_or_too_old_a_result_runs_again(world: World) -> None:
    _two(world)
    _run(world, "a", jobs=2)
    _run(world, "b", jobs=2, data="2")
    world.clock.advance(2 * _DAY)
    last = _run(world, "c", jobs=2)
    assert "CacheHitResult" not in step(world, last, "Prepare")


def test_attributes_that_do_not_count_change_nothing(world: World) -> None:
    _two(world)
    _run(world, "a", jobs=2)
    larger = {"ClusterConfig": {"InstanceType": "ml.m5.4xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}}
    prepare = parts.processing("Prepare", **_environment(version=get("Parameters.data")), **_CACHED)
    prepare["Arguments"]["ProcessingResources"] = larger
    definition = parts.document(prepare, parts.training("Train", DependsOn=["Prepare"]), parameters=_DATA)
    world.call("UpdatePipeline", PipelineName="pipeline", PipelineDefinition=definition)
    assert "CacheHitResult" in step(world, _run(world, "b", jobs=1), "Prepare")


def test_results_of_an_execution_that_failed_later(world: World) -> None:
    _two(world)
    _run(world, "a", jobs=2, train="Failed")
    _run(world, "b", jobs=1, train="Failed")
    world.switches.set({"step-cache": "succeeded-executions"})
    _run(world, "c", jobs=2)
    _run(world, "d", jobs=1)


def test_failed_steps_are_never_used_again(world: World) -> None:
    parts.create(world, parts.processing("Prepare", **_CACHED))
    for token in "ab":
        arn = start(world, token=token)
        wait_for(world, arn, Prepare="Executing")
        launch(world).on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no"))
        wait_for_end(world, arn)
    assert len(world.backend.jobs) == 2


def test_a_retried_execution_goes_on_where_it_failed(world: World) -> None:
    parts.create(world, parts.processing("Prepare"), parts.training("Train", DependsOn=["Prepare"]))
    arn = start(world)
    wait_for(world, arn, Prepare="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, arn, Train="Executing")
    assert world.refusal("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="r" * 32).code == (
        "ConflictException"
    )
    failed = launch(world)
    failed.on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no"))
    assert "FailureReason" in wait_for_end(world, arn)
    prepared = step(world, arn, "Prepare")
    retry(world, arn)
    retry(world, arn)  # the same call once more
    wait_for(world, arn, Train="Executing")
    assert "FailureReason" not in describe(world, arn)
    assert step(world, arn, "Train")["AttemptCount"] == 2
    again = launch(world)
    assert again.spec.name != failed.spec.name
    assert again.spec.name.endswith("-1")  # the number of failures
    again.on_done(JobOutcome("Completed"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert step(world, arn, "Prepare") == prepared
    assert len(world.backend.jobs) == 3
    assert world.refusal("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="q" * 32).code == (
        "ConflictException"
    )


def test_what_a_fail_step_ended_is_not_retried(world: World) -> None:
    parts.create(world, parts.fail("Enough", "enough"))
    arn = start(world)
    wait_for_end(world, arn)
    refused = world.refusal("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="r" * 32)
    assert refused.code == "ConflictException"
    assert "ended with Fail step Enough and cannot be retried" in refused.message


def test_a_stopped_execution_is_retried_too(world: World) -> None:
    parts.create(world, parts.processing("Prepare"))
    arn = start(world)
    wait_for(world, arn, Prepare="Executing")
    launch(world)
    stop(world, arn)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    retry(world, arn)
    wait_for(world, arn, Prepare="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Succeeded"


def test_a_policy_tries_a_job_again_that_failed_by_the_services_fault(world: World) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 30, "MaxAttempts": 2}
    parts.create(world, parts.training("Train", RetryPolicies=[policy]))
    arn = start(world)
    for attempt, wait in ((1, 30.0), (2, 60.0), (3, 0.0)):
        wait_for(world, arn, Train="Executing")
        world.wait_until(lambda: world.clock.pending("settle") > 0)
        launch(world).on_done(JobOutcome("Failed", failure_reason="InternalServerError: try again"))
        if wait:
            world.wait_until(lambda: world.clock.pending("settle") == 1)
            assert step(world, arn, "Train")["AttemptCount"] == attempt + 1
            world.clock.advance(wait - 1)
            assert len(world.backend.jobs) == attempt
            world.clock.advance(1)
    reason = step(world, arn, "Train")["FailureReason"]
    assert (wait_for_end(world, arn)["PipelineExecutionStatus"], reason) == (
        "Failed",
        "ClientError: InternalServerError: try again",
    )
    assert step(world, arn, "Train")["AttemptCount"] == 3
    assert len({job.spec.name for job in world.backend.jobs}) == 3


def test_a_failure_that_no_policy_names_ends_the_step(world: World) -> None:
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "ExpireAfterMin": 60}
    parts.create(world, parts.training("Train", RetryPolicies=[policy]))
    arn = start(world)
    wait_for(world, arn, Train="Executing")
    launch(world).on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no"))
    wait_for_end(world, arn)
    assert step(world, arn, "Train")["AttemptCount"] == 1


def test_throttled_calls_are_made_again_without_a_policy_and_given_up_with_one(world: World) -> None:
    throttled = errors.ServiceError("ThrottlingException", "Rate exceeded")
    world.backend.refusals["CreateTrainingJob"] = [throttled, throttled]
    parts.create(world, parts.training("Train"))
    arn = start(world)
    for number in (1, 2):
        world.wait_until(lambda: world.clock.pending("settle") == 1)
        world.clock.advance(number)
    wait_for(world, arn, Train="Executing")
    assert step(world, arn, "Train")["AttemptCount"] == 3
    never = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 0}
    definition = parts.document(parts.training("Train", RetryPolicies=[never]))
    world.call("UpdatePipeline", PipelineName="pipeline", PipelineDefinition=definition)
    world.backend.refusals["CreateTrainingJob"] = [throttled]
    second = start(world, token="b")
    assert wait_for_end(world, second)["PipelineExecutionStatus"] == "Failed"
    assert "Rate exceeded" in step(world, second, "Train")["FailureReason"]


def test_a_stop_ends_a_step_that_waits_to_be_tried_again(world: World) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 3600}
    parts.create(world, parts.training("Train", RetryPolicies=[policy]))
    arn = start(world)
    wait_for(world, arn, Train="Executing")
    launch(world).on_done(JobOutcome("Failed", failure_reason="InternalServerError: try again"))
    world.wait_until(lambda: world.clock.pending("settle") == 1)
    stop(world, arn)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert steps(world, arn) == {"Train": "Stopped"}
    world.clock.advance(7200)
    assert len(world.backend.jobs) == 1


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("CacheConfig", {"Enabled": True}, "CacheConfig.ExpireAfter ''"),
        ("CacheConfig", {"Enabled": True, "ExpireAfter": "soon"}, "CacheConfig.ExpireAfter 'soon'"),
        ("RetryPolicies", [{"ExceptionType": ["Step.ANY"]}], "ExceptionType 'Step.ANY' is not one of"),
        (
            "RetryPolicies",
            [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 1, "ExpireAfterMin": 1}],
            "only one of MaxAttempts and ExpireAfterMin",
        ),
        ("RetryPolicies", [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}], "is not between 0 and 20"),
    ],
)
def test_what_a_definition_says_about_repetition_is_checked(world: World, member: str, value: Any, text: str) -> None:
    refused = world.refusal(
        "CreatePipeline",
        PipelineName="pipeline",
        PipelineDefinition=parts.document(parts.training("Train", **{member: value})),
        ClientRequestToken="c" * 32,
        RoleArn=parts.PIPELINE_ROLE,
    )
    assert text in refused.message


def test_a_step_of_a_type_that_is_not_cached_says_so(world: World) -> None:
    refused = world.refusal(
        "CreatePipeline",
        PipelineName="pipeline",
        PipelineDefinition=parts.document(parts.fail("Stop", "no") | _CACHED),
        ClientRequestToken="c" * 32,
        RoleArn=parts.PIPELINE_ROLE,
    )
    assert refused.message == "[localcloud] CreatePipeline: step Stop: CacheConfig is not supported yet"


def test_a_selective_execution_takes_over_what_it_needs(world: World) -> None:
    train = parts.training(
        "Train",
        Arguments={
            "HyperParameters": {"data": get("Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")}
        },
    )
    parts.create(world, parts.processing("Prepare"), train, parts.processing("After", DependsOn=["Train"]))
    source = start(world)
    wait_for(world, source, Prepare="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, source, Train="Executing")
    launch(world).on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no"))
    wait_for_end(world, source)
    arn = start(world, token="b", **selective(world, source, "Train"))
    wait_for(world, arn, Train="Executing")
    job = launch(world)
    assert job.spec.hyperparameters == {"data": "s3://bucket/Prepare"}
    job.on_done(JobOutcome("Completed"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert steps(world, arn) == {"Prepare": "Succeeded", "Train": "Succeeded"}  # After does not run
    taken = step(world, arn, "Prepare")
    assert taken["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert describe(world, arn)["SelectiveExecutionConfig"]["SelectedSteps"] == [{"StepName": "Train"}]


def test_selected_steps_must_hang_together_and_have_what_they_need(world: World) -> None:
    steps_ = [parts.processing(name, DependsOn=list(after)) for name, after in (("A", ""), ("B", "A"), ("C", "B"))]
    parts.create(world, *steps_)

    def refused(source: str | None, *names: str) -> str:
        return world.refusal(
            "StartPipelineExecution",
            PipelineName="pipeline",
            ClientRequestToken="x" * 32,
            **selective(world, source, *names),
        ).message

    assert "['B'] stand between selected steps" in refused(None, "A", "C")
    assert "'D' does not exist" in refused(None, "D")
    assert refused(None, "B") == (
        "Invalid SourcePipelineExecutionArn: null. The selected steps [B] have dependencies on [A]"
    )
    running = start(world, token="a")
    assert "is in status Executing" in refused(running, "B")
    wait_for(world, running, A="Executing")
    launch(world).on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no"))
    wait_for_end(world, running)
    assert "step 'A' has not succeeded" in refused(running, "B")
    # nothing before it: nothing to take over
    wait_for(world, start(world, token="b", **selective(world, None, "A")), A="Executing")


def test_another_number_of_steps_at_a_time_and_another_name(world: World) -> None:
    parts.create(world, *[parts.processing(f"P{number}") for number in range(3)])
    arn = start(world, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    wait_for(world, arn, P0="Executing")
    assert len(steps(world, arn)) == 1
    world.call(
        "UpdatePipelineExecution",
        PipelineExecutionArn=arn,
        PipelineExecutionDisplayName="mine",
        PipelineExecutionDescription="all of it",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
    )
    wait_for(world, arn, P1="Executing", P2="Executing")
    found = describe(world, arn)
    assert (found["PipelineExecutionDisplayName"], found["PipelineExecutionDescription"]) == ("mine", "all of it")
    assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}


def test_each_definition_is_a_version(world: World) -> None:
    parts.create(world, parts.fail("First", "one"))
    changed = world.call("UpdatePipeline", PipelineName="pipeline", PipelineDescription="only this")
    assert changed["PipelineVersionId"] == 1
    world.clock.advance(10)
    second = parts.document(parts.fail("Second", "two"))
    made = world.call(
        "UpdatePipeline", PipelineName="pipeline", PipelineDefinition=second, PipelineVersionAliases=["live"]
    )
    assert made["PipelineVersionId"] == 2
    arn = made["PipelineArn"]
    # each runs when it is asked for
    asked: dict[str, Any]
    for token, asked, name in (
        ("a", {}, "Second"),
        ("b", {"PipelineVersionId": 1}, "First"),
        ("c", {"PipelineVersionAlias": "live"}, "Second"),
    ):
        execution = start(world, token=token, **asked)
        wait_for_end(world, execution)
        assert list(steps(world, execution)) == [name]
    shown = world.call("DescribePipeline", PipelineName="pipeline", PipelineVersionId=1)
    assert '"First"' in shown["PipelineDefinition"]
    assert shown["PipelineDescription"] == "only this"
    taken = world.refusal(
        "UpdatePipelineVersion",
        PipelineArn=arn,
        PipelineVersionId=1,
        PipelineVersionAliasOperations={"Add": ["live"]},
    )
    assert taken.code == "ConflictException"
    world.call(
        "UpdatePipelineVersion",
        PipelineArn=arn,
        PipelineVersionId=2,
        PipelineVersionDisplayName="the-better-one",
        PipelineVersionAliasOperations={"Add": ["next"], "Remove": ["live"]},
    )
    newest, oldest = world.call("ListPipelineVersions", PipelineName="pipeline")["PipelineVersionSummaries"]
    assert (newest["PipelineVersionId"], newest["PipelineVersionAliases"]) == (2, ["next"])
    assert newest["PipelineVersionDisplayName"] == "the-better-one"
    assert oldest["LastExecutionPipelineExecutionArn"] != newest["LastExecutionPipelineExecutionArn"]
    missing = world.refusal(
        "StartPipelineExecution", PipelineName="pipeline", ClientRequestToken="x" * 32, PipelineVersionAlias="live"
    )
    assert missing.code == "ResourceNotFound"


def test_a_definition_may_lie_in_s3(world: World) -> None:
    world.backend.objects["s3://bucket/p.json"] = parts.document(parts.fail("Stop", "no")).encode()
    asked = {"PipelineName": "pipeline", "ClientRequestToken": "c" * 32, "RoleArn": parts.PIPELINE_ROLE}
    missing = {"Bucket": "bucket", "ObjectKey": "missing.json"}
    refused = world.refusal("CreatePipeline", PipelineDefinitionS3Location=missing, **asked)
    assert "NoSuchKey" in refused.message
    world.call("CreatePipeline", PipelineDefinitionS3Location={"Bucket": "bucket", "ObjectKey": "p.json"}, **asked)
    assert '"Stop"' in world.call("DescribePipeline", PipelineName="pipeline")["PipelineDefinition"]


def test_a_group_that_two_executions_make_at_once(world: World) -> None:
    served = world.service.operations["CreateModelPackageGroup"]

    def second(request: Any) -> dict[str, Any]:
        served.handle(request)
        return served.handle(request)

    world.service.operations["CreateModelPackageGroup"] = Operation(second, served.supported, served.resource)
    parts.create(world, parts.register("Register", "s3://bucket/m.tar.gz"))
    assert wait_for_end(world, start(world))["PipelineExecutionStatus"] == "Succeeded"
