"""Steps of pipelines for real: functions that Lambda runs, queues, and who may do what."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.localcloud.sagemaker import live

pytestmark = pytest.mark.localcloud

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
def pipeline_role(localcloud: Any, function: str) -> str:
    """May invoke the function and send to the queue."""
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
