"""The CloudFormation types through real stacks: create, update, replace, roll back, delete."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.localcloud

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"
_SECONDS = 60


class Stack:
    """One stack and what a test reads of it."""

    def __init__(self, localcloud: Any, name: str) -> None:
        self.name = name
        self._cfn = localcloud.client("cloudformation")

    def create(self, template: dict[str, Any], wait: bool = True) -> str:
        self._cfn.create_stack(
            StackName=self.name, TemplateBody=json.dumps(template), Tags=[{"Key": "stack-wide", "Value": "yes"}]
        )
        return self.settle() if wait else ""

    def update(self, template: dict[str, Any]) -> str:
        self._cfn.update_stack(
            StackName=self.name, TemplateBody=json.dumps(template), Tags=[{"Key": "stack-wide", "Value": "yes"}]
        )
        return self.settle()

    def delete(self) -> str:
        self._cfn.delete_stack(StackName=self.name)
        return self.settle()

    def settle(self) -> str:
        """The stack's status once nothing is in progress; DELETE_COMPLETE when it is gone."""
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                status: str = self._cfn.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
            except ClientError:
                return "DELETE_COMPLETE"
            if not status.endswith("_IN_PROGRESS"):
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.05)

    def outputs(self) -> dict[str, str]:
        outputs = self._cfn.describe_stacks(StackName=self.name)["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def reasons(self) -> str:
        events = self._cfn.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)


@pytest.fixture
def stack(localcloud: Any, unique: str) -> Stack:
    return Stack(localcloud, f"stack-{unique}")


@pytest.fixture(scope="module")
def model_data(localcloud: Any) -> dict[str, str]:
    """A bucket with a model archive that serves, one that does not, and a role that may read both."""
    s3, iam, sm = (localcloud.client(name) for name in ("s3", "iam", "sagemaker"))
    bucket = "cfn-models"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="train/t.csv", Body=b"1,9,1\n0,1,9\n" * 20)
    s3.put_object(Bucket=bucket, Key="broken.tar.gz", Body=b"no archive")
    statement = {
        "Effect": "Allow",
        "Action": ["s3:*Object", "s3:ListBucket", "ecr:BatchGetImage", "logs:*"],
        "Resource": "*",
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17"}
    role = iam.create_role(
        RoleName="cfn-role", AssumeRolePolicyDocument=json.dumps({**document, "Statement": [trust]})
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="cfn-role", PolicyName="may", PolicyDocument=json.dumps({**document, "Statement": [statement]})
    )
    sm.create_training_job(
        TrainingJobName="cfn-training",
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        HyperParameters={"num_round": "1"},
    )
    sm.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="cfn-training", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    job = sm.describe_training_job(TrainingJobName="cfn-training")
    return {"role": role, "good": job["ModelArtifacts"]["S3ModelArtifacts"], "broken": f"s3://{bucket}/broken.tar.gz"}


def template(models: dict[str, str], data: str = "good", *, team: str = "a", **endpoint: Any) -> dict[str, Any]:
    """Model, configuration and endpoint, named by CloudFormation, as CDK writes them."""
    tags = [{"Key": "team", "Value": team}]
    return {
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {
                    "ExecutionRoleArn": models["role"],
                    "Tags": tags,
                    "PrimaryContainer": {"Image": XGBOOST, "ModelDataUrl": models[data]},
                },
            },
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "Tags": tags,
                    "ProductionVariants": [
                        {
                            "VariantName": "AllTraffic",
                            "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                            "InstanceType": "ml.m5.large",
                            "InitialInstanceCount": "1",
                            "InitialVariantWeight": 1,
                        }
                    ],
                },
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {
                    "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                    "Tags": tags,
                    **endpoint,
                },
            },
        },
        "Outputs": {
            "Endpoint": {"Value": {"Ref": "Endpoint"}},
            "EndpointName": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
            "Config": {"Value": {"Ref": "Config"}},
            "Model": {"Value": {"Ref": "Model"}},
        },
    }


def tags_of(sm: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in sm.list_tags(ResourceArn=arn)["Tags"]}


def test_a_hosted_model_from_create_to_delete(stack: Stack, sm: Any, runtime: Any, model_data: dict[str, str]) -> None:
    assert stack.create(template(model_data)) == "CREATE_COMPLETE", stack.reasons()
    out = stack.outputs()
    name = out["EndpointName"]
    assert out["Endpoint"] == f"{_ACCOUNT}:endpoint/{name}"
    assert re.fullmatch(r"Endpoint-[A-Za-z0-9]{12}", name)
    assert re.fullmatch(rf"{_ACCOUNT}:model/Model-[A-Za-z0-9]{{12}}", out["Model"])
    assert sm.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    assert runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"9,1")["Body"].read()
    assert tags_of(sm, out["Endpoint"]) == tags_of(sm, out["Config"]) == {"team": "a", "stack-wide": "yes"}
    assert tags_of(sm, out["Model"])["aws:cloudformation:stack-name"] == stack.name

    # tags alone change in place: nothing is replaced, nothing is rolled out
    assert stack.update(template(model_data, team="b")) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.outputs() == out
    for arn in (out["Endpoint"], out["Config"], out["Model"]):
        assert tags_of(sm, arn)["team"] == "b"

    # another model environment replaces model and configuration, and updates the endpoint in place
    changed = template(model_data, team="b")
    changed["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"] = {"LEVEL": 1}
    assert stack.update(changed) == "UPDATE_COMPLETE", stack.reasons()
    after = stack.outputs()
    assert after["Endpoint"] == out["Endpoint"]
    assert after["Model"] != out["Model"] and after["Config"] != out["Config"]
    assert sm.describe_endpoint(EndpointName=name)["EndpointConfigName"] == after["Config"].rpartition("/")[2]
    assert sm.describe_model(ModelName=after["Model"].rpartition("/")[2])["PrimaryContainer"]["Environment"] == {
        "LEVEL": "1"
    }
    with pytest.raises(ClientError, match="Could not find model"):
        sm.describe_model(ModelName=out["Model"].rpartition("/")[2])

    # an update that cannot serve is rolled back, by SageMaker and then by CloudFormation
    broken = template(model_data, "broken", team="b")
    assert stack.update(broken) == "UPDATE_ROLLBACK_COMPLETE", stack.reasons()
    assert "was rolled back to" in stack.reasons()
    assert runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"9,1")["Body"].read()

    assert stack.delete() == "DELETE_COMPLETE"
    for read, missing in (
        (lambda: sm.describe_endpoint(EndpointName=name), "endpoint"),
        (lambda: sm.describe_endpoint_config(EndpointConfigName=after["Config"].rpartition("/")[2]), "endpoint conf"),
        (lambda: sm.describe_model(ModelName=after["Model"].rpartition("/")[2]), "model"),
    ):
        with pytest.raises(ClientError, match=f"Could not find {missing}"):
            read()


def test_a_first_deployment_that_cannot_serve_is_rolled_back_to_nothing(
    stack: Stack, sm: Any, model_data: dict[str, str]
) -> None:
    assert stack.create(template(model_data, "broken")) == "ROLLBACK_COMPLETE"
    failed = re.search(r"Endpoint (\S+) is in status Failed:", stack.reasons())
    assert failed, stack.reasons()
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sm.describe_endpoint(EndpointName=failed[1].rpartition("/")[2])
    assert stack.delete() == "DELETE_COMPLETE"


def test_what_was_deleted_by_hand_is_no_obstacle(stack: Stack, sm: Any, model_data: dict[str, str]) -> None:
    assert stack.create(template(model_data)) == "CREATE_COMPLETE"
    out = stack.outputs()
    sm.delete_endpoint(EndpointName=out["EndpointName"])
    sm.delete_model(ModelName=out["Model"].rpartition("/")[2])
    sm.get_waiter("endpoint_deleted").wait(
        EndpointName=out["EndpointName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    assert stack.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Surprise": True}, "Surprise"),
        (
            {
                "DeploymentConfig": {
                    "RollingUpdatePolicy": {
                        "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                        "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                        "WaitIntervalInSeconds": 60,
                    }
                }
            },
            "[localcloud] CreateEndpoint: DeploymentConfig.RollingUpdatePolicy.RollbackMaximumBatchSize is",
        ),
    ],
)
def test_a_property_that_is_not_honoured_is_refused_by_name(
    stack: Stack, model_data: dict[str, str], change: dict[str, Any], text: str
) -> None:
    assert stack.create(template(model_data, **change)) == "ROLLBACK_COMPLETE"
    assert text in stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE"


def test_an_endpoint_in_progress_holds_up_the_delete(
    localcloud: Any, stack: Stack, sm: Any, model_data: dict[str, str], until: Callable[..., Any]
) -> None:
    """DELETE_FAILED with AWS's text while an update outside the stack goes on; a retry succeeds."""
    assert stack.create(template(model_data)) == "CREATE_COMPLETE"
    out = stack.outputs()
    name, config = out["EndpointName"], out["Config"].rpartition("/")[2]
    sm.create_model(
        ModelName=f"{name}-broken",
        ExecutionRoleArn=model_data["role"],
        PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": model_data["good"]},
    )
    sm.create_endpoint_config(
        EndpointConfigName=f"{config}-x",
        ProductionVariants=[
            {
                "VariantName": "v",
                "ModelName": f"{name}-broken",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sm.update_endpoint(EndpointName=name, EndpointConfigName=f"{config}-x")
    assert stack.delete() == "DELETE_FAILED"
    assert f'Cannot update in-progress endpoint "{out["Endpoint"]}".' in stack.reasons()
    until(lambda: sm.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    assert stack.delete() == "DELETE_COMPLETE"
