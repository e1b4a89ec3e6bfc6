"""Fixtures of the SageMaker service: a scripted world, and clients and roles of a running server."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localcloud.sagemaker.quotas import table
from tests.localcloud.sagemaker.scripted_backend import World

_numbers = itertools.count(1)
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sm(localcloud: Any) -> Any:
    return localcloud.client("sagemaker")


@pytest.fixture
def runtime(localcloud: Any) -> Any:
    return localcloud.client("sagemaker-runtime")


@pytest.fixture
def unique() -> str:
    """A name that no other test of the session uses."""
    return f"t{next(_numbers)}"


@pytest.fixture
def make_role(localcloud: Any) -> Callable[..., str]:
    """(allowed actions and resources, trusted service) -> ARN of a new role."""
    iam = localcloud.client("iam")

    def make(*statements: tuple[list[str], list[str]], service: str = "sagemaker.amazonaws.com") -> str:
        name = f"sm-role-{next(_numbers)}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
        allowed = [{"Effect": "Allow", "Action": actions, "Resource": on} for actions, on in statements]
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=_document(allowed))
        return str(role["Role"]["Arn"])

    return make


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "nothing happened in 30 s"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def trained_model(localcloud: Any) -> str:
    """The name of a model that serves, and of the bucket and the role that it has."""
    s3, iam, sm = (localcloud.client(name) for name in ("s3", "iam", "sagemaker"))
    name = "trained-model"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="train/t.csv", Body=b"1,9,1\n0,1,9\n" * 20)
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    actions = ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "ecr:BatchGetImage", "logs:*"]
    may = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for statement in (trust, may)]
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=documents[1])
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{name}/train/"}}
    sm.create_training_job(
        TrainingJobName=name,
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": f"s3://{name}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        HyperParameters={"num_round": "1"},
    )
    quickly = {"Delay": 1, "MaxAttempts": 60}
    sm.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig=quickly)
    data = sm.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    sm.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": data})
    return name


@pytest.fixture
def hosted(localcloud: Any, trained_model: str) -> Callable[..., str]:
    """(instance type, more members of the configuration) -> name of a new endpoint in service, variant ``all``."""
    sm = localcloud.client("sagemaker")

    def host(instance_type: str = "ml.m5.large", **config: Any) -> str:
        name = f"endpoint-{next(_numbers)}"
        variant = {
            "VariantName": "all",
            "ModelName": trained_model,
            "InstanceType": instance_type,
            "InitialInstanceCount": 1,
        }
        sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **config)
        sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
        sm.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return name

    return host


@pytest.fixture(scope="module")
def room_for_domains(localcloud: Any) -> Iterator[None]:
    """More domains than an account may have: tests leave theirs behind on the server that all of them share."""
    localcloud.admin("POST", "quotas", {"Total domains": 1000})
    yield
    localcloud.admin("POST", "quotas", {"Total domains": table()["Total domains"].default})
