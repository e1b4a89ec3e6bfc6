"""Invocations, data capture and metrics of an endpoint whose container the test plays."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.ports import Reply, Unreachable
from localcloud.sagemaker.runtime import BODY_LIMIT, error_response
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, World

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://reports/capture/bank",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}


def deploy(world: World, capture: dict[str, Any] | None = None, weights: tuple[float, ...] = (1,)) -> None:
    """Endpoint `live` InService, one variant a weight: v0, v1..."""
    world.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    world.call(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[
            {
                "VariantName": f"v{n}",
                "ModelName": "m",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": weight,
            }
            for n, weight in enumerate(weights)
        ],
        **({"DataCaptureConfig": capture} if capture else {}),
    )
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="c")
    record: Any = world.service.core.store.by_arn(SCOPE.arn("endpoint", "live"))
    world.wait_until(lambda: record.rollout is None or record.rollout.ready)
    world.clock.advance(durations.ENDPOINT_CREATE)
    assert record.status == "InService"


def refusal(world: World, endpoint: str = "live", body: bytes = b"1", **headers: str) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        world.invoke(endpoint, body, **headers)
    return caught.value


def captured(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for body in world.backend.objects.values() for line in body.decode().splitlines()]


def test_a_request_reaches_the_container_with_its_headers_only(world: World) -> None:
    deploy(world)
    server = world.backend.servers[0]
    server.reply = Reply(200, {"content-type": "application/json", "x-amzn-sagemaker-custom-attributes": "c=2"}, b"{}")
    status, headers, body = world.invoke(
        "live",
        b"1,2",
        accept="application/json",
        x_amzn_sagemaker_custom_attributes="c=1",
        x_amzn_sagemaker_inference_id="id-1",
        authorization="secret",
        cookie="secret",
    )
    assert (status, body) == (200, b"{}")
    assert headers == {
        "Content-Type": "application/json",
        "x-Amzn-Invoked-Production-Variant": "v0",
        "X-Amzn-SageMaker-Custom-Attributes": "c=2",
    }
    assert server.headers == [
        {
            "content-type": "text/csv",
            "accept": "application/json",
            "x-amzn-sagemaker-custom-attributes": "c=1",
            "x-amzn-sagemaker-inference-id": "id-1",
        }
    ]


@pytest.mark.parametrize(("status", "whose"), [(400, "client"), (415, "client"), (500, "server")])
def test_a_containers_error_is_a_model_error(world: World, status: int, whose: str) -> None:
    deploy(world)
    world.backend.servers[0].reply = Reply(status, {}, b"bad row")
    error = refusal(world)
    assert (error.code, error.status) == ("ModelError", 424)
    assert error.message == (
        f'Received {whose} error ({status}) from primary with message "bad row". See '
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#logEventViewer:group=/aws/sagemaker/Endpoints/live in account 123456789012 for more information."
    )
    assert error.members == {
        "OriginalStatusCode": status,
        "OriginalMessage": "bad row",
        "LogStreamArn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/live",
    }
    wire_status, headers, body = error_response(error)
    assert (wire_status, headers["x-amzn-ErrorType"]) == (424, "ModelError")
    assert json.loads(body)["OriginalStatusCode"] == status


def test_a_container_that_does_not_answer(world: World) -> None:
    deploy(world)
    world.backend.servers[0].reply = Unreachable("gone")
    error = refusal(world)
    assert error.code == "ModelError"
    assert "Received server error (0) from primary" in error.message
    assert "timed out while waiting for a response from container primary" in error.message


def test_an_endpoint_that_is_not_there(world: World) -> None:
    error = refusal(world, "nobody")
    assert (error.code, error.status) == ("ValidationError", 400)
    assert error.message == "Endpoint nobody of account 123456789012 not found."


def test_an_endpoint_that_is_still_creating_answers_nobody(world: World) -> None:
    world.backend.hold.clear()
    world.call("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    world.call("CreateEndpoint", EndpointName="live", EndpointConfigName="c")
    assert refusal(world).code == "ValidationError"
    world.backend.hold.set()


def test_a_body_may_have_six_megabytes(world: World) -> None:
    deploy(world)
    assert world.invoke("live", b"x" * BODY_LIMIT)[0] == 200
    error = refusal(world, body=b"x" * (BODY_LIMIT + 1))
    assert error.message.endswith("Member must have length less than or equal to 6291456")


def test_what_is_not_here_is_refused_by_name(world: World) -> None:
    deploy(world)
    assert "TargetModel" in refusal(world, x_amzn_sagemaker_target_model="a.tar.gz").message
    with pytest.raises(ServiceError, match="InvokeEndpointWithResponseStream is not supported yet"):
        world.service.runtime.invoke(SCOPE, "/endpoints/live/invocations-response-stream", {}, b"")


def test_variants_by_weight_and_by_name(world: World) -> None:
    deploy(world, weights=(3, 1, 0))
    seen = Counter(world.invoke("live")[1]["x-Amzn-Invoked-Production-Variant"] for _ in range(400))
    assert 250 < seen["v0"] < 350
    assert seen["v1"] == 400 - seen["v0"]
    assert world.invoke("live", x_amzn_sagemaker_target_variant="v2")[1]["x-Amzn-Invoked-Production-Variant"] == "v2"
    assert refusal(world, x_amzn_sagemaker_target_variant="v9").code == "ValidationError"


def test_captured_exchanges_have_the_real_layout(world: World) -> None:
    deploy(world, CAPTURE)
    world.invoke("live", b"1,2", x_amzn_sagemaker_inference_id="mine")
    world.invoke("live", b"\x00\xff", content_type="application/octet-stream")
    assert world.backend.objects == {}
    world.clock.advance(durations.CAPTURE_FLUSH)
    world.wait_until(lambda: bool(world.backend.objects))
    [uri] = world.backend.objects
    assert re.fullmatch(r"s3://reports/capture/bank/live/v0/2027/01/15/08/04-00-000-[0-9a-f-]{36}\.jsonl", uri), uri
    first, second = captured(world)
    assert first["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "1,2", "encoding": "CSV"},
    }
    assert first["eventMetadata"]["inferenceId"] == "mine"
    assert first["eventMetadata"]["inferenceTime"] == "2027-01-15T08:04:00Z"
    assert first["eventVersion"] == "0"
    assert second["captureData"]["endpointInput"] == {
        "observedContentType": "application/octet-stream",
        "mode": "INPUT",
        "data": base64.b64encode(b"\x00\xff").decode(),
        "encoding": "BASE64",
    }
    assert "inferenceId" not in second["eventMetadata"]


def test_one_side_alone_and_json(world: World) -> None:
    deploy(world, {**CAPTURE, "CaptureOptions": [{"CaptureMode": "Output"}]})
    world.backend.servers[0].reply = Reply(200, {"content-type": "application/json; charset=utf-8"}, b'{"a": 1}')
    world.invoke("live")
    world.clock.advance(durations.CAPTURE_FLUSH)
    world.wait_until(lambda: bool(world.backend.objects))
    assert captured(world)[0]["captureData"] == {
        "endpointOutput": {
            "observedContentType": "application/json; charset=utf-8",
            "mode": "OUTPUT",
            "data": '{"a": 1}',
            "encoding": "JSON",
        }
    }


def test_errors_are_not_captured_and_sampling_samples(world: World) -> None:
    deploy(world, {**CAPTURE, "InitialSamplingPercentage": 25})
    server = world.backend.servers[0]
    server.reply = Reply(500, {}, b"")
    refusal(world)
    server.reply = None
    for _ in range(400):
        world.invoke("live")
    world.clock.advance(durations.CAPTURE_FLUSH)
    world.wait_until(lambda: bool(world.backend.objects))
    assert 60 < len(captured(world)) < 140


def test_capture_is_reported_and_can_be_off(world: World) -> None:
    deploy(world, {**CAPTURE, "EnableCapture": False})
    world.invoke("live")
    assert "DataCaptureConfig" not in world.call("DescribeEndpoint", EndpointName="live")
    other = World()
    deploy(other, CAPTURE)
    assert other.call("DescribeEndpoint", EndpointName="live")["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": "s3://reports/capture/bank",
        "KmsKeyId": "",
    }


def test_a_capture_that_cannot_be_written_is_in_the_endpoints_log(world: World) -> None:
    world.backend.unwritable = True
    deploy(world, CAPTURE)
    world.invoke("live")
    world.clock.advance(durations.CAPTURE_FLUSH)
    world.wait_until(lambda: bool(world.backend.logs))
    [(group, stream, text)] = world.backend.logs
    assert (group, stream) == ("/aws/sagemaker/Endpoints/live", "v0/data-capture")
    assert "AccessDenied: no" in text


def test_metrics_of_an_invocation(world: World) -> None:
    deploy(world)
    world.backend.servers[0].reply = Reply(200, {}, b"", latency_ms=2.5)
    world.invoke("live")
    world.backend.servers[0].reply = Reply(404, {}, b"")
    refusal(world)
    world.service.runtime.flush()
    found = {(datum.name, datum.value) for datum in world.backend.metrics if datum.name != "OverheadLatency"}
    assert found == {
        ("Invocations", 1.0),
        ("InvocationsPerInstance", 1.0),
        ("InvocationModelErrors", 0.0),
        ("InvocationModelErrors", 1.0),
        ("Invocation4XXErrors", 0.0),
        ("Invocation4XXErrors", 1.0),
        ("Invocation5XXErrors", 0.0),
        ("ModelLatency", 2500.0),
        ("ModelLatency", 0.0),
    }
    assert {tuple(datum.dimensions.items()) for datum in world.backend.metrics} == {
        (("EndpointName", "live"), ("VariantName", "v0")),
        (("EndpointName", "live"), ("VariantName", "v0"), ("EndpointConfigName", "c")),
    }
    units = {datum.name: datum.unit for datum in world.backend.metrics}
    assert units["ModelLatency"] == units["OverheadLatency"] == "Microseconds"
