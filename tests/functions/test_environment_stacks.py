"""An environment's stacks: told apart by tag, deleted layer by layer, and what is news of those that refuse to go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from environment_stacks import EXISTING, Stack, next_to_go, stacks_of
from stack_failures import news

from tests.functions.conftest import Scripted

LAYERS = [["teardown"], ["studio", "workload-bank"], ["foundation"]]


def arn(name: str) -> str:
    return f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/1"


def described(name: str, environment: str | None, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    tags = [{"Key": "sandcastle:environment", "Value": environment}] if environment else []
    return {
        "StackName": name,
        "StackId": arn(name),
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": status,
        "Tags": tags,
        "Outputs": [{"OutputKey": "A", "OutputValue": "b"}],
    }


def listed(stacks: Scripted, *pages: list[str]) -> None:
    for number, names in enumerate(pages):
        request: dict[str, Any] = {"StackStatusFilter": EXISTING}
        if number:
            request["NextToken"] = str(number)
        answer: dict[str, Any] = {
            "StackSummaries": [
                {
                    "StackName": name,
                    "StackId": arn(name),
                    "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
                    "StackStatus": "CREATE_COMPLETE",
                }
                for name in names
            ]
        }
        if number + 1 < len(pages):
            answer["NextToken"] = str(number + 1)
        stacks.reply("list_stacks", request, answer)
        for name in names:
            environment = {"sandcastle-a-foundation": "a", "sandcastle-a-b-foundation": "a-b"}.get(name)
            if name.startswith("sandcastle-a-"):
                answer = {"Stacks": [described(name, environment)]}
                stacks.reply("describe_stacks", {"StackName": arn(name)}, answer)


def test_stacks_of_a_neighbour_whose_name_begins_alike_are_not_ours(stacks: Scripted) -> None:
    listed(stacks, ["sandcastle-ab-foundation", "sandcastle-a-b-foundation"], ["sandcastle-a-foundation", "other"])
    (found,) = stacks_of(stacks.client, "a")
    assert found == Stack("sandcastle-a-foundation", arn("sandcastle-a-foundation"), "CREATE_COMPLETE", {"A": "b"})


def test_a_stack_without_the_tag_is_not_ours_whatever_its_name(stacks: Scripted) -> None:
    listed(stacks, ["sandcastle-a-mine"])
    assert stacks_of(stacks.client, "a") == []


@pytest.mark.parametrize(
    ("status", "busy", "refused"),
    [
        ("DELETE_IN_PROGRESS", True, False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True, False),
        ("REVIEW_IN_PROGRESS", False, False),
        ("DELETE_FAILED", False, True),
        ("UPDATE_ROLLBACK_FAILED", False, False),
    ],
)
def test_what_a_status_means(status: str, busy: bool, refused: bool) -> None:
    stack = Stack("s", "id", status, {})
    assert (stack.busy, stack.refused) == (busy, refused)


def made(**statuses: str) -> list[Stack]:
    return [Stack(name.replace("_", "-"), name, status, {}) for name, status in statuses.items()]


@pytest.mark.parametrize(
    ("stacks", "going"),
    [
        (made(foundation="CREATE_COMPLETE", studio="CREATE_COMPLETE", teardown="CREATE_COMPLETE"), ["teardown"]),
        (made(foundation="CREATE_COMPLETE", studio="CREATE_COMPLETE", workload_bank="X"), ["studio", "workload-bank"]),
        (made(foundation="CREATE_COMPLETE"), ["foundation"]),
        (made(mine="CREATE_COMPLETE", teardown="CREATE_COMPLETE"), ["mine"]),
        (made(teardown="DELETE_FAILED", studio="CREATE_COMPLETE", foundation="X"), ["teardown", "studio"]),
        (made(mine="DELETE_FAILED", studio="DELETE_FAILED", foundation="X"), ["mine", "studio", "foundation"]),
        (made(studio="DELETE_FAILED", workload_bank="X", foundation="X"), ["studio", "workload-bank"]),
        ([], []),
    ],
)
def test_layer_by_layer_unknown_stacks_first_and_failures_hold_nothing_back(
    stacks: list[Stack], going: list[str]
) -> None:
    assert [stack.name for stack in next_to_go(stacks, LAYERS)] == going


STACK = arn("sandcastle-a-studio")


def event(minute: int, logical_id: str, status: str, reason: str = "", physical_id: str = "x") -> dict[str, Any]:
    return {
        "StackId": STACK,
        "EventId": f"{minute}-{logical_id}-{status}",
        "StackName": "sandcastle-a-studio",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": physical_id,
        "ResourceType": "AWS::CloudFormation::Stack" if physical_id == STACK else "AWS::SageMaker::Domain",
        "Timestamp": datetime(2026, 1, 1, 10 + minute // 60, minute % 60, tzinfo=UTC),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def deletion(minute: int, *reasons: str) -> list[dict[str, Any]]:
    """Return the events of one failed deletion, newest first."""
    return [
        event(minute, "sandcastle-a-studio", "DELETE_FAILED", "could not be deleted", STACK),
        *(event(minute, f"Domain{index}", "DELETE_FAILED", reason) for index, reason in enumerate(reasons)),
        event(minute, "sandcastle-a-studio", "DELETE_IN_PROGRESS", "", STACK),
    ]


def told(stacks: Scripted, events: list[dict[str, Any]]) -> list[str]:
    half = len(events) // 2
    stacks.reply("describe_stack_events", {"StackName": STACK}, {"StackEvents": events[:half], "NextToken": "more"})
    stacks.reply("describe_stack_events", {"StackName": STACK, "NextToken": "more"}, {"StackEvents": events[half:]})
    return news(stacks.client, STACK)


def test_a_first_failure_is_news_by_resource(stacks: Scripted) -> None:
    created = event(0, "sandcastle-a-studio", "CREATE_COMPLETE", "", STACK)
    assert told(stacks, [*deletion(5, "in use", "no"), created]) == [
        "Domain0 (AWS::SageMaker::Domain): in use",
        "Domain1 (AWS::SageMaker::Domain): no",
    ]


def test_the_same_reason_is_no_news_within_the_hour_also_with_another_request_id(stacks: Scripted) -> None:
    again = "in use (RequestToken: 0a1b2c3d-1111-4222-8333-444455556666)"
    before = "in use (RequestToken: ffffffff-9999-4222-8333-444455556666)"
    assert told(stacks, [*deletion(15, again, "no"), *deletion(10, "x"), *deletion(5, before)]) == [
        "Domain1 (AWS::SageMaker::Domain): no"
    ]


def test_in_the_next_hour_it_is_news_again(stacks: Scripted) -> None:
    events = [*deletion(65, "in use"), *deletion(55, "in use")]
    stacks.reply("describe_stack_events", {"StackName": STACK}, {"StackEvents": events})
    assert news(stacks.client, STACK) == ["Domain0 (AWS::SageMaker::Domain): in use"]


def test_a_failure_without_a_failed_resource_is_told_as_the_stack_says_it(stacks: Scripted) -> None:
    stacks.reply("describe_stack_events", {"StackName": STACK}, {"StackEvents": deletion(5)})
    assert news(stacks.client, STACK) == ["could not be deleted"]
