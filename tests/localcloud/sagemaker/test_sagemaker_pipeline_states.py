"""Pipeline executions as state machines: order, branches, failures, stops, on a clock that moves only when told."""

from __future__ import annotations

import json
import re

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import PIPELINE_ROLE, get
from tests.localcloud.sagemaker.pipeline_runs import (
    delete,
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

_TAGS = [{"Key": "team", "Value": "a"}]


def test_two_steps_follow_each_other(world: World) -> None:
    parameters = [{"Name": "rounds", "Type": "Integer", "DefaultValue": 3}]
    train = parts.training(
        "Train",
        Arguments={
            "HyperParameters": {
                "num_round": get("Parameters.rounds"),
                "data": get("Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"),
            }
        },
    )
    parts.create(world, parts.processing("Prepare"), train, parameters=parameters, Tags=_TAGS)
    arn = start(world, PipelineParameters=[{"Name": "rounds", "Value": "7"}])
    assert re.fullmatch(r"arn:aws:sagemaker:eu-west-1:123456789012:pipeline/pipeline/execution/[a-z0-9]{12}", arn)
    wait_for(world, arn, Prepare="Executing")
    assert steps(world, arn) == {"Prepare": "Executing"}
    prepare = launch(world)
    execution_id = arn.rpartition("/")[2]
    assert re.fullmatch(rf"pipelines-{execution_id}-Prepare-[A-Za-z0-9]{{10}}", prepare.spec.name)
    assert world.call("ListTags", ResourceArn=prepare.spec.arn)["Tags"] == _TAGS
    prepare.on_done(JobOutcome("Completed"))
    wait_for(world, arn, Prepare="Succeeded", Train="Executing")
    train_job = launch(world)
    # parameters are typed, hyperparameters are text
    assert train_job.spec.hyperparameters == {"num_round": "7", "data": "s3://bucket/Prepare"}
    assert step(world, arn, "Train")["Metadata"] == {"TrainingJob": {"Arn": train_job.spec.arn}}
    train_job.on_done(JobOutcome("Completed"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Succeeded"
    listed = world.call("ListPipelineExecutions", PipelineName="pipeline")["PipelineExecutionSummaries"]
    assert [execution["PipelineExecutionStatus"] for execution in listed] == ["Succeeded"]
    shown = world.call("ListPipelineParametersForExecution", PipelineExecutionArn=arn)["PipelineParameters"]
    assert shown == [{"Name": "rounds", "Value": "7"}]
    definition = world.call("DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    assert json.loads(definition["PipelineDefinition"])["Version"] == "2020-12-01"


def test_steps_side_by_side_as_many_as_allowed(world: World) -> None:
    parts.create(world, *(parts.training(f"t{n}") for n in range(3)))
    arn = start(world, ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    wait_for(world, arn, t0="Executing", t1="Executing")
    assert "t2" not in steps(world, arn)
    launch(world, 2).on_done(JobOutcome("Completed"))
    wait_for(world, arn, t2="Executing")


def test_what_runs_beside_a_fail_step_comes_to_its_own_end(world: World) -> None:
    parts.create(world, parts.training("t"), parts.training("u", DependsOn=["t"]), parts.fail("f", "enough"))
    arn = start(world)
    wait_for(world, arn, t="Executing", f="Failed")
    job = launch(world)
    assert not job.stopped
    assert describe(world, arn)["PipelineExecutionStatus"] == "Executing"
    job.on_done(JobOutcome("Completed"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    assert steps(world, arn) == {"t": "Succeeded", "f": "Failed"}


def test_a_failure_stops_what_runs_beside_it(world: World) -> None:
    parts.create(world, parts.training("bad"), parts.training("good"), parts.training("after", DependsOn=["good"]))
    arn = start(world)
    wait_for(world, arn, bad="Executing", good="Executing")
    launch(world, 2)
    bad = next(job for job in world.backend.jobs if "-bad-" in job.spec.name)
    bad.on_done(JobOutcome("Failed", failure_reason="AlgorithmError: boom, exit code: 1"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    assert steps(world, arn) == {"bad": "Failed", "good": "Stopped"}
    assert step(world, arn, "bad")["FailureReason"] == "ClientError: AlgorithmError: boom, exit code: 1"


def test_a_pipeline_with_a_running_execution_is_not_deleted(world: World) -> None:
    parts.create(world, parts.training("t"))
    arn = start(world)
    wait_for(world, arn, t="Executing")
    job = launch(world)
    job.stop = lambda: None  # a process that takes its time after SIGTERM
    for _ in range(2):
        refused = world.refusal("DeletePipeline", PipelineName="pipeline", ClientRequestToken="d" * 32)
        assert (refused.code, refused.message) == (
            "ValidationException",
            "Pipelines with running executions cannot be deleted.",
        )
        if describe(world, arn)["PipelineExecutionStatus"] == "Executing":
            stop(world, arn)
        assert describe(world, arn)["PipelineExecutionStatus"] == "Stopping"
    again = world.refusal("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="x" * 32)
    assert "in status Stopping" in again.message
    wait_for(world, arn, t="Stopping")
    job.on_done(JobOutcome("Stopped"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert steps(world, arn) == {"t": "Stopped"}
    delete(world)
    assert world.call("DescribePipeline", PipelineName="pipeline")["PipelineStatus"] == "Deleting"
    assert world.refusal("StartPipelineExecution", PipelineName="pipeline", ClientRequestToken="s" * 32).code == (
        "ConflictException"
    )
    world.clock.advance(durations.PIPELINE_DELETE)
    for operation, member in (
        ("DescribePipeline", {"PipelineName": "pipeline"}),
        ("DescribePipelineExecution", {"PipelineExecutionArn": arn}),
    ):
        gone = world.refusal(operation, **member)
        assert gone.code == "ResourceNotFound"
        assert "does not exist." in gone.message
    # the job record stays
    assert world.call("DescribeTrainingJob", TrainingJobName=job.spec.name)["TrainingJobStatus"] == "Stopped"


def test_a_stop_before_anything_runs(world: World) -> None:
    parts.create(world, parts.training("t"))
    arn = start(world)
    stop(world, arn)

    def nothing_starts() -> bool:
        jobs = world.call("ListTrainingJobs")["TrainingJobSummaries"]
        begun = steps(world, arn)
        return not begun or (len(jobs) == 1 and jobs[0]["TrainingJobStatus"] == "Stopping")

    world.wait_until(nothing_starts)
    world.clock.advance(durations.JOB_STOP_EARLY)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert "Executing" not in steps(world, arn).values()
    assert not world.backend.jobs


def test_a_stop_that_is_denied_waits_for_the_end_of_the_job(world: World) -> None:
    parts.create(world, parts.training("t"))
    arn = start(world)
    wait_for(world, arn, t="Executing")
    job = launch(world)
    world.backend.denied.add("sagemaker:StopTrainingJob")
    stop(world, arn)
    wait_for(world, arn, t="Stopping")
    assert not job.stopped
    job.on_done(JobOutcome("Completed"))
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"


def test_tokens_make_calls_repeatable(world: World) -> None:
    parts.create(world, parts.fail("f", "x"))
    parts.create(world, parts.fail("f", "x"))
    other = world.refusal(
        "CreatePipeline",
        PipelineName="pipeline",
        PipelineDefinition=parts.document(),
        ClientRequestToken="o" * 32,
        RoleArn=PIPELINE_ROLE,
    )
    assert "Pipeline names must be unique" in other.message
    assert start(world) == start(world)
    assert start(world, token="t") != start(world)


def test_an_execution_keeps_the_definition_it_was_started_with(world: World) -> None:
    parts.create(world, parts.training("t"), parts.fail("old", "x") | {"DependsOn": ["t"]})
    arn = start(world)
    wait_for(world, arn, t="Executing")
    changed = world.call(
        "UpdatePipeline", PipelineName="pipeline", PipelineDefinition=parts.document(parts.fail("new", "y"))
    )
    assert changed["PipelineVersionId"] == 2
    launch(world).on_done(JobOutcome("Completed"))
    wait_for_end(world, arn)
    assert set(steps(world, arn)) == {"t", "old"}
    second = start(world, token="t")
    wait_for_end(world, second)
    assert set(steps(world, second)) == {"new"}
    described = world.call("DescribePipeline", PipelineName="pipeline")
    assert described["LastRunTime"] == described["CreationTime"] + durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD


def test_lists(world: World) -> None:
    for name in ("alpha", "beta"):
        world.call(
            "CreatePipeline",
            PipelineName=name,
            PipelineDefinition=parts.document(),
            ClientRequestToken=name * 8,
            RoleArn=PIPELINE_ROLE,
        )
        world.clock.advance(60)
    listed = world.call("ListPipelines")["PipelineSummaries"]
    assert [pipeline["PipelineName"] for pipeline in listed] == ["beta", "alpha"]
    listed = world.call("ListPipelines", PipelineNamePrefix="al")["PipelineSummaries"]
    assert [pipeline["PipelineName"] for pipeline in listed] == ["alpha"]


def test_two_hundred_steps(world: World) -> None:
    true = [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}]
    chain = [parts.condition(f"c{n}", true, [], [], DependsOn=[f"c{n - 1}"] if n else []) for n in range(200)]
    parts.create(world, *chain)
    arn = start(world)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Succeeded"
    page = world.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn)
    assert len(page["PipelineExecutionSteps"]) == 10
    assert "NextToken" in page


def test_reset_forgets_executions(world: World) -> None:
    parts.create(world, parts.training("t"))
    arn = start(world)
    wait_for(world, arn, t="Executing")
    job = launch(world)
    world.service.reset()
    assert job.stopped
    assert world.call("ListPipelines") == {"PipelineSummaries": []}
