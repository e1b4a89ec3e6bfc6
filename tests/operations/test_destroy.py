"""Destroy without the CDK command line: whatever state the stacks are in, what is left is nothing, or reported."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from operations.console import Console
from operations.destroy import destroy
from operations.destroy.layers import delete_stacks, layer
from operations.stacks import environment_stacks
from operations.target import Target
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import wait_for
from tests.operations.furniture import Furniture

pytestmark = pytest.mark.localcloud

GROUP = {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "registry-of-{}"}}
TOPIC = {"Type": "AWS::SNS::Topic"}


@pytest.fixture(autouse=True)
def quiet(server: Localcloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    """No rule of another test, and pages in a folder of the test's own."""
    monkeypatch.setattr("operations.destroy.flow.REPORTS", tmp_path)
    server.admin("POST", "faults", {"rules": []})
    yield
    server.admin("POST", "faults", {"rules": []})


def run(target: Target, environment: str) -> dict[str, Any]:
    return destroy(target, environment, Console(as_json=True), file=None)


def stack(target: Target, environment: str, part: str, resources: Any, wanted: str = "CREATE_COMPLETE") -> str:
    """Make a stack and wait for the status that it comes to."""
    client = target.client("cloudformation")
    made: str = client.create_stack(
        StackName=f"sandcastle-{environment}-{part}", TemplateBody=json.dumps({"Resources": resources}),
        Tags=[{"Key": "sandcastle:environment", "Value": environment}], Capabilities=["CAPABILITY_IAM"],
    )["StackId"]  # fmt: skip
    assert settled(target, made) == wanted
    return made


def settled(target: Target, stack_id: str) -> str:
    def status() -> str:
        return str(target.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])

    return str(wait_for(status, lambda found: not found.endswith("_IN_PROGRESS")))


def group(environment: str) -> dict[str, Any]:
    return {"Type": GROUP["Type"], "Properties": {"ModelPackageGroupName": f"registry-of-{environment}"}}


@pytest.mark.parametrize(
    ("part", "when"),
    [("teardown", 0), ("studio", 1), ("notebook", 1), ("workload-bank", 1), ("foundation", 2), ("guardrails", 3)],
)
def test_stacks_go_in_layers(part: str, when: int) -> None:
    assert layer("a", f"sandcastle-a-{part}") == when


def test_the_guardrails_go_last_and_the_teardown_first(target: Target) -> None:
    for part in ("guardrails", "foundation", "workload-bank", "studio", "teardown"):
        stack(target, "layers", part, {"Topic": TOPIC})
    report = run(target, "layers")
    assert report["clean"] is True
    assert report["attempts"] == 1
    names = [one["name"].removeprefix("sandcastle-layers-") for one in report["stacks"]]
    assert names[0] == "teardown"
    assert set(names[1:3]) == {"studio", "workload-bank"}
    assert names[3:] == ["foundation", "guardrails"]
    assert [one["deleted"] for one in report["stacks"]] == [1] * 5
    assert report["calls"] > 100
    assert report["before"]["findings"]


def test_guardrails_stay_while_anything_else_does(target: Target, server: Localcloud) -> None:
    stack(target, "stay", "guardrails", {"Topic": TOPIC})
    stack(target, "stay", "workload-bank", {"Group": group("stay")})
    registered(target, "stay")
    delete_stacks(target, "stay", Console(as_json=True))
    left = {one.name.removeprefix("sandcastle-stay-"): one.status for one in environment_stacks(target, "stay")}
    assert left == {"workload-bank": "DELETE_FAILED", "guardrails": "CREATE_COMPLETE"}
    assert run(target, "stay")["clean"] is True


def registered(target: Target, environment: str) -> None:
    """A package that no stack knows: the group's deletion by CloudFormation fails because of it."""
    target.client("sagemaker").create_model_package(
        ModelPackageGroupName=f"registry-of-{environment}",
        InferenceSpecification={
            "Containers": [{"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
        },
    )  # fmt: skip


def test_what_held_a_stack_back_is_swept_before_the_next_attempt(target: Target) -> None:
    stack(target, "held", "teardown", {"Topic": TOPIC})  # with one, what was made at run time is left to its janitor
    made = stack(target, "held", "workload-bank", {"Group": group("held"), "Topic": TOPIC})
    registered(target, "held")
    target.client("cloudformation").delete_stack(StackName=made)
    assert settled(target, made) == "DELETE_FAILED"
    report = run(target, "held")
    assert report["clean"] is True
    assert report["attempts"] == 2
    assert "registry-of-held/1" in report["swept"]
    assert any("Model Package" in failure for one in report["stacks"] for failure in one["failures"])


def test_a_stack_that_never_came_up_is_deleted_too(target: Target) -> None:
    broken = {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": []}}
    stack(
        target, "never", "workload-bank", {"Topic": TOPIC, "Bad": {**broken, "DependsOn": "Topic"}}, "ROLLBACK_COMPLETE"
    )
    report = run(target, "never")
    assert report["clean"] is True
    assert report["destroyed"] == ["sandcastle-never-workload-bank"]


BROKEN = """
import json, urllib.request

def handler(event, context):
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS" if event["RequestType"] == "Create" else "FAILED", "Reason": "broken on purpose"}
    answer |= {"PhysicalResourceId": "broken"}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request).read()
"""


def test_a_failed_rollback_of_what_never_deletes_itself_ends_at_zero(target: Target) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    function = {"Runtime": "python3.13", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]}}
    own = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 60}

    def resources(version: int) -> dict[str, Any]:
        return {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {**function, "Code": {"ZipFile": BROKEN}}},
            "Broken": {"Type": "Custom::Broken", "Properties": {**own, "Version": version}},
        }

    made = stack(target, "broken", "workload-bank", resources(1))
    client = target.client("cloudformation")
    client.update_stack(
        StackName=made, TemplateBody=json.dumps({"Resources": resources(2)}), Capabilities=["CAPABILITY_IAM"]
    )
    assert settled(target, made) == "UPDATE_ROLLBACK_FAILED"
    report = run(target, "broken")
    assert report["clean"] is True
    assert report["attempts"] == 3
    assert report["stacks"][0]["failures"]
    assert any("Function" in name for name in report["swept"])


def test_triggers_are_disabled_first_and_what_runs_is_told_to_stop(target: Target, server: Localcloud) -> None:
    house = Furniture(target, server, "quiet")
    stack(target, "quiet", "studio", {"Topic": TOPIC})
    house.storage()
    house.code()
    house.triggers()
    report = run(target, "quiet")
    assert report["clean"] is True
    said = " ".join(report["quiesced"])
    assert "schedule group-of-quiet/wake fires no more" in said
    assert "event rule rule-of-quiet fires no more" in said


def test_what_refuses_is_reported_with_its_cost_and_its_command(target: Target, server: Localcloud) -> None:
    house = Furniture(target, server, "refuses")
    house.watching()
    rule = {"service": "cloudwatch", "operation": "DeleteAlarms", "effect": "fail"}
    rule |= {"code": "AccessDenied", "message": "not for you"}
    server.admin("POST", "faults", {"rules": [rule]})
    report = run(target, "refuses")
    assert report["clean"] is False
    [left] = report["refused"]
    assert left["kind"] == "alarm"
    assert left["monthly_usd"] == pytest.approx(0.10)
    assert left["remove"] == "aws cloudwatch delete-alarms --alarm-names alarm-of-refuses --region us-east-1"
    assert "not for you" in left["refused"]
    page = urllib.request.url2pathname(report["page"])
    assert "not for you" in open(page, encoding="utf-8").read()  # noqa: SIM115, PTH123  # one line, a test
    server.admin("POST", "faults", {"rules": []})
    assert run(target, "refuses")["clean"] is True


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_throttled_account_is_waited_for(target: Target, server: Localcloud, share: float) -> None:
    environment = f"throttled-{int(share * 100)}"
    house = Furniture(target, server, environment)
    for part in ("guardrails", "workload-bank"):
        stack(target, environment, part, {"Topic": TOPIC})
    house.storage()
    house.network()
    house.watching()
    server.admin("POST", "faults", {"rules": [
        {"service": "*", "operation": "*", "effect": "throttle", "probability": share, "seed": 7}
    ]})  # fmt: skip
    report = run(target, environment)
    assert report["clean"] is True
    assert report["refused"] == []
    assert report["retries"] > report["calls"] * share / 3
