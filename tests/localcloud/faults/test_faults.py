"""Faults of a running server: every protocol's refusals, functions that die, persons who act."""

from __future__ import annotations

import json
import time
import urllib.error
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Stack, eventually, function, provider, role, unique
from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker import pipeline_parts as parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud


@pytest.fixture(autouse=True)
def clean(localcloud: Localcloud) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    localcloud.admin("POST", "faults", {})


def faults(server: Localcloud, *rules: dict[str, Any]) -> Any:
    return server.admin("POST", "faults", {"rules": list(rules)})["rules"]


def counted(server: Localcloud) -> list[tuple[int, int]]:
    return [(rule["matched"], rule["applied"]) for rule in server.admin("GET", "faults")["rules"]]


def error(call: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("service", "operation", "method", "parameters", "expected"),
    [
        ("sagemaker", "ListModels", "list_models", {}, ("ThrottlingException", 400)),
        ("logs", "DescribeLogGroups", "describe_log_groups", {}, ("ThrottlingException", 400)),
        ("iam", "ListRoles", "list_roles", {}, ("Throttling", 400)),
        ("sts", "GetCallerIdentity", "get_caller_identity", {}, ("Throttling", 400)),
        ("cloudformation", "DescribeStacks", "describe_stacks", {}, ("Throttling", 400)),
        ("sns", "ListTopics", "list_topics", {}, ("Throttled", 429)),
        ("sqs", "ListQueues", "list_queues", {}, ("RequestThrottled", 400)),
        ("ec2", "DescribeVpcs", "describe_vpcs", {}, ("RequestLimitExceeded", 503)),
        ("s3", "ListAllMyBuckets", "list_buckets", {}, ("SlowDown", 503)),
        ("s3", "PutObject", "put_object", {"Bucket": "b-1", "Key": "k/x", "Body": b"1"}, ("SlowDown", 503)),
        ("lambda", "ListFunctions", "list_functions", {}, ("TooManyRequestsException", 429)),
        ("efs", "DescribeFileSystems", "describe_file_systems", {}, ("ThrottlingException", 429)),
        ("scheduler", "ListSchedules", "list_schedules", {}, ("ThrottlingException", 429)),
        ("budgets", "DescribeBudgets", "describe_budgets", {"AccountId": "000000000000"}, ("ThrottlingException", 400)),
        ("cloudwatch", "DescribeAlarms", "describe_alarms", {}, ("ThrottlingException", 400)),
        ("resourcegroupstaggingapi", "GetResources", "get_resources", {}, ("ThrottledException", 400)),
    ],
)
def test_each_service_throttles_in_its_own_words(
    localcloud: Localcloud,
    service: str,
    operation: str,
    method: str,
    parameters: dict[str, Any],
    expected: tuple[str, int],
) -> None:
    named = {"efs": "elasticfilesystem", "resourcegroupstaggingapi": "tag"}.get(service, service)
    faults(localcloud, {"service": named, "operation": operation, "effect": "throttle"})
    client = localcloud.client(service)
    assert error(partial(getattr(client, method), **parameters)) == expected
    assert counted(localcloud) == [(2, 2)]  # the call and the one retry that the tests' clients make


def test_others_are_left_alone_and_an_sdk_gets_over_a_few(localcloud: Localcloud) -> None:
    import boto3
    from botocore.config import Config

    name = unique("drain")
    faults(localcloud, {"service": "iam", "operation": "ListUsers", "effect": "throttle", "times": 2})
    localcloud.client("iam").list_roles()
    patient = boto3.client(
        "iam",
        endpoint_url=localcloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 4, "mode": "standard"}),
    )
    assert patient.list_users()["ResponseMetadata"]["RetryAttempts"] == 2
    assert counted(localcloud) == [(3, 2)]
    faults(localcloud, {"principal": name, "effect": "throttle"})
    localcloud.client("iam").list_users()
    assert counted(localcloud) == [(0, 0)]


def test_a_call_fails_or_waits_as_told(localcloud: Localcloud) -> None:
    faults(
        localcloud,
        {"service": "ec2", "operation": "DeleteVpc", "effect": "delay", "seconds": 0.4, "times": 1},
        {
            "service": "ec2",
            "operation": "DeleteVpc",
            "effect": "fail",
            "code": "DependencyViolation",
            "message": "The vpc <x> has dependencies & cannot be deleted.",
            "times": 1,
        },
        {"service": "sagemaker", "operation": "ListModels", "effect": "fail", "after": 1},
    )
    ec2, started_at = localcloud.client("ec2"), time.monotonic()
    with pytest.raises(ClientError, match="The vpc <x> has dependencies & cannot") as caught:
        ec2.delete_vpc(VpcId="vpc-1")
    assert caught.value.response["Error"]["Code"] == "DependencyViolation"
    assert time.monotonic() - started_at >= 0.4
    assert error(partial(ec2.delete_vpc, VpcId="vpc-1"))[0] == "InvalidVpcID.NotFound"
    models = localcloud.client("sagemaker")
    models.list_models()
    assert error(models.list_models) == ("InternalFailure", 500)


def test_admin_calls_never_fail_and_a_reset_clears(localcloud: Localcloud) -> None:
    faults(localcloud, {"effect": "fail"})
    assert localcloud.admin("GET", "health")["status"] == "running"
    assert error(localcloud.client("iam").list_users)[0] == "InternalFailure"
    localcloud.admin("POST", "faults", [])
    localcloud.client("iam").list_users()


def test_a_wrong_rule_is_refused(localcloud: Localcloud) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        faults(localcloud, {"effect": "explode"})


WRITER = """
import boto3, os
def handler(event, context):
    ssm = boto3.client("ssm")
    for step in ("one", "two"):
        ssm.put_parameter(Name="/" + os.environ["NAME"] + "/" + step, Value="x", Type="String", Overwrite=True)
    return "done"
"""


def writer(server: Localcloud) -> tuple[str, Any]:
    """A function that makes two calls, and what tells which took effect."""
    name = unique("writer")
    stack = Stack(server, name)
    allowed = {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}
    assert (
        stack.create({"Role": role(allowed), "Function": function(WRITER, {"NAME": name}, FunctionName=name)})
        == "CREATE_COMPLETE"
    )

    def written() -> list[str]:
        names = [f"/{name}/one", f"/{name}/two"]
        return [p["Name"].rpartition("/")[2] for p in server.client("ssm").get_parameters(Names=names)["Parameters"]]

    return name, written


def invoke(server: Localcloud, name: str) -> Any:
    return json.load(server.client("lambda").invoke(FunctionName=name)["Payload"])


def test_a_function_dies_before_or_after_a_call(localcloud: Localcloud) -> None:
    name, written = writer(localcloud)
    faults(localcloud, {"function": name, "effect": "crash", "when": "start", "times": 1})
    died = invoke(localcloud, name)
    assert died["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error" in died["errorMessage"]
    assert written() == []
    faults(localcloud, {"function": name, "effect": "time-out", "when": "end", "times": 1})
    died = invoke(localcloud, name)
    assert died == {"errorMessage": "Task timed out after 20.00 seconds", "errorType": "Sandbox.Timedout"}
    assert written() == ["one"]
    assert invoke(localcloud, name) == "done"
    assert written() == ["one", "two"]


def test_a_function_dies_at_the_call_that_a_rule_names(localcloud: Localcloud) -> None:
    rule = {"service": "ssm", "operation": "PutParameter", "effect": "crash-function", "times": 1}
    for when, expected in (("start", []), ("end", ["one"])):
        name, written = writer(localcloud)
        faults(localcloud, {**rule, "principal": name, "when": when})
        assert invoke(localcloud, name)["errorType"] == "Runtime.ExitError"
        assert written() == expected
        assert invoke(localcloud, name) == "done"
    faults(localcloud, {**rule, "principal": ":root"})
    localcloud.client("ssm").put_parameter(Name=unique("/root"), Value="x", Type="String")


def test_a_custom_resource_survives_two_crashes_of_its_function(localcloud: Localcloud) -> None:
    """Lambda tries three times: the third attempt answers."""
    name = unique("crashing")
    stack = Stack(localcloud, name)
    faults(
        localcloud,
        {"function": name, "effect": "crash", "when": "end", "times": 1},
        {"function": name, "effect": "time-out", "when": "start", "times": 1},
    )
    assert stack.create(provider(name)) == "CREATE_COMPLETE", stack.reasons()
    assert localcloud.client("ssm").get_parameter(Name=f"/{name}/Create")["Parameter"]["Version"] == 2
    faults(localcloud, {"function": name, "effect": "crash", "times": 3})
    assert stack.delete() == "DELETE_FAILED"
    assert "Runtime.ExitError" in stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE"


def test_what_the_steps_of_a_pipeline_ask_for_meets_faults_too(localcloud: Localcloud) -> None:
    name, sm = unique("faulty"), localcloud.client("sagemaker")
    may = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:*"}
    pipeline_role = live.role(localcloud, name, [may])
    step = parts.register("Register", "s3://bucket/model.tar.gz")
    sm.create_pipeline(PipelineName=name, PipelineDefinition=parts.document(step), RoleArn=pipeline_role)
    tag = {
        "service": "ssm",
        "operation": "PutParameter",
        "parameters": {"Name": f"/{name}", "Value": "x", "Type": "String"},
    }
    registering = {"service": "sagemaker", "operation": "CreateModelPackage"}
    faults(
        localcloud,
        {**registering, "principal": f"/{name}/", "effect": "throttle", "times": 2},
        {"when": registering, "call": tag},
    )
    execution = sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]

    def ended() -> Any:
        status = sm.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
        return status != "Executing" and status

    assert eventually(ended) == "Succeeded"
    (found,) = sm.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    assert found["AttemptCount"] == 3
    assert counted(localcloud)[0] == (3, 2)
    assert eventually(lambda: localcloud.client("ssm").get_parameters(Names=[f"/{name}"])["Parameters"])


def test_a_person_acts_after_a_call(localcloud: Localcloud) -> None:
    sns, topic, other = localcloud.client("sns"), unique("topic"), unique("again")
    arn = sns.create_topic(Name=topic)["TopicArn"]
    create = {"service": "sns", "operation": "CreateTopic", "parameters": {"Name": other}}
    name = {"service": "ssm", "operation": "PutParameter", "parameters": {"Name": "$request.Name", "Value": "2"}}
    faults(
        localcloud,
        {"when": {"service": "sns", "operation": "DeleteTopic"}, "call": create, "times": 1},
        {"when": {"service": "ssm", "operation": "PutParameter"}, "call": name, "times": 1},
        # a call of a person is no call for the rules: this would go on for ever
        {"when": {"service": "sns", "operation": "CreateTopic"}, "call": create},
    )
    sns.delete_topic(TopicArn=arn)
    eventually(lambda: [t for t in sns.list_topics()["Topics"] if t["TopicArn"].endswith(other)])
    ssm, parameter = localcloud.client("ssm"), unique("/note")
    ssm.put_parameter(Name=parameter, Value="1", Type="String")

    def outcomes() -> list[list[str]]:
        return [rule["outcomes"] for rule in localcloud.admin("GET", "faults")["rules"]]

    eventually(lambda: len(outcomes()[1]) == 1)
    first, second, third = outcomes()
    assert (first, third) == (["done"], [])
    assert second[0].startswith("ParameterAlreadyExists"), "a failure is on record, not raised"
