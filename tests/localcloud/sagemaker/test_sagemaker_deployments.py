"""Blue/green and rolling updates of an endpoint, step by step, on a clock that moves only when told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.hosting import deployment
from localcloud.sagemaker.ports import Reply
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World
from tests.localcloud.sagemaker.test_sagemaker_endpoint_states import ARN, describe, live, make_config, reach, status

__all__ = ["live"]

ALARM = "live-errors"
UP = durations.ENDPOINT_UPDATE


def blue_green(kind: str, wait: int = 120, alarms: tuple[str, ...] = (ALARM,), **routing: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **routing}
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


CANARY = blue_green("CANARY", CanarySize={"Type": "CAPACITY_PERCENT", "Value": 20})


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def update(world: World, config: dict[str, Any], seconds: float = UP) -> None:
    """Begin an update from `first` to `second`, and let the new fleet come up."""
    world.backend.alarms.setdefault(ALARM, "OK")
    make_config(world, "second")
    world.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second", DeploymentConfig=config)
    record: Any = world.service.core.store.by_arn(ARN)
    world.wait_until(lambda: record.rollout.ready)
    world.clock.advance(seconds)


def stage(world: World) -> str:
    [variant] = describe(world)["PendingDeploymentSummary"]["ProductionVariants"]
    return str(variant["VariantStatus"][0]["Status"])


def answered_by(world: World, requests: int = 200) -> Counter[str]:
    """Which configuration's servers answer."""
    for server in world.backend.servers:
        server.reply = Reply(200, {}, server.spec.model_data_url.split("/")[3].encode())
    found: Counter[str] = Counter()
    for _ in range(requests):
        _, headers, body = world.invoke("live")
        assert headers["x-Amzn-Invoked-Production-Variant"] == "all"
        found[body.decode()] += 1
    return found


def test_a_canary_gets_its_share_then_everything(live: World) -> None:
    update(live, CANARY, UP - 1)
    assert (stage(live), status(live)) == ("Creating", "Updating")
    assert answered_by(live) == {"first": 200}
    live.clock.advance(1)
    assert (stage(live), status(live)) == ("Baking", "Updating")
    assert abs(answered_by(live)["second"] - 40) <= 3
    live.clock.advance(119)
    assert abs(answered_by(live)["second"] - 40) <= 3
    live.clock.advance(1)
    assert (stage(live), status(live)) == ("Baking", "Updating")
    assert answered_by(live) == {"second": 200}
    assert describe(live)["EndpointConfigName"] == "first"
    live.clock.advance(120)
    done = describe(live)
    assert (done["EndpointStatus"], done["EndpointConfigName"]) == ("InService", "second")
    assert "PendingDeploymentSummary" not in done and "FailureReason" not in done
    assert done["LastDeploymentConfig"] == CANARY
    assert live.backend.servers[0].stopped.wait(10)


def test_linear_steps(live: World) -> None:
    update(live, blue_green("LINEAR", 60, LinearStepSize=percent(30)))
    shares = []
    for _ in range(4):
        shares.append(answered_by(live)["second"])
        live.clock.advance(60)
    assert [round(share / 20) for share in shares] == [3, 6, 9, 10]
    assert status(live) == "InService"


def test_an_alarm_while_the_canary_bakes_takes_everything_back(live: World) -> None:
    update(live, CANARY)
    live.clock.advance(60)
    live.backend.alarms[ALARM] = "ALARM"
    live.clock.advance(59)
    assert status(live) == "Updating"
    live.clock.advance(1)
    assert (status(live), stage(live)) == ("RollingBack", "Deleting")
    assert answered_by(live) == {"first": 200}
    live.clock.advance(durations.ENDPOINT_ROLLBACK)
    back = describe(live)
    assert (back["EndpointStatus"], back["EndpointConfigName"]) == ("InService", "first")
    assert ALARM in back["FailureReason"]
    assert live.backend.servers[2].stopped.wait(10)
    assert not live.backend.servers[0].stopped.is_set()
    assert [line["arn"].rpartition("/")[2] for line in live.meter.snapshot() if line["running"]] == ["all"]
    live.backend.alarms[ALARM] = "OK"
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    record: Any = live.service.core.store.by_arn(ARN)
    live.wait_until(lambda: record.rollout.ready)
    live.clock.advance(UP)
    assert "FailureReason" not in describe(live)


def test_both_fleets_are_billed_while_both_run(live: World) -> None:
    update(live, CANARY)
    running = [(line["arn"].removeprefix(ARN), line["quantity"]) for line in live.meter.snapshot() if line["running"]]
    assert running == [("/all", 2), ("/all/new-fleet", 2)]
    live.clock.advance(240)
    running = [(line["arn"].removeprefix(ARN), line["quantity"]) for line in live.meter.snapshot() if line["running"]]
    assert running == [("/all", 2)]


def test_a_request_that_is_being_answered_by_a_canary_taken_back_is_answered(live: World) -> None:
    update(live, CANARY)
    record: Any = live.service.core.store.by_arn(ARN)
    new = record.rollout.fleet
    assert new.enter()
    live.backend.alarms[ALARM] = "ALARM"
    live.clock.advance(60)
    live.wait_until(lambda: not new.enter() or bool(new.leave()))
    assert not live.backend.servers[2].stopped.is_set()
    new.leave()
    assert live.backend.servers[2].stopped.wait(10)


def test_rolling_brings_up_and_ends_instances_batch_by_batch(live: World) -> None:
    policy = {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
            "WaitIntervalInSeconds": 60,
        }
    }
    update(live, policy)
    assert len(live.backend.servers) == 3  # one of the two new instances
    assert abs(answered_by(live)["second"] - 100) <= 3
    live.clock.advance(60)
    assert stage(live) == "Updating"
    [old] = describe(live)["ProductionVariants"]
    assert (old["CurrentInstanceCount"], old["DesiredInstanceCount"]) == (1, 2)
    live.wait_until(lambda: len(live.backend.servers) == 4)
    live.wait_until(lambda: sum(server.stopped.is_set() for server in live.backend.servers[:2]) == 1)
    live.clock.advance(durations.ENDPOINT_BATCH)
    live.wait_until(lambda: stage(live) == "Baking")
    assert answered_by(live) == {"second": 200}
    live.clock.advance(60)
    reach(live, "InService")
    assert describe(live)["EndpointConfigName"] == "second"


def test_rolling_back_a_rolling_update_brings_the_old_instances_back(live: World) -> None:
    policy = {
        "RollingUpdatePolicy": {"MaximumBatchSize": percent(50), "WaitIntervalInSeconds": 60},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
    }
    update(live, policy)
    live.clock.advance(60)
    live.wait_until(lambda: len(live.backend.servers) == 4)
    live.clock.advance(durations.ENDPOINT_BATCH)
    live.wait_until(lambda: stage(live) == "Baking")
    live.backend.alarms[ALARM] = "ALARM"
    live.clock.advance(60)
    assert status(live) == "RollingBack"
    live.wait_until(lambda: len(live.backend.servers) == 5)
    assert answered_by(live) == {"first": 200}
    live.clock.advance(durations.ENDPOINT_ROLLBACK)
    live.wait_until(lambda: describe(live)["ProductionVariants"][0]["CurrentInstanceCount"] == 2)
    assert status(live) == "InService"
    assert [line["quantity"] for line in live.meter.snapshot() if line["running"]] == [2]


def test_the_last_deployment_config_can_be_used_again(live: World) -> None:
    update(live, CANARY)
    live.clock.advance(240)
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="first", RetainDeploymentConfig=True)
    record: Any = live.service.core.store.by_arn(ARN)
    live.wait_until(lambda: record.rollout.ready)
    live.clock.advance(UP)
    assert stage(live) == "Baking"
    assert describe(live)["LastDeploymentConfig"] == CANARY


def test_alarms_must_exist_and_the_role_must_be_allowed_to_look(live: World) -> None:
    make_config(live, "second")
    asked = {"EndpointName": "live", "EndpointConfigName": "second", "DeploymentConfig": CANARY}
    assert f'"{ALARM}"' in live.refusal("UpdateEndpoint", **asked).message
    live.backend.alarms[ALARM] = "OK"
    live.backend.denied = {"cloudwatch:DescribeAlarms"}
    assert "cloudwatch:DescribeAlarms" in live.refusal("UpdateEndpoint", **asked).message
    assert status(live) == "InService"
    created = {**asked, "EndpointName": "other"}
    assert "cloudwatch:DescribeAlarms" in live.refusal("CreateEndpoint", **created).message


def test_a_deployment_that_takes_too_long_is_rolled_back(live: World) -> None:
    late = {**CANARY, "BlueGreenUpdatePolicy": {**CANARY["BlueGreenUpdatePolicy"]}}
    late["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    live.backend.alarms[ALARM] = "OK"
    make_config(live, "second")
    live.backend.hold.clear()
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second", DeploymentConfig=late)
    live.clock.advance(700)
    live.backend.hold.set()
    reach(live, "RollingBack")
    live.clock.advance(durations.ENDPOINT_ROLLBACK)
    assert "MaximumExecutionTimeoutInSeconds" in describe(live)["FailureReason"]


@pytest.mark.parametrize(
    ("config", "instances", "words"),
    [
        (blue_green("CANARY", CanarySize=percent(60)), 2, "CanarySize must be at most 50%"),
        (blue_green("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), 1, "is 100%"),
        (blue_green("CANARY"), 2, "needs CanarySize"),
        (blue_green("ALL_AT_ONCE", CanarySize=percent(10)), 2, "CanarySize is not for"),
        (blue_green("LINEAR", LinearStepSize=percent(5)), 2, "between 10% and 50%"),
        (
            {"RollingUpdatePolicy": {"MaximumBatchSize": percent(3), "WaitIntervalInSeconds": 0}},
            2,
            "MaximumBatchSize must be between 5% and 50%",
        ),
        ({**CANARY, "RollingUpdatePolicy": {}}, 2, "Only one of"),
    ],
)
def test_sizes_that_do_not_fit(config: dict[str, Any], instances: int, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        deployment.plan(config, instances)


def test_the_time_limit_must_leave_room_for_the_waits() -> None:
    config = blue_green("LINEAR", 3600, LinearStepSize=percent(10))
    config["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 28800
    with pytest.raises(ServiceError, match="larger than all waiting times"):
        deployment.plan(config, 10)


def test_what_is_not_modelled_is_refused_by_name(live: World) -> None:
    make_config(live, "second")
    policy = {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": percent(50),
            "WaitIntervalInSeconds": 0,
            "RollbackMaximumBatchSize": percent(50),
        }
    }
    error = live.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="second", DeploymentConfig=policy)
    assert "RollbackMaximumBatchSize is not supported yet" in error.message


def test_variants_share_what_their_fleet_gets(world: World) -> None:
    """The share of the new fleet and the weights inside it multiply."""
    world.backend.alarms[ALARM] = "OK"
    for name in ("first", "second"):
        world.call(
            "CreateModel",
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://bucket/{name}/model.tar.gz"},
        )
        variants = [
            {
                "VariantName": variant,
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": weight,
            }
            for variant, weight in (("a", 3.0), ("b", 1.0))
        ]
        world.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=variants)
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first")
    record: Any = world.service.core.store.by_arn(ARN)
    world.wait_until(lambda: record.rollout.ready)
    world.clock.advance(durations.ENDPOINT_CREATE)
    world.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second", DeploymentConfig=CANARY)
    world.wait_until(lambda: record.rollout.ready)
    world.clock.advance(UP)
    for server in world.backend.servers:
        server.reply = Reply(200, {}, server.spec.model_data_url.split("/")[3].encode())
    found: Counter[tuple[str, str]] = Counter()
    for _ in range(400):
        _, headers, body = world.invoke("live")
        found[body.decode(), headers["x-Amzn-Invoked-Production-Variant"]] += 1
    wanted = {("first", "a"): 240, ("first", "b"): 80, ("second", "a"): 60, ("second", "b"): 20}
    assert {key for key, count in wanted.items() if abs(found[key] - count) > 8} == set()
