"""Situations after deployments: failed ones, dead ones, and what was done to the stacks by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import BANK, HOME, NOTEBOOK, WHOLE, Situation, cases, situation
from tests.lifecycle.stand import Stand, breaks
from tests.synthesis import Template

USUAL = ("workload-bank",)
"""Where a deployment fails, or when its command dies, in ``make test`` too."""


def _fails_at(part: str, settings: Mapping[str, Any]) -> None:
    @situation(f"the deployment failed at {part}", settings=settings, deployed=False, exhaustive=part not in USUAL)
    def make(stand: Stand) -> None:
        statuses = stand.deploy({part: breaks})
        assert statuses[stand.stack(part)] == "ROLLBACK_COMPLETE", statuses


for _part, _settings in {
    "guardrails": HOME,
    "foundation": HOME,
    "studio": HOME,
    "notebook": NOTEBOOK,
    "workload-bank": BANK,
    "teardown": WHOLE,
}.items():
    _fails_at(_part, _settings)


def _dies_when(moment: str, part: str, happened: Callable[[Stand], Any]) -> None:
    @situation(
        f"the command that deploys died when {moment}",
        settings=BANK,
        deployed=False,
        exhaustive=moment not in USUAL,
    )
    def make(stand: Stand) -> None:
        stand.deploy(until=part, leave=True)
        stand.cloud.until(lambda: happened(stand), moment)


_dies_when("the foundation was begun", "foundation", lambda stand: len(stand.cloud.stacks()) == 2)
_dies_when(
    "the workload was begun", "workload-bank", lambda stand: stand.stack("workload-bank") in stand.cloud.stacks()
)
_dies_when("the data were being prepared", "workload-bank", lambda stand: stand.cloud.jobs("processing"))
_dies_when("the model was being trained", "workload-bank", lambda stand: stand.cloud.jobs("training"))
_dies_when(
    "the endpoint was being created",
    "workload-bank",
    lambda stand: stand.client("sagemaker").list_endpoints()["Endpoints"],
)


@situation("an update failed and was rolled back", exhaustive=True)
def _update_rolled_back(stand: Stand) -> None:
    assert stand.update("studio", breaks) == "UPDATE_ROLLBACK_COMPLETE"


@situation("an update failed, and so did its roll-back")
def _rollback_failed(stand: Stand) -> None:
    """A bucket policy is changed and the bucket taken away by hand: neither the new policy nor the old one fits."""

    def change(template: Template) -> Template:
        policy = next(k for k, one in template["Resources"].items() if one["Type"] == "AWS::SNS::TopicPolicy")
        resources = {**template["Resources"]}
        properties = {**resources[policy]["Properties"]}
        document = {**properties["PolicyDocument"], "Id": "changed"}
        resources[policy] = {**resources[policy], "Properties": {**properties, "PolicyDocument": document}}
        return breaks({**template, "Resources": resources})

    topic = stand.outputs["AlarmTopicArn"]
    stand.faults(
        {
            "when": {"service": "cloudformation", "operation": "UpdateStack"},
            "call": {"service": "sns", "operation": "DeleteTopic", "parameters": {"TopicArn": topic}},
            "times": 1,
        }
    )
    stand.figures["after the update"] = stand.update("guardrails", change)
    stand.faults()


@situation("one stack was deleted by hand before", exhaustive=True)
def _stack_by_hand(stand: Stand) -> None:
    stand.client("cloudformation").delete_stack(StackName=stand.stack("teardown"))
    stand.settle([stand.stack("teardown")])


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
