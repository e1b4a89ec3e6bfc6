"""The spending limit: what it denies, to whom, when, and that a deletion can always undo it."""

from __future__ import annotations

from functools import cache

import pytest

from operations.review.access.decide import Answer, answer_of
from sandcastle.billed_actions import BILLED_ACTIONS
from sandcastle.promises import promises_of
from sandcastle.template import resolve, symbols
from tests.constructs.stack_for import template_of
from tests.stacks.graph import dependencies
from tests.stacks.statements import role_statements
from tests.synthesis import ROOT, Template, resources

ROLE = "Limited"


@cache
def template() -> Template:
    from sandcastle.assets import Assets
    from sandcastle.code import code_asset
    from sandcastle.resource import EnvironmentStack
    from sandcastle.roles import ServiceRole
    from sandcastle.spending_limit import SpendingLimit

    def build(stack: EnvironmentStack) -> None:
        role = ServiceRole(stack, ROLE, service="sagemaker.amazonaws.com", description="a role", statements=[])
        SpendingLimit(
            stack,
            "Limit",
            roles=[role],
            budget_name="the-budget",
            topic_arn="arn:aws:sns:us-east-1:000000000000:topic",
            code=code_asset(stack, Assets(ROOT).functions),
        )

    return template_of(build)


def only(kind: str, part: str = "") -> str:
    (found,) = (key for key in resources(template(), kind) if part in key)
    return found


def test_the_policy_denies_new_spending_and_nothing_else() -> None:
    properties = template()["Resources"][only("AWS::IAM::ManagedPolicy")]["Properties"]
    (statement,) = properties["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert tuple(statement["Action"]) == BILLED_ACTIONS
    assert "ManagedPolicyName" not in properties
    assert not {"Roles", "Users", "Groups"} & set(properties)


def test_the_action_applies_it_to_the_roles_at_the_whole_budget_by_itself() -> None:
    action = template()["Resources"][only("AWS::Budgets::BudgetsAction")]["Properties"]
    assert action["BudgetName"] == "the-budget"
    assert (action["ActionType"], action["ApprovalModel"]) == ("APPLY_IAM_POLICY", "AUTOMATIC")
    assert (action["NotificationType"], action["ActionThreshold"]) == ("ACTUAL", {"Type": "PERCENTAGE", "Value": 100})
    roles = [{"Ref": only("AWS::IAM::Role", ROLE)}]
    policy = {"Ref": only("AWS::IAM::ManagedPolicy")}
    assert action["Definition"] == {"IamActionDefinition": {"PolicyArn": policy, "Roles": roles}}
    assert action["Subscribers"] == [{"Type": "SNS", "Address": "arn:aws:sns:us-east-1:000000000000:topic"}]
    assert {tag["Key"] for tag in action["ResourceTags"]} == {"sandcastle:environment", "sandcastle:stack"}


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (("AWS::Budgets::BudgetsAction", ""), ("Custom::SandcastleSpendingRelease", "")),
        (("AWS::Budgets::BudgetsAction", ""), ("AWS::IAM::Role", "ActionRole")),
        (("Custom::SandcastleSpendingRelease", ""), ("AWS::IAM::ManagedPolicy", "")),
        (("Custom::SandcastleSpendingRelease", ""), ("AWS::IAM::Role", ROLE)),
        (("Custom::SandcastleSpendingRelease", ""), ("AWS::Lambda::Function", "Release")),
        (("Custom::SandcastleSpendingRelease", ""), ("AWS::IAM::Role", "ReleaseFunction")),
        (("Custom::SandcastleSpendingRelease", ""), ("AWS::IAM::Policy", "ReleaseAgain")),
    ],
)
def test_order_of_deletion(first: tuple[str, str], later: tuple[str, str]) -> None:
    assert only(*later) in dependencies(template(), only(*first))


def test_promises_hold() -> None:
    lookup = symbols(template())
    proved = 0
    for role, promise in promises_of(template()):
        expected = Answer.ALL if promise.allowed else Answer.NONE
        statements = role_statements(template(), role, lookup)
        where, context = resolve(promise.resource, lookup), resolve(promise.context, lookup)
        assert answer_of(statements, promise.action, where, context) is expected, promise
        proved += 1
    assert proved > 8


def test_only_this_policy_is_attached_or_detached() -> None:
    lookup = symbols(template())
    policy = resolve({"Ref": only("AWS::IAM::ManagedPolicy")}, lookup)
    seen = set()
    for role in resources(template(), "AWS::IAM::Role"):
        for statement in role_statements(template(), role, lookup):
            changes = {one for one in statement["Action"] if one.endswith("tachRolePolicy")}
            if changes:
                assert statement["Condition"] == {"ArnEquals": {"iam:PolicyARN": policy}}
                seen |= changes
    assert seen == {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
