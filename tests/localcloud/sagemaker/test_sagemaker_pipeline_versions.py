"""Changes of pipelines and of executions: versions, definitions in S3, how many steps at a time."""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.core import Operation
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_runs import (
    describe,
    start,
    steps,
    wait_for,
    wait_for_end,
)
from tests.localcloud.sagemaker.scripted_backend import World


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
