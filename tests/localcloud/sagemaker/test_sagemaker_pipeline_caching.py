"""What pipelines do not do twice: results of earlier executions are used again, by AWS's keys."""

from __future__ import annotations

from localcloud.jobs.spec import JobOutcome
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import get
from tests.localcloud.sagemaker.pipeline_repeats import (
    CACHED,
    DATA,
    DAY,
    environment,
    run,
    run_without_parameters,
    two,
)
from tests.localcloud.sagemaker.pipeline_runs import (
    launch,
    start,
    step,
    wait_for,
    wait_for_end,
)
from tests.localcloud.sagemaker.scripted_backend import World


def test_a_step_with_the_same_attributes_is_not_run_again(world: World) -> None:
    two(world)
    first = run(world, "a", jobs=2)
    second = run(world, "b", jobs=1)
    found = step(world, second, "Prepare")
    assert (found["StepStatus"], found["CacheHitResult"]) == ("Succeeded", {"SourcePipelineExecutionArn": first})
    assert found["Metadata"] == step(world, first, "Prepare")["Metadata"]
    assert "CacheHitResult" not in step(world, first, "Prepare")
    assert "CacheHitResult" not in step(world, second, "Train")
    # the result that is used again stays as old as it is, and an execution that used it is no source of it
    third = run(world, "c", jobs=1)
    assert step(world, third, "Prepare")["CacheHitResult"] == {"SourcePipelineExecutionArn": first}


def test_a_result_is_used_again_although_its_job_was_deleted(world: World) -> None:
    report = get("Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")
    train = parts.training("Train", Arguments={"HyperParameters": {"data": report}})
    parts.create(world, parts.processing("Prepare", **CACHED), train)
    run_without_parameters(world, "a", prepare=True)
    job = world.backend.jobs[0].spec.name
    world.call("DeleteProcessingJob", ProcessingJobName=job)
    world.clock.advance(60)
    again = run_without_parameters(world, "b", prepare=False)
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
    two(world)
    run(world, "a", jobs=2)
    run(world, "b", jobs=2, data="2")
    world.clock.advance(2 * DAY)
    last = run(world, "c", jobs=2)
    assert "CacheHitResult" not in step(world, last, "Prepare")


def test_attributes_that_do_not_count_change_nothing(world: World) -> None:
    two(world)
    run(world, "a", jobs=2)
    larger = {"ClusterConfig": {"InstanceType": "ml.m5.4xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}}
    prepare = parts.processing("Prepare", **environment(version=get("Parameters.data")), **CACHED)
    prepare["Arguments"]["ProcessingResources"] = larger
    definition = parts.document(prepare, parts.training("Train", DependsOn=["Prepare"]), parameters=DATA)
    world.call("UpdatePipeline", PipelineName="pipeline", PipelineDefinition=definition)
    assert "CacheHitResult" in step(world, run(world, "b", jobs=1), "Prepare")


def test_results_of_an_execution_that_failed_later(world: World) -> None:
    two(world)
    run(world, "a", jobs=2, train="Failed")
    run(world, "b", jobs=1, train="Failed")
    world.switches.set({"step-cache": "succeeded-executions"})
    run(world, "c", jobs=2)
    run(world, "d", jobs=1)


def test_failed_steps_are_never_used_again(world: World) -> None:
    parts.create(world, parts.processing("Prepare", **CACHED))
    for token in "ab":
        arn = start(world, token=token)
        wait_for(world, arn, Prepare="Executing")
        launch(world).on_done(JobOutcome("Failed", failure_reason="AlgorithmError: no"))
        wait_for_end(world, arn)
    assert len(world.backend.jobs) == 2


def test_a_step_of_a_type_that_is_not_cached_says_so(world: World) -> None:
    refused = world.refusal(
        "CreatePipeline",
        PipelineName="pipeline",
        PipelineDefinition=parts.document(parts.fail("Stop", "no") | CACHED),
        ClientRequestToken="c" * 32,
        RoleArn=parts.PIPELINE_ROLE,
    )
    assert refused.message == "[localcloud] CreatePipeline: step Stop: CacheConfig is not supported yet"
