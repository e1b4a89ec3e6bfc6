"""The steps of a pipeline: conditions on property files, tuning, registering, as whom, with which parameters."""

from __future__ import annotations

import json
import re

import pytest

from localcloud.jobs.spec import JobOutcome
from localcloud.sagemaker import durations
from localcloud.sagemaker.pipelines.steps import API_STEPS
from localcloud.sagemaker.ports import FunctionReply
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import PIPELINE_ROLE, get
from tests.localcloud.sagemaker.pipeline_runs import launch, start, step, steps, stop, wait_for, wait_for_end
from tests.localcloud.sagemaker.scripted_backend import World

_TAGS = [{"Key": "team", "Value": "a"}]


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


def test_values_of_documents_are_taken_everywhere(world: World) -> None:
    report = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "deep/found.json"}]
    uri = {"Std:Join": {"On": "/", "Values": ["s3://bucket", get("Execution.PipelineName"), "more.json"]}}
    file = get("Steps.p.PropertyFiles.Report")
    from_file = {"Std:JsonGet": {"PropertyFile": file, "Path": "rows[1]['first name']"}}
    from_s3 = {"Std:JsonGet": {"S3Uri": uri, "Path": "rounds"}}
    training = parts.training("t", Arguments={"HyperParameters": {"name": from_file, "num_round": from_s3}})
    told = parts.fail("told", {"Std:Join": {"On": " ", "Values": [get("Steps.t.HyperParameters.name"), from_s3]}})
    world.backend.functions[parts.FUNCTION] = FunctionReply(b"null")
    function = parts.function("f", {"name": from_file})
    parts.create(world, parts.processing("p", PropertyFiles=report), training, told, function)
    world.backend.objects["s3://bucket/p/deep/found.json"] = json.dumps({"rows": [{}, {"first name": "Ada"}]}).encode()
    world.backend.objects["s3://bucket/pipeline/more.json"] = b'{"rounds": 7}'
    arn = start(world)
    wait_for(world, arn, p="Executing")
    launch(world).on_done(JobOutcome("Completed"))
    wait_for(world, arn, t="Executing", f="Succeeded")
    job = launch(world)
    assert job.spec.hyperparameters == {"name": "Ada", "num_round": "7"}
    job.on_done(JobOutcome("Completed"))
    wait_for_end(world, arn)
    assert step(world, arn, "told")["FailureReason"] == "Ada 7"
    assert world.backend.invoked[0][1] == {"name": "Ada"}


def test_a_document_that_is_not_there(world: World) -> None:
    value = {"Std:JsonGet": {"S3Uri": "s3://bucket/none.json", "Path": "x"}}
    parts.create(world, parts.fail("told", value))
    arn = start(world)
    wait_for_end(world, arn)
    assert (
        step(world, arn, "told")["FailureReason"]
        == "ClientError: s3://bucket/none.json: NoSuchKey: s3://bucket/none.json"
    )


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


@pytest.mark.parametrize("first", [0, 1])
def test_of_equal_trials_the_first_is_the_best_whichever_ends_first(world: World, first: int) -> None:
    told = parts.fail("told", get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName"))
    parts.create(world, parts.tuning("Tune"), told)
    arn = start(world)
    wait_for(world, arn, Tune="Executing")
    launch(world, 2)
    jobs = sorted(world.backend.jobs, key=lambda job: job.spec.name)
    for job in (jobs[first], jobs[1 - first]):
        job.on_done(JobOutcome("Completed", metrics=[("auc", 0.5, 1.0)]))
    wait_for_end(world, arn)
    tuning = {"HyperParameterTuningJobName": name_of(world, arn, "Tune")}
    best = world.call("DescribeHyperParameterTuningJob", **tuning)["BestTrainingJob"]["TrainingJobName"]
    assert step(world, arn, "told")["FailureReason"] == best == jobs[0].spec.name


def test_stopping_an_execution_stops_its_tuning_job_and_the_trials(world: World) -> None:
    parts.create(world, parts.tuning("Tune"))
    arn = start(world)
    wait_for(world, arn, Tune="Executing")
    launch(world, 2)
    stop(world, arn)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert all(job.stopped for job in world.backend.jobs)


def test_what_the_role_may_not_do_fails_the_step(world: World) -> None:
    parts.create(world, parts.training("t"))
    world.backend.denied.add("sagemaker:CreateTrainingJob")
    arn = start(world)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    reason = step(world, arn, "t")["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: User is not")


def name_of(world: World, arn: str, name: str) -> str:
    """What the thing is called that a step made."""
    [metadata] = step(world, arn, name)["Metadata"].values()
    return str(metadata["Arn"]).rpartition("/")[2]


def test_names_of_jobs(world: World) -> None:
    container = {"Image": parts.IMAGE, "ModelDataUrl": "s3://bucket/m.tar.gz"}
    model = {"ModelName": "team--x-", "ExecutionRoleArn": parts.ROLE, "PrimaryContainer": container}
    tuning = parts.tuning("Tune")
    tuning["Arguments"]["HyperParameterTuningJobName"] = "team-x"
    parts.create(
        world,
        parts.training("Plain_step_with_a_long_name"),
        parts.training("Train", Arguments={"TrainingJobName": "team--x"}),
        parts.processing("Longest", Arguments={"ProcessingJobName": "p" * 38}),
        {"Name": "Model", "Type": "Model", "Arguments": model},
        tuning,
    )
    arn = start(world)
    execution = arn.rpartition("/")[2]
    plain = "Plain_step_with_a_long_name"
    active = {plain: "Executing", "Train": "Executing", "Longest": "Executing", "Tune": "Executing"}
    wait_for(world, arn, Model="Succeeded", **active)
    token = "[A-Za-z0-9]{10}"
    assert re.fullmatch(f"pipelines-{execution}-Plain-step-with-a-lo-{token}", name_of(world, arn, plain))
    assert re.fullmatch(f"team--x-{execution}-{token}", name_of(world, arn, "Train"))
    assert re.fullmatch(f"{'p' * 38}-{execution}-{token}", name_of(world, arn, "Longest"))
    assert re.fullmatch(f"team--x--{execution}-{token}", name_of(world, arn, "Model"))
    assert re.fullmatch(f"team-x-{execution}-{token}", name_of(world, arn, "Tune"))


def test_a_second_attempt_is_counted_in_the_name() -> None:
    training, tuning = API_STEPS["Training"], API_STEPS["Tuning"]
    assert re.fullmatch(r"a-e{12}-\w{10}-2", training.job_name("e" * 12, "Train", "a", failures=2))
    # what does not fit is taken from the token
    assert re.fullmatch(r"p{38}-e{12}-\w{9}-1", training.job_name("e" * 12, "Train", "p" * 38, failures=1))
    assert len(tuning.job_name("e" * 12, "Tune", "p" * 6, failures=1)) == 32


def test_a_prefix_that_is_too_long_once_it_is_known(world: World) -> None:
    parameters = [{"Name": "prefix", "Type": "String", "DefaultValue": "p" * 39}]
    named = parts.training("t", Arguments={"TrainingJobName": get("Parameters.prefix")})
    parts.create(world, named, parameters=parameters)
    arn = start(world)
    wait_for_end(world, arn)
    assert "has 39 characters, and at most 38 are allowed" in step(world, arn, "t")["FailureReason"]


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
