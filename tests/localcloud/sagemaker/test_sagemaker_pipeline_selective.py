"""Executions of some of a pipeline's steps, on what an earlier one made."""

from __future__ import annotations

from localcloud.jobs.spec import JobOutcome
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import get
from tests.localcloud.sagemaker.pipeline_repeats import (
    selective,
)
from tests.localcloud.sagemaker.pipeline_runs import (
    describe,
    launch,
    start,
    step,
    steps,
    wait_for,
    wait_for_end,
)
from tests.localcloud.sagemaker.scripted_backend import World


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
