"""Rules of a stack act on what SageMaker does: an approval starts a function, a failed execution is published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localcloud.core.stacks import Stack, eventually, function, role
from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker import pipeline_parts as parts

pytestmark = pytest.mark.localcloud

#: writes down what it was told
_CODE = (
    "import boto3, json, os\n"
    "def handler(event, context):\n"
    "    told = {'fields': event['detail'].get('UpdatedModelPackageFields'), 'about': event['resources']}\n"
    "    name = '/' + os.environ['NAME']\n"
    "    boto3.client('ssm').put_parameter(Name=name, Value=json.dumps(told), Type='String', Overwrite=True)"
)


def _rule(detail_type: str, detail: dict[str, Any], target: Any, **members: Any) -> dict[str, Any]:
    pattern = {"source": ["aws.sagemaker"], "detail-type": [detail_type], "detail": detail}
    properties = {"EventPattern": pattern, "Targets": [{"Id": "target", "Arn": target, **members}]}
    return {"Type": "AWS::Events::Rule", "Properties": properties}


def _policy(service: str, action: str, condition: dict[str, Any]) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": "*",
        "Condition": {"ArnEquals": condition},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_an_approval_invokes_a_function_and_a_registration_does_not(localcloud: Any, unique: str) -> None:
    name, ssm, sm = f"approval-{unique}", localcloud.client("ssm"), localcloud.client("sagemaker")
    stack = Stack(localcloud, name)
    approved = {
        "ModelPackageGroupName": [name],
        "ModelApprovalStatus": ["Approved"],
        "UpdatedModelPackageFields": ["ModelApprovalStatus"],
    }
    permission = {
        "FunctionName": {"Ref": "Function"},
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
    }
    resources = {
        "Role": role({"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}),
        "Function": function(_CODE, {"NAME": name}),
        "Rule": _rule("SageMaker Model Package State Change", approved, {"Fn::GetAtt": ["Function", "Arn"]}),
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
    }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    sm.create_model_package_group(ModelPackageGroupName=name)
    package = {**parts.register("x", "s3://b/m")["Arguments"], "ModelPackageGroupName": name}
    sm.create_model_package(**package)  # registered as approved: no update
    arn = sm.create_model_package(**{**package, "ModelApprovalStatus": "PendingManualApproval"})["ModelPackageArn"]
    sm.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    found = eventually(lambda: ssm.get_parameters(Names=[f"/{name}"])["Parameters"])[0]
    assert json.loads(found["Value"]) == {"fields": ["ModelApprovalStatus"], "about": [arn]}
    assert found["Version"] == 1
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_failed_execution_is_published_with_its_name(localcloud: Any, unique: str) -> None:
    name, sqs, sm = f"failed-{unique}", localcloud.client("sqs"), localcloud.client("sagemaker")
    stack = Stack(localcloud, name)
    pipeline_role = live.role(localcloud, name)
    failed = {"currentPipelineExecutionStatus": ["Failed"], "pipelineArn": [{"suffix": f"/{name}"}]}
    mail = {
        "InputPathsMap": {
            "execution": "$.detail.pipelineExecutionArn",
            "status": "$.detail.currentPipelineExecutionStatus",
        },
        "InputTemplate": '"<execution> has <status>."',
    }
    rule = _rule(
        "SageMaker Model Building Pipeline Execution Status Change", failed, {"Ref": "Topic"}, InputTransformer=mail
    )
    to_topic = _policy("events.amazonaws.com", "sns:Publish", {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}})
    to_queue = _policy("sns.amazonaws.com", "sqs:SendMessage", {"aws:SourceArn": {"Ref": "Topic"}})
    endpoint = {"Protocol": "sqs", "TopicArn": {"Ref": "Topic"}, "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}}
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Rule": rule,
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": to_topic},
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": to_queue},
        },
        "Subscription": {"Type": "AWS::SNS::Subscription", "Properties": endpoint},
    }
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    definition = parts.document(parts.fail("Stop", "too weak"))
    sm.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=pipeline_role)
    execution = sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    queue = stack.physical("Queue")
    letter = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))[0]
    body = json.loads(letter["Body"])
    assert body["Message"] == f'"{execution} has Failed."'
    assert "Subject" not in body
