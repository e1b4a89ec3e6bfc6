"""The morning after: what wakes as what, and what stays asleep and why."""

from __future__ import annotations

import json

import nightly
import pytest
from environment_stacks import Stack

from tests.functions.conftest import Scripted
from tests.functions.night_world import WHEN, P, World, arn, deployed


@pytest.fixture
def world(sagemaker: Scripted, sns: Scripted, autoscaling: Scripted, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [])
    return World(sagemaker, sns, autoscaling)


def configs(world: World, name: str, *endings: str) -> None:
    listed = [
        {
            "EndpointConfigName": f"{P}{name}-{ending}",
            "EndpointConfigArn": arn("endpoint-config", f"{P}{name}-{ending}"),
            "CreationTime": WHEN,
        }
        for ending in endings
    ]
    request = {"NameContains": f"{P}{name}"}
    world.sagemaker.reply("list_endpoint_configs", request, {"EndpointConfigs": listed})


def test_what_a_pipeline_deployed_wakes_with_what_it_served_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [deployed("asleep"), deployed("never")])
    text = 'Could not find endpoint "arn".'
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}asleep"})
    configs(world, "asleep", "1-0fee", "2-0fee", "3-0fee")
    world.marked("endpoint-config", "asleep-1-0fee", "2026-01-01T20:00:00+00:00")
    world.marked("endpoint-config", "asleep-2-0fee", "2026-01-02T20:00:00+00:00")
    world.marked("endpoint-config", "asleep-3-0fee")  # which alarms sent back
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}never"})
    configs(world, "never")
    tags = {"sandcastle:environment": "a", "sandcastle:stack": "sandcastle-a-pipeline-asleep"}
    request = {
        "EndpointName": f"{P}asleep",
        "EndpointConfigName": f"{P}asleep-2-0fee",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    world.sagemaker.reply("create_endpoint", request, {"EndpointArn": arn("endpoint", "asleep")})
    world.told("awake again", f"woken: endpoint {P}asleep")
    assert world.night().wake() == [f"woken: endpoint {P}asleep"]


def test_what_watches_an_endpoint_goes_on_when_it_is_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [deployed("back")])
    world.endpoint("back")
    world.schedules("back", "Stopped", "ours", "by-hand")
    world.marked("monitoring-schedule", "ours", "2026-01-01T20:00:00+00:00")
    world.marked("monitoring-schedule", "by-hand")
    world.sagemaker.reply("start_monitoring_schedule", {"MonitoringScheduleName": f"{P}ours"})
    request = {"ResourceArn": arn("monitoring-schedule", f"{P}ours"), "TagKeys": ["sandcastle:asleep"]}
    world.sagemaker.reply("delete_tags", request)
    world.told("awake again", f"woken: monitoring schedule {P}ours")
    assert world.night().wake() == [f"woken: monitoring schedule {P}ours"]


def stack(name: str, status: str = "CREATE_COMPLETE", **outputs: str) -> Stack:
    return Stack(f"sandcastle-a-workload-{name}", "id", status, outputs)


def workload(name: str, status: str = "CREATE_COMPLETE") -> Stack:
    return stack(name, status, EndpointName=f"{P}{name}", EndpointConfigName=f"config-{name}")


def test_endpoints_of_stacks_wake_as_their_stack_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = [stack("none"), workload("awake"), workload("asleep"), workload("going", "DELETE_FAILED")]
    stacks += [workload("busy", "UPDATE_IN_PROGRESS")]
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: stacks)
    world.sagemaker.stub.add_response(
        "describe_endpoint",
        {
            "EndpointName": "e",
            "EndpointArn": arn("endpoint", "awake"),
            "EndpointStatus": "InService",
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
        },
        {"EndpointName": f"{P}awake"},
    )
    text = 'Could not find endpoint "arn".'
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}asleep"})
    world.sagemaker.reply(
        "create_endpoint",
        {
            "EndpointName": f"{P}asleep",
            "EndpointConfigName": "config-asleep",
            "Tags": [
                {"Key": "sandcastle:environment", "Value": "a"},
                {"Key": "sandcastle:stack", "Value": "sandcastle-a-workload-asleep"},
            ],
        },
        {"EndpointArn": arn("endpoint", "asleep")},
    )
    world.schedules("awake", "Stopped")
    world.told("awake again", f"woken: endpoint {P}asleep")
    assert world.night().wake() == [f"woken: endpoint {P}asleep"]


POLICY = {
    "PolicyName": "load",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 100.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    },
}
SCALING = json.dumps({"target": {"MinCapacity": 1, "MaxCapacity": 4}, "policy": POLICY})


def scaled_workload(name: str) -> Stack:
    return stack(name, EndpointName=f"{P}{name}", EndpointConfigName="c", Scaling=SCALING, VariantNames="main")


def test_endpoints_that_are_back_are_scaled_again_and_those_that_still_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks = [scaled_workload("back"), scaled_workload("scaled"), workload("plain")]
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: stacks)
    for name in ("back", "scaled", "plain"):
        world.endpoint(name)
    world.targets(scaled=1)
    which = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": f"endpoint/{P}back/variant/main",
    }
    world.autoscaling.reply("register_scalable_target", {**which, "MinCapacity": 1, "MaxCapacity": 4})
    world.autoscaling.reply("put_scaling_policy", {**which, **POLICY}, {"PolicyARN": "policy"})
    for name in ("back", "scaled", "plain"):
        world.schedules(name, "Stopped")
    line = f"woken: scaling of endpoint/{P}back/variant/main"
    world.told("awake again", line)
    assert world.night().wake() == [line]


def test_an_endpoint_that_wakes_now_is_not_scaled_yet(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [scaled_workload("asleep")])
    world.sagemaker.refuse("describe_endpoint", "ValidationException", "Could not find endpoint")
    world.sagemaker.stub.add_response("create_endpoint", {"EndpointArn": arn("endpoint", "asleep")})
    world.told("awake again", f"woken: endpoint {P}asleep")
    assert world.night().wake() == [f"woken: endpoint {P}asleep"]


def test_a_budget_that_is_spent_keeps_endpoints_asleep_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [workload("asleep")])
    world.sagemaker.refuse("describe_endpoint", "ValidationException", "Could not find endpoint")
    world.sagemaker.refuse("create_endpoint", "AccessDeniedException", "explicit deny")
    line = f"NOT woken: endpoint {P}asleep: explicit deny"
    world.told("awake again", line)
    assert world.night().wake() == [line]


def test_nothing_slept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [])
    assert world.night().wake() == ["nothing slept"]
