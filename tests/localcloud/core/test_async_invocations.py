"""Functions that invoke themselves asynchronously, and custom resources that are answered by a later invocation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.core.stacks import Resources, Stack, eventually, function, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud

#: a provider that hands over to itself HOPS times and then answers; at hop DIES its first TIMES attempts raise
JANITOR = """
import json, os, urllib.request
import boto3

def handler(event, context):
    hop = event.get("Hop", 0)
    name = os.environ["NAME"]
    attempt = boto3.client("ssm").put_parameter(Name=f"/{name}/{event['RequestType']}/{hop}", Value="x",
                                                Type="String", Overwrite=True)["Version"]
    dies = str(hop) == os.environ.get("DIES") and attempt <= int(os.environ.get("TIMES", "3"))
    if dies and event["RequestType"] == "Delete":
        raise RuntimeError("no luck at hop " + str(hop))
    if event["RequestType"] == "Delete" and hop < int(os.environ["HOPS"]):
        boto3.client("lambda").invoke(FunctionName=context.invoked_function_arn, InvocationType="Event",
                                      Payload=json.dumps({**event, "Hop": hop + 1}))
        return
    body = json.dumps({"Status": "SUCCESS", "PhysicalResourceId": "janitor", "StackId": event["StackId"],
                       "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"]}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT"))
"""


def janitor(name: str, allowed: bool = True, **environment: str) -> Resources:
    """The function has a name of its own, so that its role can name it without a circle."""
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}]
    if allowed:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
        statements.append({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})
    return {
        "Role": role(*statements),
        "Function": function(JANITOR, {"NAME": name, **environment}, FunctionName=name),
        "Thing": {"Type": "Custom::Janitor", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
    }


def versions(server: Localcloud, name: str) -> list[int]:
    """How often each hop of the Delete ran."""
    ssm, found = server.client("ssm"), []
    for hop in range(4):
        listed = ssm.get_parameters(Names=[f"/{name}/Delete/{hop}"])["Parameters"]
        found += [parameter["Version"] for parameter in listed]
    return found


def test_a_custom_resource_is_answered_by_a_later_invocation(localcloud: Localcloud) -> None:
    name = unique("janitor")
    stack = Stack(localcloud, name)
    assert stack.create(janitor(name, HOPS="3")) == "CREATE_COMPLETE", stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE"
    assert versions(localcloud, name) == [1, 1, 1, 1]


def test_it_fails_at_once_when_the_last_of_them_died_for_good(localcloud: Localcloud) -> None:
    name = unique("janitor")
    stack = Stack(localcloud, name)
    stack.create(janitor(name, HOPS="3", DIES="1"))
    assert stack.delete() == "DELETE_FAILED"
    assert "RuntimeError: no luck at hop 1" in stack.reasons()
    assert versions(localcloud, name) == [1, 3]


def test_a_function_needs_permission_to_invoke_itself(localcloud: Localcloud) -> None:
    name = unique("janitor")
    stack = Stack(localcloud, name)
    stack.create(janitor(name, allowed=False, HOPS="1"))
    assert stack.delete() == "DELETE_FAILED"
    assert "lambda:InvokeFunction" in stack.reasons()


def test_a_retry_answers_for_a_crashed_attempt(localcloud: Localcloud) -> None:
    """The function dies once: Lambda's own retry, a minute later, gives the answer and nobody is told of the crash."""
    name = unique("retry")
    stack = Stack(localcloud, name)
    assert stack.create(janitor(name, HOPS="0", DIES="0", TIMES="1")) == "CREATE_COMPLETE", stack.reasons()
    before = localcloud.admin("GET", "clock")["now"]
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()
    assert versions(localcloud, name) == [2]
    assert localcloud.admin("GET", "clock")["now"] - before >= 60


def test_a_cancelled_create_is_deleted_while_its_function_still_runs(localcloud: Localcloud) -> None:
    """As aws-cloudformation/cloudformation-coverage-roadmap#1730 reports."""
    name, ssm = unique("slow"), localcloud.client("ssm")
    resources = janitor(name, HOPS="0")
    code = resources["Function"]["Properties"]["Code"]["ZipFile"]
    slow = (
        '    if event["RequestType"] == "Create":\n        import time\n        time.sleep(25)\n'
        '        boto3.client("ssm").put_parameter(Name="/" + name + "/slept", Value="-", Type="String")\n    body = '
    )
    resources["Function"]["Properties"]["Code"]["ZipFile"] = code.replace("    body = ", slow)
    stack = Stack(localcloud, name)
    stack.create(resources, wait=False)
    eventually(lambda: ssm.get_parameters(Names=[f"/{name}/Create/0"])["Parameters"])
    assert stack.delete() == "DELETE_COMPLETE"
    assert not ssm.get_parameters(Names=[f"/{name}/slept"])["Parameters"], "it was waited for"
    assert versions(localcloud, name) == [1]


def test_an_event_that_keeps_failing_goes_to_the_destination(localcloud: Localcloud) -> None:
    name = unique("failing")
    queue = localcloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    code = "def handler(event, context): raise ValueError('never')"
    stack = Stack(localcloud, name)
    assert stack.create({"Role": role(), "Function": function(code, FunctionName=name)}) == "CREATE_COMPLETE"
    client = localcloud.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{name}"}},
    )
    assert client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"a": 1}')["StatusCode"] == 202
    receive = localcloud.client("sqs").receive_message
    (message,) = eventually(lambda: receive(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    assert json.loads(message["Body"])["requestPayload"] == {"a": 1}
