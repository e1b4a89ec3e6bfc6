"""Asynchronous endpoints whose containers the test plays: what may be asked, the queue, files and notifications."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.ports import Reply
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, World

INPUT = "s3://data/in/rows.csv"
CONFIG: dict[str, Any] = {
    "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
    "OutputConfig": {
        "S3OutputPath": "s3://data/out/",
        "S3FailurePath": "s3://data/failed",
        "NotificationConfig": {
            "SuccessTopic": "arn:aws:sns:eu-west-1:123456789012:done",
            "ErrorTopic": "arn:aws:sns:eu-west-1:123456789012:wrong",
        },
    },
}


def deploy(world: World, config: dict[str, Any] | None = None) -> Any:
    """Endpoint `live`, asynchronous, InService; its record."""
    world.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.call(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[variant],
        AsyncInferenceConfig=config or CONFIG,
    )
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="c")
    record: Any = world.service.core.store.by_arn(SCOPE.arn("endpoint", "live"))
    world.wait_until(lambda: record.rollout is None or record.rollout.ready)
    world.clock.advance(durations.ENDPOINT_CREATE)
    world.backend.objects[INPUT] = b"a,b"
    return record


def ask(world: World, source: str = INPUT, body: bytes = b"", **headers: str) -> tuple[str, str, str | None]:
    """InferenceId, OutputLocation and FailureLocation of a request that is accepted."""
    named = {f"x-amzn-sagemaker-{name.replace('_', '-')}": value for name, value in headers.items()}
    status, shown, reply = world.service.runtime.invoke(
        SCOPE, "/endpoints/live/async-invocations", {"x-amzn-sagemaker-inputlocation": source, **named}, body
    )
    assert status == 202
    failure = shown.get("X-Amzn-SageMaker-FailureLocation")
    return json.loads(reply)["InferenceId"], shown["X-Amzn-SageMaker-OutputLocation"], failure


def notices(world: World, count: int = 1) -> list[tuple[str, dict[str, Any]]]:
    """Topic and document of the notifications, when there are so many."""
    world.wait_until(lambda: len(world.backend.published) >= count)
    return [(topic.rpartition(":")[2], json.loads(message)) for topic, message in world.backend.published]


def set_instances(world: World, record: Any, count: int) -> None:
    """What a scaling policy does."""
    with world.service.core.store.lock:
        record.fleet.variants[0].instance_count = count
        world.service.core.store.changed.notify_all()


def test_from_input_to_output(world: World) -> None:
    deploy(world)
    inference_id, output, failure = ask(world, content_type="text/csv", accept="text/csv", inference_id="mine")
    assert inference_id == "mine"
    assert output.startswith("s3://data/out/")
    assert output.endswith(".out")
    assert failure
    assert failure.startswith("s3://data/failed/")
    [(topic, document)] = notices(world)
    assert world.backend.objects[output] == b"A,B"
    assert topic == "done"
    assert document == {
        "awsRegion": "eu-west-1",
        "eventTime": "2027-01-15T08:04:00.000Z",
        "receivedTime": "2027-01-15T08:04:00.000Z",
        "invocationStatus": "Completed",
        "requestParameters": {"endpointName": "live", "inputLocation": INPUT, "contentType": "text/csv"},
        "responseParameters": {"contentType": "text/csv", "outputLocation": output},
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    [server] = world.backend.servers
    assert server.headers == [
        {"content-type": "text/csv", "accept": "text/csv", "x-amzn-sagemaker-inference-id": "mine"}
    ]
    assert server.limits == [900]


def test_a_container_that_refuses(world: World) -> None:
    deploy(world)
    world.backend.servers[0].reply = Reply(400, {}, b"bad row")
    inference_id, output, failure = ask(world, invocationtimeoutseconds="30")
    [(topic, document)] = notices(world)
    assert topic == "wrong"
    assert document["invocationStatus"] == "Failed"
    assert document["inferenceId"] == inference_id
    assert document["failureReason"] == 'ClientError: Received client error (400) from primary with message "bad row".'
    assert document["responseParameters"] == {"outputLocation": failure}
    assert world.backend.objects[str(failure)] == b"bad row"
    assert output not in world.backend.objects
    assert world.backend.servers[0].limits == [30]


def test_an_input_that_is_not_there(world: World) -> None:
    deploy(world)
    _, _, failure = ask(world, "s3://data/nothing.csv")
    [(_, document)] = notices(world)
    text = "ClientError: Failed to download s3://data/nothing.csv. NoSuchKey: s3://data/nothing.csv"
    assert document["failureReason"] == text
    assert world.backend.objects[str(failure)] == text.encode()


def test_an_output_that_cannot_be_written_is_told_by_topic_and_log(world: World) -> None:
    deploy(world)
    world.backend.unwritable = True
    ask(world)
    [(topic, document)] = notices(world)
    assert topic == "wrong"
    assert "Failed to upload s3://data/out/" in document["failureReason"]
    assert [text for _, _, text in world.backend.logs if "s3://data/failed/" in text]


def test_a_topic_that_cannot_be_reached_is_in_the_log(world: World) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:denied"
    output = {**CONFIG["OutputConfig"], "NotificationConfig": {"SuccessTopic": topic}}
    deploy(world, {"OutputConfig": output})
    ask(world)
    world.wait_until(lambda: bool(world.backend.logs))
    assert f"Notification to {topic} could not be published" in world.backend.logs[0][2]


def test_requests_wait_for_an_instance(world: World) -> None:
    record = deploy(world)
    set_instances(world, record, 0)
    ask(world)
    ask(world)
    world.clock.advance(60)
    world.wait_until(lambda: ("ApproximateBacklogSize", 2.0) in {(d.name, d.value) for d in world.backend.metrics})
    found = {(datum.name, datum.value) for datum in world.backend.metrics}
    assert ("HasBacklogWithoutCapacity", 1.0) in found
    assert not [name for name, _ in found if name == "ApproximateBacklogSizePerInstance"]
    assert {tuple(datum.dimensions) for datum in world.backend.metrics} == {("EndpointName",)}
    assert world.backend.published == []
    set_instances(world, record, 1)
    assert {topic for topic, _ in notices(world, 2)} == {"done"}
    world.backend.metrics.clear()
    world.clock.advance(60)
    world.wait_until(lambda: bool(world.backend.metrics))
    assert ("ApproximateBacklogSizePerInstance", 0.0) in {(d.name, d.value) for d in world.backend.metrics}


def test_an_instance_that_came_for_a_request_is_in_the_metrics_before_its_answer(world: World) -> None:
    record = deploy(world)
    set_instances(world, record, 0)
    [server] = world.backend.servers
    server.free.clear()
    ask(world)
    world.clock.advance(60)
    world.backend.metrics.clear()
    set_instances(world, record, 1)
    world.wait_until(lambda: len(server.headers) == 1)  # it has the request, and holds it
    found = {(datum.name, datum.value) for datum in world.backend.metrics}
    assert found >= {("HasBacklogWithoutCapacity", 0.0), ("ApproximateBacklogSizePerInstance", 1.0)}
    server.free.set()
    notices(world)


def test_an_instance_takes_so_many_requests_at_a_time(world: World) -> None:
    record = deploy(world)
    [server] = world.backend.servers
    server.free.clear()
    for _ in range(5):
        ask(world)
    world.wait_until(lambda: len(server.headers) == 2)
    set_instances(world, record, 2)  # their processes are not the point here
    world.wait_until(lambda: len(server.headers) == 4)
    server.free.set()
    notices(world, 5)


def test_a_request_expires(world: World) -> None:
    record = deploy(world)
    set_instances(world, record, 0)
    _, output, failure = ask(world, requestttlseconds="60")
    world.clock.advance(61)
    [(topic, document)] = notices(world)
    assert topic == "wrong"
    assert "expired" in document["failureReason"]
    assert document["receivedTime"] < document["eventTime"]
    assert failure in world.backend.objects
    assert output not in world.backend.objects
    world.wait_until(lambda: "ExpiredRequests" in {datum.name for datum in world.backend.metrics})


def test_what_waits_when_the_endpoint_is_deleted_is_lost(world: World) -> None:
    record = deploy(world)
    set_instances(world, record, 0)
    ask(world)
    world.call("DeleteEndpoint", EndpointName="live")
    queue = world.service.endpoints.queues.of(SCOPE, "live")
    assert queue
    world.wait_until(lambda: not queue._dispatching)
    assert not queue._waiting
    world.clock.advance(durations.ENDPOINT_DELETE + 100_000)
    assert world.backend.published == []


@pytest.mark.parametrize(
    ("source", "headers", "body", "text"),
    [
        ("https://data/rows.csv", {}, b"", "InputLocation must be the S3 URI of an object"),
        ("s3://data", {}, b"", "InputLocation must be"),
        ("", {}, b"", "InputLocation must be"),
        (INPUT, {"requestttlseconds": "59"}, b"", "RequestTTLSeconds must be between 60 and 21600 seconds, not 59."),
        (INPUT, {"invocationtimeoutseconds": "3601"}, b"", "InvocationTimeoutSeconds must be between 1 and 3600"),
        (INPUT, {"filename": "x"}, b"", "[localcloud] InvokeEndpointAsync: Filename is not supported yet"),
        (INPUT, {}, b"1,2", "[localcloud] InvokeEndpointAsync: Body is not supported yet"),
    ],
)
def test_what_may_not_be_asked(world: World, source: str, headers: dict[str, str], body: bytes, text: str) -> None:
    deploy(world)
    with pytest.raises(ServiceError) as caught:
        ask(world, source, body, **headers)
    assert (caught.value.code, caught.value.status) == ("ValidationError", 400)
    assert text in caught.value.message


def test_each_kind_of_endpoint_has_its_own_call(world: World) -> None:
    deploy(world)
    with pytest.raises(ServiceError, match="it is invoked with InvokeEndpointAsync") as caught:
        world.invoke("live")
    assert caught.value.code == "ValidationError"
    assert world.call("DescribeEndpoint", EndpointName="live")["AsyncInferenceConfig"] == CONFIG
    other = World()
    other.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    other.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    other.call("CreateEndpoint", EndpointName="live", EndpointConfigName="c")
    record: Any = other.service.core.store.by_arn(SCOPE.arn("endpoint", "live"))
    other.wait_until(lambda: record.rollout.ready)
    other.clock.advance(durations.ENDPOINT_CREATE)
    with pytest.raises(ServiceError, match="it has no AsyncInferenceConfig"):
        ask(other)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({}, "OutputConfig without S3OutputPath"),
        (
            {
                "S3OutputPath": "s3://data/out",
                "NotificationConfig": {"IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]},
            },
            "IncludeInferenceResponseIn",
        ),
    ],
)
def test_what_is_not_here_is_refused_by_name(world: World, output: dict[str, Any], text: str) -> None:
    with pytest.raises(ServiceError, match=r"\[localcloud\]") as caught:
        deploy(world, {"OutputConfig": output})
    assert text in caught.value.message
