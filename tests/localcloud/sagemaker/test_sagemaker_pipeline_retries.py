"""What pipelines try again: a failed execution where it failed, and a step by its policies."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import errors
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_repeats import (
    retry,
)
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
