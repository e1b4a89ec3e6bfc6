"""Pipeline executions as state machines: order, branches, failures, stops, on a clock that moves only when told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import PIPELINE_ROLE, get
from tests.localcloud.sagemaker.scripted_backend import World

_TAGS = [{"Key": "team", "Value": "a"}]


def start(world: World, **members: Any) -> str:
    token = f"{members.pop('token', 's'):s<32}"
    reply = world.call("StartPipelineExecution", PipelineName="pipeline", ClientRequestToken=token, **members)
    return str(reply["PipelineExecutionArn"])


def describe(world: World, arn: str) -> dict[str, Any]:
    return world.call("DescribePipelineExecution", PipelineExecutionArn=arn)


def steps(world: World, arn: str) -> dict[str, str]:
    reply = world.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn, MaxResults=100)
    return {step["StepName"]: step["StepStatus"] for step in reply["PipelineExecutionSteps"]}


def step(world: World, arn: str, name: str) -> dict[str, Any]:
    reply = world.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn, MaxResults=100)
    found: dict[str, Any] = next(s for s in reply["PipelineExecutionSteps"] if s["StepName"] == name)
    return found


def wait_for(world: World, arn: str, **wanted: str) -> None:
    """Until these steps have these statuses."""
    world.wait_until(lambda: wanted.items() <= steps(world, arn).items())


def wait_for_end(world: World, arn: str) -> dict[str, Any]:
    world.wait_until(lambda: describe(world, arn)["PipelineExecutionStatus"] not in ("Executing", "Stopping"))
    return describe(world, arn)


def launch(world: World, count: int = 1) -> Any:
    """Let the processes of the jobs that have been made start; the last of them."""
    before = len(world.backend.jobs)
    world.clock.advance(durations.JOB_STARTING)
    world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
    assert len(world.backend.jobs) == before + count
    return world.backend.jobs[-1]


def stop(world: World, arn: str) -> None:
    world.call("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken="x" * 32)


def delete(world: World) -> None:
    world.call("DeletePipeline", PipelineName="pipeline", ClientRequestToken="d" * 32)


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


@pytest.mark.parametrize(("auc", "taken"), [(0.9, "Register"), (0.4, "TooBad")])
def test_a_condition_on_a_property_file(world: World, auc: float, taken: str) -> None:
    value = {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Report"), "Path": "metrics.auc.value"}}
    report = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "evaluation.json"}]
    good = {"Type": "GreaterThanOrEqualTo", "LeftValue": value, "RightValue": 0.7}
    message = {"Std:Join": {"On": " ", "Values": ["too bad in", get("Execution.PipelineName")]}}
    parts.create(
        world,
        parts.processing("Evaluate", PropertyFiles=report),
        parts.condition(
            "Good", [good], [parts.register("Register", "s3://bucket/m.tar.gz")], [parts.fail("TooBad", message)]
        ),
        Tags=_TAGS,
    )
    world.backend.objects["s3://bucket/Evaluate/evaluation.json"] = json.dumps(
        {"metrics": {"auc": {"value": auc}}}
    ).encode()
    arn = start(world)
    wait_for(world, arn, Evaluate="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    ended = wait_for_end(world, arn)
    assert set(steps(world, arn)) == {"Evaluate", "Good", taken}
    assert step(world, arn, "Good")["Metadata"] == {"Condition": {"Outcome": str(auc == 0.9)}}
    if taken == "Register":
        assert ended["PipelineExecutionStatus"] == "Succeeded"
        package = step(world, arn, "Register")["Metadata"]["RegisterModel"]["Arn"]
        assert package.endswith(":model-package/group/1")
        # the group was made on the way, with the pipeline's tags
        assert world.call("ListTags", ResourceArn=package)["Tags"] == _TAGS
    else:
        assert ended["PipelineExecutionStatus"] == "Failed"
        assert ended["FailureReason"] == "Step failure: One or multiple steps failed."
        assert step(world, arn, "TooBad")["FailureReason"] == "too bad in pipeline"


def test_tune_then_serve_the_best(world: World) -> None:
    # what the SDK writes for get_top_model_s3_uri
    best = {
        "Std:Join": {
            "On": "/",
            "Values": [
                "s3:/",
                "bucket",
                get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName"),
                "output/model.tar.gz",
            ],
        }
    }
    container = {"Image": parts.IMAGE, "ModelDataUrl": best}
    transform = {
        "ModelName": get("Steps.Model.ModelName"),
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    model = {"ExecutionRoleArn": parts.ROLE, "PrimaryContainer": container}
    parts.create(
        world,
        parts.tuning("Tune"),
        {"Name": "Model", "Type": "Model", "Arguments": model},
        {"Name": "Transform", "Type": "Transform", "Arguments": transform},
    )
    world.backend.objects["s3://bucket/in/a"] = b"abc"
    arn = start(world)
    wait_for(world, arn, Tune="Executing")
    tuning_arn = step(world, arn, "Tune")["Metadata"]["TuningJob"]["Arn"]
    assert len(tuning_arn.rpartition("/")[2]) <= 32
    launch(world, 2)
    worse, better = world.backend.jobs
    worse.on_done(JobOutcome("Completed", metrics=[("auc", 0.5, 1.0)]))
    better.on_done(JobOutcome("Completed", metrics=[("auc", 0.6, 1.0)]))
    wait_for(world, arn, Tune="Succeeded", Model="Succeeded", Transform="Executing")
    made = world.call(
        "DescribeModel", ModelName=step(world, arn, "Model")["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    )
    assert made["PrimaryContainer"]["ModelDataUrl"] == f"s3://bucket/{better.spec.name}/output/model.tar.gz"
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert world.backend.objects["s3://bucket/out/a.out"] == b"ABC"


def test_stopping_an_execution_stops_its_tuning_job_and_the_trials(world: World) -> None:
    parts.create(world, parts.tuning("Tune"))
    arn = start(world)
    wait_for(world, arn, Tune="Executing")
    launch(world, 2)
    stop(world, arn)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert all(job.stopped for job in world.backend.jobs)


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


def test_what_the_role_may_not_do_fails_the_step(world: World) -> None:
    parts.create(world, parts.training("t"))
    world.backend.denied.add("sagemaker:CreateTrainingJob")
    arn = start(world)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    reason = step(world, arn, "t")["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: User is not")


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


def test_what_the_pipeline_does_it_does_as_its_role(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assumed: list[str] = []

    def assume(role: str, _session: str) -> dict[str, str]:
        assumed.append(role)
        return {"AccessKeyId": role}

    monkeypatch.setattr(world.backend, "assume", assume)
    parts.create(world, parts.training("t"), Tags=_TAGS)
    arn = start(world)
    wait_for(world, arn, t="Executing")
    assert assumed[0] == PIPELINE_ROLE  # it must be assumable when the pipeline is created
    created = [a for a in world.backend.asked if a[0] == "sagemaker:CreateTrainingJob"]
    assert len(created) == 1
    assert created[0][1].startswith("arn:aws:sagemaker:eu-west-1:123456789012:training-job/pipelines-")
    assert created[0][2]["aws:RequestTag/team"] == "a"
    assert ("sagemaker:AddTags", created[0][1]) in [(action, on) for action, on, _ in world.backend.asked]
    assert "iam:PassRole" in [action for action, _, _ in world.backend.asked]


def test_parameters(world: World) -> None:
    parameters = [
        {"Name": "count", "Type": "Integer"},
        {"Name": "flag", "Type": "Boolean", "DefaultValue": False},
        {"Name": "size", "Type": "String", "DefaultValue": "s", "EnumValues": ["s", "m"]},
    ]
    parts.create(world, parts.fail("f", get("Parameters.count")), parameters=parameters)

    def refused(**values: str) -> str:
        given = [{"Name": name, "Value": value} for name, value in values.items()]
        return world.refusal(
            "StartPipelineExecution", PipelineName="pipeline", ClientRequestToken="s" * 32, PipelineParameters=given
        ).message

    assert refused() == "Parameter [count] value is undefined"
    assert refused(count="many") == "Parameter [count]: 'many' is not of type Integer"
    assert refused(count="1", flag="maybe") == "Parameter [flag]: 'maybe' is not of type Boolean"
    assert refused(count="1", size="xl") == "Parameter [size]: 'xl' is not one of ['s', 'm']"
    assert "unexpected parameters ['colour']" in refused(count="1", colour="red")
    arn = start(world, PipelineParameters=[{"Name": "count", "Value": "5"}])
    wait_for_end(world, arn)
    assert step(world, arn, "f")["FailureReason"] == "5"


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
