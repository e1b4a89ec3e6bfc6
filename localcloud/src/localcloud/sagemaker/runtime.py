"""InvokeEndpoint: from the HTTP request to the variant's server and back.

Headers and errors as in facts containers 1.3 and botocore's sagemaker-runtime model.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping

from localcloud.sagemaker import async_requests
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.hosting import serverless
from localcloud.sagemaker.hosting.capture import Exchange
from localcloud.sagemaker.hosting.fleet import Fleet, Variant
from localcloud.sagemaker.hosting.metrics import Invocation, InvocationMetrics, ServerlessUse
from localcloud.sagemaker.kinds.endpoint import Endpoints
from localcloud.sagemaker.ports import Reply, Scope, Unreachable

#: status, headers, body
Response = tuple[int, dict[str, str], bytes]

INVOCATION = re.compile(r"^/endpoints/(?P<endpoint>[^/]+)/(?P<how>invocations[a-z-]*|async-invocations)$")
#: BodyBlob ([B] sagemaker-runtime)
BODY_LIMIT = 6_291_456
_PREFIX = "x-amzn-sagemaker-"
#: request headers that reach the container; all others are removed ([DG] your-algorithms-inference-code)
_TO_CONTAINER = ("content-type", "accept", f"{_PREFIX}custom-attributes", f"{_PREFIX}inference-id")
#: request headers whose features are not here: refused, not ignored
_UNSUPPORTED = {
    f"{_PREFIX}target-model": "TargetModel",
    f"{_PREFIX}target-container-hostname": "TargetContainerHostname",
    f"{_PREFIX}enable-explanations": "EnableExplanations",
    f"{_PREFIX}inference-component": "InferenceComponentName",
    f"{_PREFIX}session-id": "SessionId",
    f"{_PREFIX}prefix-aware-id": "PrefixAwareId",
}


class Runtime:
    """Answers invocations; called on a thread of its own for each, so it may block."""

    def __init__(self, core: Core, endpoints: Endpoints) -> None:
        """``endpoints`` are where requests go."""
        self._core = core
        self._endpoints = endpoints
        self._metrics = InvocationMetrics(core.backend, core.in_background)
        endpoints.queues.work = async_requests.Worker(core, self._record).work

    def invoke(self, scope: Scope, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """One invocation (header names in lower case). Raises ServiceError."""
        began = time.perf_counter()
        match = INVOCATION.match(path)
        if match is None:
            raise ServiceError("UnknownOperationException", f"[localcloud] {path} is not an invocation")
        endpoint = match["endpoint"]
        if match["how"] == "async-invocations":
            return self._accept(scope, endpoint, headers, body)
        _check(match["how"], headers, body)
        fleet = self._enter(scope, endpoint)
        try:
            if fleet.asynchronous:
                raise _invalid(f"Endpoint {endpoint} is asynchronous: it is invoked with InvokeEndpointAsync.")
            target = headers.get(f"{_PREFIX}target-variant")
            variant = fleet.choose(target)
            if variant is None:
                raise _invalid(f"Variant {target} of endpoint {endpoint} not found.")
            if variant.on_demand and len(body) > serverless.BODY_LIMIT:
                raise _invalid(f"Request {uuid.uuid4()} has oversize body.")  # [R] aws/sagemaker-python-sdk#4271
            reply = self._ask(variant, headers, body)
            self._record(scope, endpoint, fleet.config_name, variant, reply, (time.perf_counter() - began) * 1000)
            if not 200 <= reply.status < 400:
                raise _model_error(scope, endpoint, reply)
            self._capture(fleet, variant, headers, body, reply)
        finally:
            fleet.leave()
        out = {
            "Content-Type": reply.headers.get("content-type", "application/octet-stream"),
            "x-Amzn-Invoked-Production-Variant": variant.name,
        }
        attributes = reply.headers.get(f"{_PREFIX}custom-attributes")
        if attributes:
            out["X-Amzn-SageMaker-Custom-Attributes"] = attributes
        return 200, out, reply.body

    def _accept(self, scope: Scope, endpoint: str, headers: Mapping[str, str], body: bytes) -> Response:
        """InvokeEndpointAsync."""
        fleet = self._enter(scope, endpoint)
        try:
            queue = self._endpoints.queues.of(scope, endpoint) if fleet.asynchronous else None
            if queue is None:
                raise _invalid(f"Endpoint {endpoint} is not asynchronous: it has no AsyncInferenceConfig.")
            return async_requests.accept(self._core, queue, headers, body)
        finally:
            fleet.leave()

    def _record(
        self, scope: Scope, endpoint: str, config: str, variant: Variant, reply: Reply, total_ms: float
    ) -> None:
        """Count an invocation that reached a container."""
        self._metrics.record(
            Invocation(
                scope,
                endpoint,
                config,
                variant.name,
                variant.instance_count,
                self._core.clock.now(),
                reply.status,
                reply.latency_ms,
                total_ms,
                ServerlessUse(reply.setup_ms, variant.on_demand.concurrency) if variant.on_demand else None,
            )
        )

    def flush(self) -> None:
        """Put the metrics that wait."""
        self._metrics.flush()

    def _enter(self, scope: Scope, endpoint: str) -> Fleet:
        """The fleet that answers, kept alive until ``leave``. Raises ValidationError when there is none."""
        while True:
            fleet = self._endpoints.serving(scope, endpoint)
            if fleet is None:
                raise _invalid(f"Endpoint {endpoint} of account {scope.account} not found.")
            if fleet.enter():
                return fleet
            # replaced since it was looked up: its successor is in place already

    def _ask(self, variant: Variant, headers: Mapping[str, str], body: bytes) -> Reply:
        passed = {name: headers[name] for name in _TO_CONTAINER if name in headers}
        try:
            return variant.invoke(body, passed)
        except serverless.Throttled:
            # [R] text; [DG] serverless-endpoints: 429 ThrottlingException
            raise ServiceError("ThrottlingException", "Rate exceeded", 429) from None
        except Unreachable as reason:
            # status 0 is what AWS reports when the container gives no answer ([R])
            text = f"Your invocation timed out while waiting for a response from container primary. ({reason})"
            return Reply(0, {}, text.encode())

    def _capture(self, fleet: Fleet, variant: Variant, headers: Mapping[str, str], body: bytes, reply: Reply) -> None:
        if fleet.capture is None:
            return
        fleet.capture.offer(
            Exchange(
                variant=variant.name,
                role_arn=variant.spec.role_arn,
                moment=self._core.clock.now(),
                input_type=headers.get("content-type", "application/octet-stream"),
                input_body=body,
                output_type=reply.headers.get("content-type", "application/octet-stream"),
                output_body=reply.body,
                inference_id=headers.get(f"{_PREFIX}inference-id"),
            )
        )


def error_response(error: ServiceError) -> Response:
    """A ServiceError as the runtime's REST protocol writes it."""
    document = {"message": error.message, **error.members}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    return error.status, headers, json.dumps(document).encode()


def _check(how: str, headers: Mapping[str, str], body: bytes) -> None:
    if how != "invocations":
        operation = "InvokeEndpointWithResponseStream" if how == "invocations-response-stream" else how
        raise ServiceError("UnknownOperationException", f"[localcloud] {operation} is not supported yet")
    if not _UNSUPPORTED.keys().isdisjoint(headers):
        member = next(member for header, member in _UNSUPPORTED.items() if header in headers)
        raise _invalid(f"[localcloud] InvokeEndpoint: {member} is not supported yet")
    if not body:
        # [B] Body is required; the text is from memory
        raise _invalid(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must not be null"
        )
    if len(body) > BODY_LIMIT:
        raise _invalid(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length "
            f"less than or equal to {BODY_LIMIT}"
        )


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def _model_error(scope: Scope, endpoint: str, reply: Reply) -> ServiceError:
    """The container's answer as ModelError, 424 ([R] text)."""
    text = reply.body.decode(errors="replace")
    whose = "client" if 400 <= reply.status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    message = (
        f'Received {whose} error ({reply.status}) from primary with message "{text}". See '
        f"https://{scope.region}.console.aws.amazon.com/cloudwatch/home?region={scope.region}"
        f"#logEventViewer:group={group} in account {scope.account} for more information."
    )
    return ServiceError(
        "ModelError",
        message,
        424,
        {
            "OriginalStatusCode": reply.status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{scope.region}:{scope.account}:log-group:{group}",
        },
    )
