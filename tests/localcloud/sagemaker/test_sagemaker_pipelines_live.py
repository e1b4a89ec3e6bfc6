"""Steps of pipelines for real: functions that Lambda runs, queues, and who may do what."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Workshop

pytestmark = pytest.mark.localcloud

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
_CODE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("row 3 is wrong")
    return {"sum": event["a"] + event["b"], "told": f"{event['where']}!"}
"""


@pytest.fixture(scope="module")
def function(localcloud: Any) -> str:
    """The ARN of a function that adds."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = localcloud.client("iam").create_role(RoleName="steps-function", AssumeRolePolicyDocument=document)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("code.py", _CODE)
    made = localcloud.client("lambda").create_function(
        FunctionName="steps-function",
        Runtime="python3.12",
        Handler="code.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": package.getvalue()},
    )
    return str(made["FunctionArn"])


@pytest.fixture(scope="module")
def queue(localcloud: Any) -> str:
    return str(localcloud.client("sqs").create_queue(QueueName="steps-queue")["QueueUrl"])


@pytest.fixture(scope="module")
def workshop(localcloud: Any) -> Workshop:
    return Workshop.open(localcloud, "steps-live")


@pytest.fixture(scope="module")
def pipeline_role(localcloud: Any, function: str, workshop: Workshop) -> str:
    """May invoke the function, send to the queue, and make what the steps of this module make."""
    nouns = ("ProcessingJob", "TransformJob", "TrainingJob", "Model", "ModelPackage", "ModelPackageGroup")
    may = [f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Stop") for noun in nouns]
    return live.role(
        localcloud,
        "steps-pipeline",
        [
            {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function},
            {
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": f"arn:aws:sqs:us-east-1:{live.ACCOUNT}:steps-queue",
            },
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": workshop.role},
            {"Effect": "Allow", "Action": may, "Resource": f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:*"},
            {"Effect": "Allow", "Action": "sagemaker:ListModelPackages", "Resource": "*"},
        ],
    )


def start(localcloud: Any, name: str, role: str, *steps: dict[str, Any]) -> str:
    """The ARN of the first execution of a new pipeline."""
    sm = localcloud.client("sagemaker")
    definition = json.dumps({"Version": "2020-12-01", "Steps": list(steps)})
    sm.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
    return str(sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"])


def ended(localcloud: Any, arn: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """The status of an execution that is over, and its steps by name."""
    sm = localcloud.client("sagemaker")
    status = live.wait_for(
        lambda: sm.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"],
        lambda found: found not in ("Executing", "Stopping"),
    )
    listed = sm.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return status, {step["StepName"]: step for step in listed}


def function_step(function: str, name: str, arguments: dict[str, Any], **outputs: str) -> dict[str, Any]:
    declared = [{"OutputName": output, "OutputType": kind} for output, kind in outputs.items()]
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": arguments,
        "OutputParameters": declared,
    }


def test_a_function_adds_and_another_gets_the_sum(localcloud: Any, function: str, pipeline_role: str) -> None:
    first = function_step(function, "First", {"a": 1, "b": 2, "where": "here"}, sum="Integer", told="String")
    total, told = ({"Get": f"Steps.First.OutputParameters['{name}']"} for name in ("sum", "told"))
    second = function_step(function, "Second", {"a": total, "b": 4, "where": told}, sum="Integer", told="String")
    status, steps = ended(localcloud, start(localcloud, "steps-add", pipeline_role, first, second))
    assert status == "Succeeded", steps
    assert steps["Second"]["Metadata"]["Lambda"] == {
        "Arn": function,
        "OutputParameters": [{"Name": "sum", "Value": "7"}, {"Name": "told", "Value": "here!!"}],
    }


def test_a_function_that_raises(localcloud: Any, function: str, pipeline_role: str) -> None:
    step = function_step(function, "Bad", {"fail": 1})
    status, steps = ended(localcloud, start(localcloud, "steps-bad", pipeline_role, step))
    assert status == "Failed"
    assert (
        steps["Bad"]["FailureReason"] == f"ClientError: Lambda function {function} failed: ValueError: row 3 is wrong"
    )


def test_a_role_that_may_not_invoke(localcloud: Any, function: str) -> None:
    role = live.role(localcloud, "steps-powerless")
    status, steps = ended(localcloud, start(localcloud, "steps-powerless", role, function_step(function, "No", {})))
    assert status == "Failed"
    reason = steps["No"]["FailureReason"]
    assert reason.startswith(f"ClientError: Failed to invoke lambda:InvokeFunction on {function}.")
    assert "steps-powerless" in reason and "is not authorized to perform: lambda:InvokeFunction" in reason


def test_a_callback(localcloud: Any, queue: str, pipeline_role: str) -> None:
    step = {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"a": 1},
        "OutputParameters": [{"OutputName": "answer", "OutputType": "Float"}],
    }
    told = {"Std:Join": {"On": "=", "Values": ["answer", {"Get": "Steps.Ask.OutputParameters['answer']"}]}}
    arn = start(
        localcloud, "steps-ask", pipeline_role, step, {"Name": "T", "Type": "Fail", "Arguments": {"ErrorMessage": told}}
    )
    sqs, sm = localcloud.client("sqs"), localcloud.client("sagemaker")
    [message] = live.wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages", []), bool)
    body = json.loads(message["Body"])
    assert (body["pipelineExecutionArn"], body["arguments"], body["status"]) == (arn, {"a": 1}, "Executing")
    answer = [{"Name": "answer", "Value": "0.5"}]
    reply = sm.send_pipeline_execution_step_success(CallbackToken=body["token"], OutputParameters=answer)
    assert reply["PipelineExecutionArn"] == arn
    status, steps = ended(localcloud, arn)
    assert steps["Ask"]["Metadata"]["Callback"]["OutputParameters"] == answer
    assert (status, steps["T"]["FailureReason"]) == ("Failed", "answer=0.5")


def quality_check(workshop: Workshop, name: str, rows: str, **members: Any) -> dict[str, Any]:
    """A check of the rows below a prefix, as SDK v3 asks for it."""
    base = "/opt/ml/processing"
    source = {
        "S3Uri": f"s3://{workshop.bucket}/{rows}",
        "LocalPath": f"{base}/input/baseline_dataset_input",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    place = {"S3Uri": f"s3://{workshop.bucket}/{name}", "LocalPath": f"{base}/output", "S3UploadMode": "EndOfJob"}
    arguments = {
        "ProcessingInputs": [{"InputName": "baseline_dataset_input", "AppManaged": False, "S3Input": source}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "monitoring_output", "S3Output": place}]},
        "ProcessingResources": workshop.processing("")["ProcessingResources"],
        "AppSpecification": {"ImageUri": ANALYZER},
        "Environment": {
            "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
            "dataset_source": f"{base}/input/baseline_dataset_input",
            "output_path": f"{base}/output",
            "publish_cloudwatch_metrics": "Disabled",
        },
        "RoleArn": workshop.role,
    }
    return {"Name": name, "Type": "QualityCheck", "CheckType": "DATA_QUALITY", "Arguments": arguments, **members}


def test_a_check_against_the_baseline_of_another(localcloud: Any, workshop: Workshop, pipeline_role: str) -> None:
    s3 = localcloud.client("s3")
    good = "x,y\n" + "".join(f"{row},{row % 7}.5\n" for row in range(50))
    s3.put_object(Bucket=workshop.bucket, Key="good/rows.csv", Body=good.encode())
    s3.put_object(Bucket=workshop.bucket, Key="bad/rows.csv", Body=good.replace("3,3.5", "three,3.5").encode())
    baseline = {
        f"SuppliedBaseline{kind}": {"Get": f"Steps.First.CalculatedBaseline{kind}"}
        for kind in ("Statistics", "Constraints")
    }
    execution = start(
        localcloud,
        "steps-checks",
        pipeline_role,
        quality_check(workshop, "First", "good", SkipCheck=True, RegisterNewBaseline=True),
        quality_check(workshop, "Same", "good", **baseline),
        {**quality_check(workshop, "Other", "bad", **baseline), "DependsOn": ["Same"]},
    )
    status, steps = ended(localcloud, execution)
    assert {name: step["StepStatus"] for name, step in steps.items()} == {
        "First": "Succeeded",
        "Same": "Succeeded",
        "Other": "Failed",
    }, steps
    assert status == "Failed"
    assert "CompletedWithViolations" in steps["Other"]["FailureReason"]
    report = steps["Other"]["Metadata"]["QualityCheck"]["ViolationReport"]
    key = report.removeprefix(f"s3://{workshop.bucket}/")
    violations = json.load(s3.get_object(Bucket=workshop.bucket, Key=key)["Body"])["violations"]
    assert ("x", "data_type_check") in [(each["feature_name"], each["constraint_check_type"]) for each in violations]


def test_a_version_is_registered_made_a_model_and_answers(
    localcloud: Any, workshop: Workshop, pipeline_role: str
) -> None:
    """What precedes a deployment: a model made from an approved version, and a transform job with it."""
    localcloud.client("s3").put_object(Bucket=workshop.bucket, Key="smoke/input.csv", Body=b"9.0,1.0\n1.0,9.0\n")
    trained = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    specification = {
        "Containers": [{"Image": live.XGBOOST, "ModelDataUrl": trained}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    registered = {
        "ModelPackageGroupName": "steps-group",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": specification,
    }
    model = {
        "ModelName": "steps-model",
        "ExecutionRoleArn": workshop.role,
        "PrimaryContainer": {"ModelPackageName": {"Get": "Steps.Register.ModelPackageArn"}},
    }
    where = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{workshop.bucket}/smoke/"}}
    answers = {"Std:Join": {"On": "/", "Values": [f"s3://{workshop.bucket}", {"Get": "Execution.PipelineExecutionId"}]}}
    transform = {
        "TransformJobName": "steps-smoke",
        "ModelName": {"Get": "Steps.Model.ModelName"},
        "BatchStrategy": "MultiRecord",
        "TransformInput": {"DataSource": where, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": answers, "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    execution = start(
        localcloud,
        "steps-smoke",
        pipeline_role,
        {"Name": "Train", "Type": "Training", "Arguments": {**workshop.training(), "TrainingJobName": "steps-train"}},
        {"Name": "Register", "Type": "RegisterModel", "Arguments": registered},
        {"Name": "Model", "Type": "Model", "Arguments": model},
        {"Name": "Smoke", "Type": "Transform", "Arguments": transform},
    )
    status, steps = ended(localcloud, execution)
    assert status == "Succeeded", steps
    identifier = execution.rpartition("/")[2]
    for name, kind in (("Train", "TrainingJob"), ("Model", "Model"), ("Smoke", "TransformJob")):
        assert f"/steps-{name.lower()}-{identifier}-" in steps[name]["Metadata"][kind]["Arn"]
    body = localcloud.client("s3").get_object(Bucket=workshop.bucket, Key=f"{identifier}/input.csv.out")["Body"].read()
    first, second = (float(line) for line in body.split())
    assert first > 0.5 > second
