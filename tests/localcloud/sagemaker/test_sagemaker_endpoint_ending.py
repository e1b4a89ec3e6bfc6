"""What AWS does with an endpoint by itself: platform updates, deletions that get stuck, writes that come late."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker import durations
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.scripted_backend import ROLE, World
from tests.localcloud.sagemaker.test_sagemaker_endpoint_states import IN_PROGRESS, live, make_config, status

__all__ = ["live"]

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def delete(world: World) -> None:
    """Delete the endpoint and let the modelled time of that pass."""
    world.call("DeleteEndpoint", EndpointName="live")
    world.wait_until(lambda: world.clock.pending("settle") >= 1)
    world.clock.advance(durations.ENDPOINT_DELETE)


def is_gone(world: World) -> bool:
    return world.call("ListEndpoints")["Endpoints"] == []


def test_a_system_update_holds_up_update_and_delete(live: World) -> None:
    make_config(live, "second")
    live.service.inject({"name": "live", "status": "SystemUpdating", "seconds": 600})
    assert status(live) == "SystemUpdating"
    assert live.invoke("live")[0] == 200
    for operation, members in (("DeleteEndpoint", {}), ("UpdateEndpoint", {"EndpointConfigName": "second"})):
        assert live.refusal(operation, EndpointName="live", **members).message == IN_PROGRESS
    live.clock.advance(600)
    assert status(live) == "InService"


@pytest.mark.parametrize(
    "event",
    [
        {"name": "none", "status": "SystemUpdating", "seconds": 1},
        {"name": "live", "status": "Failed", "seconds": 1},
        {"name": "live", "status": "SystemUpdating", "seconds": "long"},
    ],
)
def test_a_wrong_event_changes_nothing(live: World, event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"live|status|none|long"):
        live.service.inject(event)
    assert status(live) == "InService"


@pytest.mark.parametrize("lost", ["missing_roles", "powerless_roles"])
def test_a_deletion_does_not_end_without_the_role(live: World, lost: str) -> None:
    setattr(live.backend, lost, {ROLE})
    delete(live)
    live.clock.advance(7200)
    assert status(live) == "Deleting"
    assert live.refusal("DeleteEndpoint", EndpointName="live").message == IN_PROGRESS
    assert not any(line["running"] for line in live.meter.snapshot())
    setattr(live.backend, lost, set())
    live.clock.advance(60)
    assert is_gone(live)


def test_a_stuck_deletion_does_not_make_time_pass_for_ever(live: World) -> None:
    live.backend.missing_roles = {ROLE}
    delete(live)
    live.clock.advance(24 * 3600)
    assert (live.clock.pending("settle"), live.clock.pending("calendar")) == (0, 1)


def test_the_switch(live: World) -> None:
    live.switches.set({"endpoint-needs-role": "no"})
    live.backend.missing_roles = {ROLE}
    delete(live)
    assert is_gone(live)


def test_the_last_captures_and_log_lines_come_late(world: World) -> None:
    make_config(world, "first", DataCaptureConfig=CAPTURE)
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="first")
    world.wait_until(lambda: bool(world.backend.servers))
    world.clock.advance(durations.ENDPOINT_CREATE)
    world.wait_until(lambda: status(world) == "InService")
    world.invoke("live")
    delete(world)
    assert is_gone(world)
    assert (world.backend.objects, world.backend.logs) == ({}, [])
    world.clock.advance(durations.ENDPOINT_LATE_WRITES)
    world.wait_until(lambda: bool(world.backend.objects and world.backend.logs))
    [(group, stream, _)] = world.backend.logs
    assert (group, stream) == ("/aws/sagemaker/Endpoints/live", "all/last-lines")


@pytest.mark.localcloud
def test_a_bucket_fills_and_a_log_group_comes_back(
    localcloud: Localcloud, hosted: Callable[..., str], trained_model: str, until: Callable[..., None]
) -> None:
    prefix = f"s3://{trained_model}/late"
    endpoint = hosted(DataCaptureConfig={**CAPTURE, "DestinationS3Uri": prefix})
    sm, s3, logs = (localcloud.client(name) for name in ("sagemaker", "s3", "logs"))
    localcloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"9,1")
    sm.delete_endpoint(EndpointName=endpoint)
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    sm.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    until(lambda: "all/last-lines" in streams(logs, group))
    until(lambda: s3.list_objects_v2(Bucket=trained_model, Prefix="late/")["KeyCount"] > 0)


def streams(logs: Any, group: str) -> set[str]:
    """The streams of a log group, none when it is not there."""
    try:
        return {stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]}
    except ClientError:
        return set()


@pytest.mark.localcloud
def test_a_lost_role_is_felt(localcloud: Localcloud, trained_model: str, until: Callable[..., None]) -> None:
    iam, sm = localcloud.client("iam"), localcloud.client("sagemaker")
    name = "lost-role"
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": ["s3:GetObject", "ecr:BatchGetImage"], "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for statement in (trust, may)]

    def make() -> str:
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=documents[1])
        return str(role)

    container = sm.describe_model(ModelName=trained_model)["PrimaryContainer"]
    given = {key: container[key] for key in ("Image", "ModelDataUrl")}
    sm.create_model(ModelName=name, ExecutionRoleArn=make(), PrimaryContainer=given)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sm.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    iam.delete_role_policy(RoleName=name, PolicyName="may")
    iam.delete_role(RoleName=name)
    sm.delete_endpoint(EndpointName=name)
    localcloud.admin("POST", "clock", {"advance_seconds": 600})
    assert sm.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Deleting"
    make()

    def gone() -> bool:
        try:
            return not sm.describe_endpoint(EndpointName=name)
        except ClientError as error:
            return "Could not find endpoint" in str(error)

    until(gone)


@pytest.mark.localcloud
def test_the_admin_endpoint_injects(localcloud: Localcloud) -> None:
    with pytest.raises(HTTPError, match="400"):
        localcloud.admin("POST", "endpoint", {"name": "none", "status": "SystemUpdating", "seconds": 1})
    with pytest.raises(HTTPError, match="400"):
        localcloud.admin("POST", "endpoint", {"name": "none"})
