"""InvokeEndpointAsync: what a caller may ask, and the work behind it.

Input is read and output written under the model's execution role, which also publishes to the topics; headers, limits
and errors are those of botocore's sagemaker-runtime model and [DG] async-inference-invoke-endpoint.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.hosting.fleet import Variant
from localcloud.sagemaker.hosting.queue import Asked, Queue
from localcloud.sagemaker.ports import MetricDatum, Reply, Scope, Unreachable

logger = logging.getLogger("localcloud.sagemaker")

PREFIX = "x-amzn-sagemaker-"
_TO_CONTAINER = {
    f"{PREFIX}content-type": "content-type",
    f"{PREFIX}accept": "accept",
    f"{PREFIX}custom-attributes": f"{PREFIX}custom-attributes",
    f"{PREFIX}inference-id": f"{PREFIX}inference-id",
}
_UNSUPPORTED = {f"{PREFIX}s3outputpathextension": "S3OutputPathExtension", f"{PREFIX}filename": "Filename"}
_INPUT = re.compile(r"^s3://[^/]+/.+$")
#: largest object that may be an input, bytes ([DG] async-inference: 1 GB)
_LARGEST = 1024**3
#: member, default, smallest and largest value in seconds ([B] sagemaker-runtime)
_TTL = ("RequestTTLSeconds", 21_600, 60, 21_600)
_TIMEOUT = ("InvocationTimeoutSeconds", 900, 1, 3_600)


#: scope, endpoint, configuration, variant, the container's answer, milliseconds in all
Record = Callable[[Scope, str, str, Variant, Reply, float], object]


class _Failed(Exception):
    """A request failed; the text is its failureReason, ``body`` what is written to the failure location."""

    def __init__(self, reason: str, body: bytes | None = None) -> None:
        super().__init__(reason)
        self.body = reason.encode() if body is None else body


def accept(core: Core, queue: Queue, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Put a request into the queue: 202 and where the answer will be. Raises ServiceError."""
    for header, member in _UNSUPPORTED.items():
        if header in headers:
            raise _invalid(f"[localcloud] InvokeEndpointAsync: {member} is not supported yet")
    if body:
        raise _invalid("[localcloud] InvokeEndpointAsync: Body is not supported yet")
    source = headers.get(f"{PREFIX}inputlocation", "")
    if not _INPUT.match(source) or len(source) > 1024:
        raise _invalid(f"InputLocation must be the S3 URI of an object (s3://bucket/key), not '{source}'.")
    ttl, timeout = (_seconds(headers, *limits) for limits in (_TTL, _TIMEOUT))
    number = str(uuid.uuid4())
    inference_id = headers.get(f"{PREFIX}inference-id") or number
    settings = queue.settings
    output = f"{settings.output}/{number}.out"
    failure = f"{settings.failure}/{number}-error.out" if settings.failure else None
    passed = {name: headers[header] for header, name in _TO_CONTAINER.items() if header in headers}
    now = core.clock.now()
    queue.put(Asked(inference_id, number, source, passed, output, failure, now, now + ttl, timeout))
    shown = {"Content-Type": "application/json", "X-Amzn-SageMaker-OutputLocation": output}
    if failure:
        shown["X-Amzn-SageMaker-FailureLocation"] = failure
    return 202, shown, json.dumps({"InferenceId": inference_id}).encode()


class Worker:
    """Does what requests ask for."""

    def __init__(self, core: Core, record: Record) -> None:
        """``record`` counts an invocation that reached a container."""
        self._core = core
        self._record = record

    def work(self, queue: Queue, variant: Variant | None, asked: Asked) -> None:
        """One request from input to notification; ``variant`` is None when it has waited too long."""
        began = self._core.clock.now()
        role = variant.spec.role_arn if variant else queue.role
        failure = None
        content_type = ""
        try:
            content_type = self._process(queue, variant, asked)
        except _Failed as failed:
            failure = failed
        # a defect of localcloud must not end a request without a word
        except Exception as error:
            logger.exception("asynchronous request %s of %s", asked.inference_id, queue.endpoint)
            failure = _Failed(f"InternalServerError: [localcloud] {error}")
        if failure:
            self._fail(queue, role, asked, failure)
        now = self._core.clock.now()
        topic = queue.settings.error_topic if failure else queue.settings.success_topic
        self._tell(queue, role, topic, _document(queue, asked, now, content_type, failure))
        outcome = "InvocationFailures" if failure else "InvocationsProcessed"
        self._count(queue, asked, began, outcome if variant else "ExpiredRequests")

    def _process(self, queue: Queue, variant: Variant | None, asked: Asked) -> str:
        """Input to output; the content type of the answer. Raises _Failed."""
        if variant is None:
            raise _Failed("ClientError: The request has expired: it waited longer than RequestTTLSeconds.")
        reply = self._answer(queue, variant, asked)
        self._write(queue, variant.spec.role_arn, asked.output, reply.body)
        return reply.headers.get("content-type", "application/octet-stream")

    def _count(self, queue: Queue, asked: Asked, began: float, outcome: str) -> None:
        ended = self._core.clock.now()
        values = {
            (outcome, "Count"): 1.0,
            ("TimeInBacklog", "Milliseconds"): (began - asked.received) * 1000,
            ("TotalProcessingTime", "Milliseconds"): (ended - asked.received) * 1000,
        }
        dimensions = {"EndpointName": queue.endpoint}
        data = [MetricDatum(metric, value, unit, dimensions, ended) for (metric, unit), value in values.items()]
        self._core.backend.put_metrics(queue.scope, data)

    def _answer(self, queue: Queue, variant: Variant, asked: Asked) -> Reply:
        began = time.perf_counter()
        try:
            body = self._core.backend.get_object(queue.scope, variant.spec.role_arn, asked.input)
        except RuntimeError as reason:
            raise _Failed(f"ClientError: Failed to download {asked.input}. {reason}") from None
        if len(body) > _LARGEST:
            raise _Failed(f"ClientError: {asked.input} is larger than {_LARGEST} bytes.")
        try:
            reply = variant.invoke(body, dict(asked.headers), asked.timeout)
        except Unreachable as reason:
            reply = Reply(0, {}, str(reason).encode())
        total = (time.perf_counter() - began) * 1000
        self._record(queue.scope, queue.endpoint, queue.config, variant, reply, total)
        if not 200 <= reply.status < 300:
            whose, blame = ("client", "ClientError") if 400 <= reply.status < 500 else ("server", "AlgorithmError")
            text = reply.body.decode(errors="replace")
            reason_text = f'{blame}: Received {whose} error ({reply.status}) from primary with message "{text}".'
            raise _Failed(reason_text, reply.body or None)
        return reply

    def _write(self, queue: Queue, role: str, uri: str, body: bytes) -> None:
        try:
            self._core.backend.put_object(queue.scope, role, uri, body, queue.settings.kms_key)
        except RuntimeError as reason:
            raise _Failed(f"ClientError: Failed to upload {uri}. {reason}") from None

    def _fail(self, queue: Queue, role: str, asked: Asked, failed: _Failed) -> None:
        """Write what went wrong to where failures go, and to the endpoint's log."""
        texts = [f"Inference request {asked.inference_id} failed: {failed}"]
        if asked.failure:
            try:
                self._write(queue, role, asked.failure, failed.body)
            except _Failed as reason:
                texts.append(str(reason))
        self._log(queue, role, texts)

    def _tell(self, queue: Queue, role: str, topic: str | None, document: Mapping[str, Any]) -> None:
        if topic is None:
            return
        try:
            self._core.backend.publish(queue.scope, role, topic, json.dumps(document))
        except RuntimeError as reason:
            self._log(queue, role, [f"Notification to {topic} could not be published: {reason}"])

    def _log(self, queue: Queue, role: str, texts: list[str]) -> None:
        group = f"/aws/sagemaker/Endpoints/{queue.endpoint}"
        for text in texts:
            self._core.backend.log(queue.scope, role, group, "async-inference/requests", text)


def _document(queue: Queue, asked: Asked, now: float, content_type: str, failure: Exception | None) -> dict[str, Any]:
    """A notification of a result with its content type, or of a failure ([DG] async-inference-check-predictions)."""
    request = {"endpointName": queue.endpoint, "inputLocation": asked.input}
    if "content-type" in asked.headers:
        request["contentType"] = asked.headers["content-type"]
    document: dict[str, Any] = {
        "awsRegion": queue.scope.region,
        "eventTime": _moment(now),
        "receivedTime": _moment(asked.received),
        "invocationStatus": "Failed" if failure else "Completed",
        "requestParameters": request,
        "inferenceId": asked.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if not failure:
        return {**document, "responseParameters": {"contentType": content_type, "outputLocation": asked.output}}
    document["failureReason"] = str(failure)
    if asked.failure:
        document["responseParameters"] = {"outputLocation": asked.failure}
    return document


def _moment(epoch: float) -> str:
    moment = datetime.fromtimestamp(epoch, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _seconds(headers: Mapping[str, str], member: str, default: int, least: int, most: int) -> int:
    text = headers.get(f"{PREFIX}{member.lower()}")
    if text is None:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise _invalid(f"{member} must be between {least} and {most} seconds, not {text}.")
    return int(text)


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
