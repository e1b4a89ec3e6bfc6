"""Serverless endpoints whose containers the test plays: refusals, cold starts, throttling, what is billed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.ports import Reply
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, World

VARIANT = {"VariantName": "all", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}}
ARN = SCOPE.arn("endpoint", "live") + "/all"


def configure(world: World, variant: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    request = {"EndpointConfigName": "c", "ProductionVariants": [VARIANT | (variant or {})], **more}
    return world.call("CreateEndpointConfig", **request)


def deploy(world: World, provisioned: int = 0) -> None:
    world.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    sizes: dict[str, int] = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    configure(world, {"ServerlessConfig": sizes | ({"ProvisionedConcurrency": provisioned} if provisioned else {})})
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="c")
    record: Any = world.service.core.store.by_arn(SCOPE.arn("endpoint", "live"))
    world.wait_until(lambda: record.rollout is None or record.rollout.ready)
    world.clock.advance(durations.ENDPOINT_CREATE)
    assert record.status == "InService"


def running(world: World) -> int:
    return sum(not server.stopped.is_set() for server in world.backend.servers)


@pytest.mark.parametrize(
    ("variant", "more", "text"),
    [
        ({"InstanceType": "ml.m5.large"}, {}, "InstanceType cannot be set for the serverless production variant all."),
        ({"InitialInstanceCount": 1}, {}, "InitialInstanceCount cannot be set"),
        (
            {"ServerlessConfig": {"MemorySizeInMB": 2000, "MaxConcurrency": 1}},
            {},
            "MemorySizeInMB 2000 is not supported",
        ),
        (
            {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": 2}},
            {},
            "ProvisionedConcurrency of variant all cannot be greater than its MaxConcurrency.",
        ),
        (
            {},
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": "s3://b/c",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig is not supported for serverless endpoints.",
        ),
        (
            {},
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/c"}}},
            "AsyncInferenceConfig is not supported for serverless endpoints.",
        ),
        (
            {"ModelName": "isolated"},
            {},
            "Network isolation of model isolated is not supported for serverless endpoints.",
        ),
    ],
)
def test_what_a_serverless_variant_may_not_have(
    world: World, variant: dict[str, Any], more: dict[str, Any], text: str
) -> None:
    for name, isolated in (("m", False), ("isolated", True)):
        world.call(
            "CreateModel",
            ModelName=name,
            PrimaryContainer={"Image": IMAGE},
            ExecutionRoleArn=ROLE,
            EnableNetworkIsolation=isolated,
        )
    with pytest.raises(ServiceError) as caught:
        configure(world, variant, **more)
    assert caught.value.code == "ValidationException"
    assert text in caught.value.message


def test_one_variant_alone(world: World) -> None:
    world.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variants = [VARIANT, VARIANT | {"VariantName": "other"}]
    refused = world.refusal("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
    assert refused.message == "A serverless endpoint can have only one production variant."


def test_an_endpoint_on_instances_does_not_become_serverless(world: World) -> None:
    world.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    configure(world)
    on_instances = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.call("CreateEndpointConfig", EndpointConfigName="old", ProductionVariants=[on_instances])
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="old")
    record: Any = world.service.core.store.by_arn(SCOPE.arn("endpoint", "live"))
    world.wait_until(lambda: record.rollout.ready)
    world.clock.advance(durations.ENDPOINT_CREATE)
    refused = world.refusal("UpdateEndpoint", EndpointName="live", EndpointConfigName="c")
    assert refused.message == "An endpoint on instances cannot be updated to a serverless endpoint."


def test_a_server_starts_with_the_first_request_and_ends_when_nobody_asks(world: World) -> None:
    deploy(world)
    # one was started to see that it works
    assert (len(world.backend.servers), running(world)) == (1, 0)
    assert world.invoke("live")[2] == b"1,2"
    assert world.invoke("live")[2] == b"1,2"
    assert (len(world.backend.servers), running(world)) == (2, 1)
    world.clock.advance(durations.SERVERLESS_IDLE - 1)
    world.invoke("live")
    world.clock.advance(durations.SERVERLESS_IDLE - 1)
    assert running(world) == 1
    world.clock.advance(2)
    world.wait_until(lambda: running(world) == 0)
    world.invoke("live")
    assert len(world.backend.servers) == 3
    world.service.runtime.flush()
    metrics = [
        datum.name
        for datum in world.backend.metrics
        if dict(datum.dimensions).keys() == {"EndpointName", "VariantName"}
    ]
    assert metrics.count("ModelSetupTime") == 2
    assert "InvocationsPerInstance" not in metrics
    use = {datum.value for datum in world.backend.metrics if datum.name == "ServerlessConcurrentExecutionsUtilization"}
    assert use == {0.0}


def test_more_than_its_concurrency_is_throttled(world: World) -> None:
    deploy(world)
    world.invoke("live")
    [server] = [server for server in world.backend.servers if not server.stopped.is_set()]
    server.free.clear()
    asking = [threading.Thread(target=world.invoke, args=["live"]) for _ in range(2)]
    asking[0].start()
    world.wait_until(lambda: len(server.headers) == 2)
    # the second has a server of its own, as on AWS
    asking[1].start()
    world.wait_until(lambda: len(world.backend.servers) == 3)
    asking[1].join()
    other = world.backend.servers[-1]
    other.free.clear()
    asking[1] = threading.Thread(target=world.invoke, args=["live"])
    asking[1].start()
    world.wait_until(lambda: len(other.headers) == 2)
    with pytest.raises(ServiceError) as caught:
        world.invoke("live")
    assert (caught.value.code, caught.value.status, caught.value.message) == (
        "ThrottlingException",
        429,
        "Rate exceeded",
    )
    server.free.set()
    other.free.set()
    for thread in asking:
        thread.join()
    assert world.invoke("live")[0] == 200


def test_a_cold_start_that_fails_is_the_models_fault(world: World) -> None:
    deploy(world)
    world.backend.start_failure = "it does not start"
    with pytest.raises(ServiceError, match="it does not start") as caught:
        world.invoke("live")
    assert caught.value.code == "ModelError"
    world.backend.start_failure = None
    assert world.invoke("live")[0] == 200


def test_only_inference_is_billed(world: World) -> None:
    deploy(world)
    world.clock.advance(100_000)
    assert world.meter.snapshot() == []
    for _ in range(3):
        world.invoke("live")
        for server in world.backend.servers:
            server.reply = Reply(200, {}, b"", latency_ms=1.2)
    [line] = world.meter.snapshot()
    assert (line["arn"], line["kind"], line["rate_key"]) == (ARN, "serverless-inference", "serverless 2048 MB")
    # 0 ms, and twice a millisecond begun
    assert line["seconds"] == pytest.approx(0.004)
    assert not line["running"]
    world.clock.advance(100_000)
    assert [reading["seconds"] for reading in world.meter.snapshot()] == [pytest.approx(0.004)]


def test_provisioned_concurrency_is_always_warm_and_billed(world: World) -> None:
    deploy(world, provisioned=1)
    assert running(world) == 1
    world.invoke("live")
    world.clock.advance(durations.SERVERLESS_IDLE + 1)
    world.invoke("live")
    assert len(world.backend.servers) == 1
    line = next(line for line in world.meter.snapshot() if line["kind"] == "serverless-provisioned")
    assert (line["quantity"], line["running"]) == (1, True)
    world.call("DeleteEndpoint", EndpointName="live")
    assert not any(line["running"] for line in world.meter.snapshot())
    world.wait_until(lambda: running(world) == 0)


def test_what_describe_says(world: World) -> None:
    deploy(world)
    [variant] = world.call("DescribeEndpoint", EndpointName="live")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == VARIANT["ServerlessConfig"]
    assert variant["DesiredServerlessConfig"] == VARIANT["ServerlessConfig"]
    assert "CurrentInstanceCount" not in variant
    [asked] = world.call("DescribeEndpointConfig", EndpointConfigName="c")["ProductionVariants"]
    assert asked["ServerlessConfig"] == VARIANT["ServerlessConfig"]


def test_a_body_may_have_four_megabytes(world: World) -> None:
    deploy(world)
    assert world.invoke("live", b"x" * 4 * 1024 * 1024)[0] == 200
    with pytest.raises(ServiceError, match="has oversize body") as caught:
        world.invoke("live", b"x" * (4 * 1024 * 1024 + 1))
    assert (caught.value.code, caught.value.status) == ("ValidationError", 400)
