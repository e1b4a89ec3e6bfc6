"""Endpoints as state machines, on a clock that moves only when told and servers that come up when told."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, START, World

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/live"
IN_PROGRESS = f'Cannot update in-progress endpoint "{ARN}".'


def make_config(world: World, name: str, **members: Any) -> None:
    """A model of the same name and a configuration with one variant."""
    world.call(
        "CreateModel",
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://bucket/{name}/model.tar.gz"},
    )
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    world.call("CreateEndpointConfig", EndpointConfigName=name, **{"ProductionVariants": [variant], **members})


def describe(world: World) -> dict[str, Any]:
    return world.call("DescribeEndpoint", EndpointName="live")


def status(world: World) -> str:
    return str(describe(world)["EndpointStatus"])


def reach(world: World, wanted: str) -> None:
    """For what follows from the end of a background thread."""
    world.wait_until(lambda: status(world) == wanted)


def server_is_up(world: World, number: int) -> None:
    """The fleet's servers are healthy, and the service knows."""
    table = world.service.core.store
    world.wait_until(
        lambda: (
            len(world.backend.servers) >= number
            and all(getattr(record, "rollout", None) is None or record.rollout.ready for record in table.records())
        )
    )


@pytest.fixture
def live(world: World) -> World:
    """A world with endpoint `live` InService under configuration `first`."""
    make_config(world, "first")
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first", Tags=[{"Key": "team", "Value": "a"}])
    server_is_up(world, 2)
    world.clock.advance(durations.ENDPOINT_CREATE)
    assert status(world) == "InService"
    return world


def test_creating_until_the_time_has_passed(world: World) -> None:
    make_config(world, "first")
    assert world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first") == {"EndpointArn": ARN}
    server_is_up(world, 2)
    assert status(world) == "Creating"
    pending = describe(world)["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == "first"
    assert pending["ProductionVariants"][0]["DesiredInstanceCount"] == 2
    assert world.meter.snapshot() == []
    world.clock.advance(durations.ENDPOINT_CREATE)
    live = describe(world)
    assert live["EndpointStatus"] == "InService"
    assert "PendingDeploymentSummary" not in live
    [variant] = live["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"], variant["CurrentWeight"]) == ("all", 2, 1.0)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert live["CreationTime"] == START


def test_creating_until_the_servers_are_up(world: World) -> None:
    world.backend.hold.clear()
    make_config(world, "first")
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first")
    world.clock.advance(durations.ENDPOINT_CREATE * 2)
    assert status(world) == "Creating"
    world.backend.hold.set()
    reach(world, "InService")


def test_a_server_that_crashes_fails_the_endpoint_after_a_long_time(world: World) -> None:
    world.backend.start_failure = "The primary container for production variant all did not pass the ping health check."
    make_config(world, "first")
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first")
    world.wait_until(lambda: _record(world).rollout.failure is not None)
    world.clock.advance(durations.ENDPOINT_CREATE)
    assert status(world) == "Creating"
    assert world.refusal("DeleteEndpoint", EndpointName="live").message == IN_PROGRESS
    world.clock.advance(durations.ENDPOINT_CRASH_LOOP)
    failed = describe(world)
    assert failed["EndpointStatus"] == "Failed"
    assert failed["FailureReason"] == world.backend.start_failure
    assert world.meter.snapshot() == []
    assert (
        "in status Failed" in world.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="first").message
    )
    delete_and_wait(world)


def _record(world: World) -> Any:
    return world.service.core.store.by_arn(ARN)


def delete_and_wait(world: World) -> None:
    world.call("DeleteEndpoint", EndpointName="live")
    assert status(world) == "Deleting"
    world.wait_until(lambda: world.clock.pending("settle") == 1)
    world.clock.advance(durations.ENDPOINT_DELETE)
    error = world.refusal("DescribeEndpoint", EndpointName="live")
    assert (error.code, error.message) == ("ValidationException", f'Could not find endpoint "{ARN}".')


@pytest.mark.parametrize("operation", ["UpdateEndpoint", "DeleteEndpoint"])
def test_an_endpoint_in_progress_can_be_neither_updated_nor_deleted(live: World, operation: str) -> None:
    make_config(live, "second")
    parameters = {"EndpointConfigName": "second"} if operation == "UpdateEndpoint" else {}
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    error = live.refusal(operation, EndpointName="live", **parameters)
    assert (error.code, error.message) == ("ValidationException", IN_PROGRESS)
    server_is_up(live, 4)
    live.clock.advance(durations.ENDPOINT_UPDATE)
    live.call("DeleteEndpoint", EndpointName="live")
    assert live.refusal(operation, EndpointName="live", **parameters).message == IN_PROGRESS


def test_delete_ends_the_servers_and_the_bill(live: World) -> None:
    live.clock.advance(3600)
    [line] = live.meter.snapshot()
    assert (line["arn"], line["rate_key"], line["quantity"], line["seconds"], line["running"]) == (
        f"{ARN}/all",
        "ml.m5.large hosting",
        2,
        3600,
        True,
    )
    assert line["tags"] == {"team": "a"}
    delete_and_wait(live)
    assert live.backend.servers[0].stopped.wait(10)
    live.clock.advance(100_000)
    [line] = live.meter.snapshot()
    assert (line["seconds"], line["running"]) == (3600, False)


def test_an_update_switches_when_the_new_servers_are_up(live: World) -> None:
    make_config(live, "second")
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    updating = describe(live)
    assert (updating["EndpointStatus"], updating["EndpointConfigName"]) == ("Updating", "first")
    assert updating["PendingDeploymentSummary"]["EndpointConfigName"] == "second"
    assert live.invoke("live")[0] == 200  # the old servers still answer
    server_is_up(live, 4)
    live.clock.advance(durations.ENDPOINT_UPDATE)
    updated = describe(live)
    assert (updated["EndpointStatus"], updated["EndpointConfigName"]) == ("InService", "second")
    old, also_old, new, also_new = live.backend.servers  # a process for each of the two instances
    assert old.stopped.wait(10) and also_old.stopped.wait(10)
    assert not new.stopped.is_set() and not also_new.stopped.is_set()
    assert (old.spec.model_data_url, new.spec.model_data_url) == (
        "s3://bucket/first/model.tar.gz",
        "s3://bucket/second/model.tar.gz",
    )
    assert [line["running"] for line in live.meter.snapshot()] == [False, True]


def test_an_update_whose_servers_fail_is_rolled_back(live: World) -> None:
    make_config(live, "second")
    live.backend.start_failure = "did not pass the ping health check"
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    live.wait_until(lambda: _record(live).rollout.failure is not None)
    live.clock.advance(durations.ENDPOINT_CRASH_LOOP)
    assert status(live) == "RollingBack"
    assert live.refusal("DeleteEndpoint", EndpointName="live").message == IN_PROGRESS
    live.clock.advance(durations.ENDPOINT_ROLLBACK)
    back = describe(live)
    assert (back["EndpointStatus"], back["EndpointConfigName"]) == ("InService", "first")
    assert back["FailureReason"] == "did not pass the ping health check"
    assert live.invoke("live")[0] == 200
    assert [line["running"] for line in live.meter.snapshot()] == [True]


def test_the_configuration_in_use_must_exist_for_an_update(live: World) -> None:
    make_config(live, "second")
    assert live.call("DeleteEndpointConfig", EndpointConfigName="first") == {}  # never refuses
    assert live.call("DeleteModel", ModelName="first") == {}
    assert live.invoke("live")[0] == 200
    error = live.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    assert error.message == (
        'Could not find endpoint configuration "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/first".'
    )


def test_a_deployment_policy_adds_its_waits(live: World) -> None:
    make_config(live, "second")
    policy = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60},
            "TerminationWaitInSeconds": 120,
        }
    }
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second", DeploymentConfig=policy)
    server_is_up(live, 4)
    live.clock.advance(durations.ENDPOINT_UPDATE + 179)
    assert status(live) == "Updating"
    live.clock.advance(1)
    assert status(live) == "InService"
    assert describe(live)["LastDeploymentConfig"] == policy


def test_retained_variant_properties(live: World) -> None:
    make_config(
        live,
        "second",
        ProductionVariants=[
            {
                "VariantName": "all",
                "ModelName": "second",
                "InstanceType": "ml.m5.xlarge",
                "InitialInstanceCount": 5,
                "InitialVariantWeight": 3.0,
            }
        ],
    )
    live.call(
        "UpdateEndpoint",
        EndpointName="live",
        EndpointConfigName="second",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    server_is_up(live, 4)
    live.clock.advance(durations.ENDPOINT_UPDATE)
    [variant] = describe(live)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (2, 3.0)


def test_collisions_and_missing_parts(live: World) -> None:
    base = "arn:aws:sagemaker:eu-west-1:123456789012"
    variant = [{"VariantName": "a", "ModelName": "no", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]
    for operation, parameters, text in (
        (
            "CreateEndpoint",
            {"EndpointName": "live", "EndpointConfigName": "first"},
            f'Cannot create already existing endpoint "{ARN}".',
        ),
        (
            "CreateEndpoint",
            {"EndpointName": "new", "EndpointConfigName": "no"},
            f'Could not find endpoint configuration "{base}:endpoint-config/no".',
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "new", "ProductionVariants": variant},
            f'Could not find model "{base}:model/no".',
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "first", "ProductionVariants": variant},
            f'Cannot create already existing endpoint configuration "{base}:endpoint-config/first".',
        ),
        (
            "CreateModel",
            {"ModelName": "first", "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE},
            f'Cannot create already existing model "{base}:model/first".',
        ),
        ("DescribeModel", {"ModelName": "no"}, f'Could not find model "{base}:model/no".'),
        (
            "DeleteEndpointConfig",
            {"EndpointConfigName": "no"},
            f'Could not find endpoint configuration "{base}:endpoint-config/no".',
        ),
        ("DeleteEndpoint", {"EndpointName": "no"}, f'Could not find endpoint "{base}:endpoint/no".'),
    ):
        error = live.refusal(operation, **parameters)
        assert (error.code, error.message) == ("ValidationException", text)


def test_model_data_that_the_role_cannot_read_is_refused_at_once(world: World) -> None:
    error = world.refusal(
        "CreateModel",
        ModelName="m",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://bucket/missing.tar.gz"},
    )
    assert error.message.startswith("Could not access model data at s3://bucket/missing.tar.gz. Please ensure")
    assert ROLE in error.message and "eu-west-1" in error.message


def test_tags_of_any_kind(live: World) -> None:
    assert live.call("ListTags", ResourceArn=ARN) == {"Tags": [{"Key": "team", "Value": "a"}]}
    live.call("AddTags", ResourceArn=ARN, Tags=[{"Key": "team", "Value": "b"}, {"Key": "x", "Value": ""}])
    live.call("DeleteTags", ResourceArn=ARN, TagKeys=["x", "never there"])
    assert list(live.service.tags.collect(SCOPE)) == [(ARN, [{"Key": "team", "Value": "b"}])]
    too_many = [{"Key": f"k{n}", "Value": ""} for n in range(50)]
    assert "50 tags" in live.refusal("AddTags", ResourceArn=ARN, Tags=too_many).message
    assert live.refusal("AddTags", ResourceArn=ARN, Tags=[{"Key": "aws:x", "Value": ""}]).code == "ValidationException"
    assert live.refusal("ListTags", ResourceArn=ARN + "x").code == "ValidationException"


def test_create_and_update_are_authorised_on_the_configuration_too(live: World) -> None:
    config = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/first"
    assert ("sagemaker:CreateEndpoint", config, {}) in live.backend.asked
    live.backend.denied = {"sagemaker:UpdateEndpoint"}
    error = live.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="first")
    assert error.code == "AccessDeniedException"


def test_requests_in_flight_are_answered_before_their_servers_end(live: World) -> None:
    record = _record(live)
    old = record.fleet
    assert old.enter()
    make_config(live, "second")
    live.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="second")
    server_is_up(live, 4)
    live.clock.advance(durations.ENDPOINT_UPDATE)
    live.wait_until(lambda: not old.enter() or bool(old.leave()))  # closed to newcomers
    assert not live.backend.servers[0].stopped.is_set()
    assert live.invoke("live")[0] == 200
    assert any(server.headers for server in live.backend.servers[2:])
    old.leave()
    assert live.backend.servers[0].stopped.wait(10)


def test_the_end_of_an_old_endpoint_spares_a_new_one_of_its_name(live: World) -> None:
    live.call("DeleteEndpoint", EndpointName="live")
    live.wait_until(lambda: live.clock.pending("settle") == 1)
    live.service.reset()
    make_config(live, "first")
    live.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first")
    server_is_up(live, 4)
    live.clock.advance(durations.ENDPOINT_DELETE)
    assert status(live) == "Creating"
    live.clock.advance(durations.ENDPOINT_CREATE)
    assert status(live) == "InService"


def test_iam_authorises_on_the_resource(world: World) -> None:
    arn = world.service.resource_arn
    assert arn("DeleteEndpoint", b'{"EndpointName": "live"}', SCOPE) == ARN
    assert arn("CreateTrainingJob", b'{"TrainingJobName": "j"}', SCOPE).endswith(":training-job/j")
    assert arn("AddTags", f'{{"ResourceArn": "{ARN}"}}'.encode(), SCOPE) == ARN
    assert arn("ListEndpoints", b"{}", SCOPE) == "*"
    assert arn("DeleteEndpoint", b"not json", SCOPE) == "*"
    assert arn("DeleteEndpoint", b"[1]", SCOPE) == "*"
