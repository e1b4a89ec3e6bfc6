"""Spending, notifications and budget actions."""

from __future__ import annotations

import json
import urllib.error
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import started
from tests.localcloud.core.stacks import Resources, Stack, eventually, role, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud

ACCOUNT = {"AccountId": "000000000000"}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sagemaker:Create*", "Resource": "*"}]}


@pytest.fixture
def server(tmp_path: Any) -> Iterator[Localcloud]:
    """One of its own: spending is the account's."""
    with started(tmp_path, {"LOCALCLOUD_CLOCK": "manual"}) as running:
        yield running


def spend(server: Localcloud, usd: float, **more: Any) -> Any:
    return server.admin("POST", "spend", {"usd": usd, **more})


def code(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return f"{caught.value.response['Error']['Code']}: {caught.value.response['Error']['Message']}"


def budget(**more: Any) -> dict[str, Any]:
    limit = {"Amount": 100, "Unit": "USD"}
    return {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit, **more}


def notified(topic: str, threshold: float, kind: str = "ACTUAL") -> dict[str, Any]:
    notification = {"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": threshold}
    return {"Notification": notification, "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}]}


class Topic:
    """A topic, with or without a statement for Budgets, and the queue that hears it."""

    def __init__(self, server: Localcloud, allowed: bool = True) -> None:
        self._sqs, sns, name = server.client("sqs"), server.client("sns"), unique("topic")
        self.arn = sns.create_topic(Name=name)["TopicArn"]
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        queue_arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy("sns", "sqs:SendMessage")})
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
        if allowed:
            text = policy("budgets", "sns:Publish")
            sns.set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=text)

    def said(self) -> list[str]:
        """What it said since the last time, oldest first."""
        found: list[str] = []
        while batch := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found


def policy(service: str, action: str) -> str:
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def limited(server: Localcloud, may_attach: bool = True, **properties: Any) -> tuple[Stack, Resources]:
    """A budget of 100 dollars whose action attaches a Deny policy to the role ``User`` at 100 %."""
    execution = role(service="budgets.amazonaws.com")
    if may_attach:
        allowed = {
            "Effect": "Allow",
            "Action": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            "Resource": {"Fn::GetAtt": ["User", "Arn"]},
            "Condition": {"ArnEquals": {"iam:PolicyARN": {"Ref": "Deny"}}},
        }
        execution = role(allowed, service="budgets.amazonaws.com")
    action = {
        "BudgetName": {"Ref": "Budget"},
        "ActionType": "APPLY_IAM_POLICY",
        "NotificationType": "ACTUAL",
        "ActionThreshold": {"Value": 100, "Type": "PERCENTAGE"},
        "ApprovalModel": "AUTOMATIC",
        "ExecutionRoleArn": {"Fn::GetAtt": ["Execution", "Arn"]},
        "Definition": {"IamActionDefinition": {"PolicyArn": {"Ref": "Deny"}, "Roles": [{"Ref": "User"}]}},
        "Subscribers": [{"Type": "EMAIL", "Address": "ml@example.com"}],
        **properties,
    }
    resources: Resources = {
        "User": role(),
        "Deny": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DENY}},
        "Execution": execution,
        "Budget": {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": budget()}},
        "Action": {"Type": "AWS::Budgets::BudgetsAction", "Properties": action},
    }
    stack = Stack(server, unique("limit"))
    assert stack.create(resources, {"Id": {"Value": {"Fn::GetAtt": ["Action", "ActionId"]}}}) == "CREATE_COMPLETE", (
        stack.reasons()
    )
    return stack, resources


def named(stack: Stack) -> dict[str, str]:
    """The parameters that name the action of a stack."""
    identifier, _, name = stack.physical("Action").partition("|")
    assert stack.describe()["Outputs"][0]["OutputValue"] == identifier
    return {**ACCOUNT, "BudgetName": name, "ActionId": identifier}


def status(server: Localcloud, names: dict[str, str]) -> str:
    return str(server.client("budgets").describe_budget_action(**names)["Action"]["Status"])


def attached(server: Localcloud, stack: Stack) -> list[str]:
    found = server.client("iam").list_attached_role_policies(RoleName=stack.physical("User"))["AttachedPolicies"]
    return [item["PolicyArn"] for item in found]


def advance(server: Localcloud) -> None:
    server.admin("POST", "clock", {"advance_seconds": 60})


def test_a_budget_counts_what_its_tags_say(server: Localcloud) -> None:
    api = server.client("budgets")
    ada = {"TagKeyValue": ["user:sandcastle:user$ada"]}
    grace = {"Tags": {"Key": "sandcastle:user", "Values": ["grace"], "MatchOptions": ["EQUALS"]}}
    team = {"Tags": {"Key": "sandcastle:environment", "Values": ["team"]}}
    for name, more in (
        ("all", {}),
        ("ada", {"CostFilters": ada}),
        ("grace", {"FilterExpression": {"And": [grace, team]}, "Metrics": ["UnblendedCost"]}),
    ):
        limit = {"Amount": "100", "Unit": "USD"}
        api.create_budget(**ACCOUNT, Budget=budget(BudgetName=name, **more) | {"BudgetLimit": limit})

    def amounts() -> dict[str, tuple[str, str | None]]:
        found = api.describe_budgets(**ACCOUNT)["Budgets"]
        spent = {item["BudgetName"]: item["CalculatedSpend"] for item in found}
        return {
            name: (value["ActualSpend"]["Amount"], value.get("ForecastedSpend", {}).get("Amount"))
            for name, value in spent.items()
        }

    spend(server, 30, tags={"sandcastle:user": "ada", "sandcastle:environment": "team"})
    spend(server, 8, forecast_usd=12, tags={"sandcastle:user": "grace", "sandcastle:environment": "team"})
    spend(server, 5, tags={"sandcastle:user": "grace", "sandcastle:environment": "other"})
    assert amounts() == {"all": ("43.00", "12.00"), "ada": ("30.00", None), "grace": ("8.00", "12.00")}
    spend(server, 120, forecast_usd=300)
    assert amounts() == {"all": ("120.00", "300.00"), "ada": ("30.00", None), "grace": ("8.00", "12.00")}


@pytest.mark.parametrize("document", [{}, {"usd": -1}, {"usd": "much"}, {"usd": 1, "colour": "red"}])
def test_wrong_spending_is_refused(localcloud: Localcloud, document: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        localcloud.admin("POST", "spend", document)


def test_a_filter_that_is_not_modelled_is_refused_by_name(localcloud: Localcloud) -> None:
    create = localcloud.client("budgets").create_budget
    limit = {"Amount": "100", "Unit": "USD"}
    for more in (
        {"CostFilters": {"Service": ["Amazon EC2"]}},
        {"FilterExpression": {"Dimensions": {"Key": "REGION", "Values": ["x"]}}},
    ):
        refused = partial(create, **ACCOUNT, Budget=budget(BudgetName="x", **more) | {"BudgetLimit": limit})
        assert "not supported yet" in code(refused)


def test_subscribers_are_told_once_and_only_where_the_topic_lets_budgets_in(server: Localcloud) -> None:
    topic, closed, stack = Topic(server), Topic(server, allowed=False), Stack(server, unique("told"))
    entries = [notified(topic.arn, 80), notified(topic.arn, 100, "FORECASTED"), notified(closed.arn, 50)]
    properties = {"Budget": budget(), "NotificationsWithSubscribers": entries}
    stack.create({"Budget": {"Type": "AWS::Budgets::Budget", "Properties": properties}})
    spend(server, 79)
    assert topic.said() == []
    report = spend(server, 81, forecast_usd=99)
    spend(server, 90, forecast_usd=99)
    (text,) = eventually(topic.said)
    assert "actual cost of this month is 81.00 USD" in text
    assert closed.said() == []
    problems = {entry["to"]: entry["problem"] for entry in report["sent"]}
    assert problems[topic.arn] is None
    assert "does not let budgets.amazonaws.com publish" in problems[closed.arn]
    spend(server, 90, forecast_usd=101)
    assert "forecasted cost" in eventually(topic.said)[0]


def test_an_automatic_action_freezes_the_role_and_can_be_reversed_and_reset(server: Localcloud) -> None:
    stack, resources = limited(server)
    api, names = server.client("budgets"), named(stack)
    spend(server, 100)
    assert status(server, names) == "STANDBY"
    spend(server, 101)
    assert status(server, names) == "EXECUTION_IN_PROGRESS"
    assert "ResourceLockedException" in code(partial(api.delete_budget_action, **names))
    assert "ResourceLockedException" in code(partial(api.update_budget_action, **names, ApprovalModel="MANUAL"))
    advance(server)
    assert status(server, names) == "EXECUTION_SUCCESS"
    assert attached(server, stack) == [stack.physical("Deny")]
    spend(server, 150)
    assert status(server, names) == "EXECUTION_SUCCESS"

    api.execute_budget_action(**names, ExecutionType="REVERSE_BUDGET_ACTION")
    assert status(server, names) == "REVERSE_IN_PROGRESS"
    advance(server)
    assert (status(server, names), attached(server, stack)) == ("REVERSE_SUCCESS", [])
    api.execute_budget_action(**names, ExecutionType="RESET_BUDGET_ACTION")
    advance(server)
    assert status(server, names) == "STANDBY"
    approve = partial(api.execute_budget_action, **names, ExecutionType="APPROVE_BUDGET_ACTION")
    assert "InvalidParameterException" in code(approve)

    resources["Action"]["Properties"]["ActionThreshold"]["Value"] = 200
    outputs = {"Id": {"Value": {"Fn::GetAtt": ["Action", "ActionId"]}}}
    assert stack.update(resources, outputs) == "UPDATE_COMPLETE", stack.reasons()
    assert named(stack) == names
    assert api.describe_budget_action(**names)["Action"]["ActionThreshold"]["ActionThresholdValue"] == 200
    assert stack.delete() == "DELETE_COMPLETE"


def test_deleting_an_executed_action_leaves_the_policy_attached(server: Localcloud) -> None:
    """The trap: the stack cannot delete the role and the policy until somebody detaches."""
    stack, _ = limited(server)
    spend(server, 101)
    advance(server)
    user, deny = stack.physical("User"), stack.physical("Deny")
    assert stack.delete() == "DELETE_FAILED"
    assert {"User": "DELETE_FAILED", "Deny": "DELETE_FAILED"}.items() <= stack.statuses().items()
    assert "Action" not in [name for name, state in stack.statuses().items() if state != "DELETE_COMPLETE"]
    server.client("iam").detach_role_policy(RoleName=user, PolicyArn=deny)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_manual_action_waits_for_approval(server: Localcloud) -> None:
    stack, _ = limited(server, ApprovalModel="MANUAL")
    names = named(stack)
    report = spend(server, 101)
    assert "waits for your approval" in report["sent"][-1]["text"]
    advance(server)
    assert (status(server, names), attached(server, stack)) == ("PENDING", [])
    server.client("budgets").execute_budget_action(**names, ExecutionType="APPROVE_BUDGET_ACTION")
    advance(server)
    assert (status(server, names), attached(server, stack)) == ("EXECUTION_SUCCESS", [stack.physical("Deny")])


def test_an_action_is_as_strong_as_its_role(server: Localcloud) -> None:
    stack, _ = limited(server, may_attach=False)
    names, api = named(stack), server.client("budgets")
    spend(server, 101)
    advance(server)
    assert (status(server, names), attached(server, stack)) == ("EXECUTION_FAILURE", [])
    newest = api.describe_budget_action_histories(**names)["ActionHistories"][0]
    assert "iam:AttachRolePolicy" in newest["ActionHistoryDetails"]["Message"]
    api.execute_budget_action(**names, ExecutionType="RETRY_BUDGET_ACTION")
    assert status(server, names) == "EXECUTION_IN_PROGRESS"
    advance(server)
    assert status(server, names) == "EXECUTION_FAILURE"


def test_the_execution_role_must_trust_budgets(localcloud: Localcloud) -> None:
    stack = Stack(localcloud, unique("untrusted"))
    wrong = {"Budget": {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": budget()}}, "Execution": role()}
    stack.create(wrong)
    request = {
        **ACCOUNT,
        "BudgetName": stack.physical("Budget"),
        "NotificationType": "ACTUAL",
        "ActionType": "APPLY_IAM_POLICY",
        "ActionThreshold": {"ActionThresholdValue": 1.0, "ActionThresholdType": "PERCENTAGE"},
        "Definition": {"IamActionDefinition": {"PolicyArn": "arn:aws:iam::000000000000:policy/x", "Roles": ["y"]}},
        "ExecutionRoleArn": f"arn:aws:iam::000000000000:role/{stack.physical('Execution')}",
        "ApprovalModel": "AUTOMATIC",
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}],
    }
    create = localcloud.client("budgets").create_budget_action
    assert "AccessDeniedException: Budgets permission required to assume" in code(partial(create, **request))
    missing = {**request, "BudgetName": "nothing"}
    assert "NotFoundException" in code(partial(create, **missing))
    stop = {"ActionSubType": "STOP_EC2_INSTANCES", "Region": "us-east-1", "InstanceIds": ["i-0123456789"]}
    other = {**request, "ActionType": "RUN_SSM_DOCUMENTS", "Definition": {"SsmActionDefinition": stop}}
    assert "RUN_SSM_DOCUMENTS is not supported yet" in code(partial(create, **other))
