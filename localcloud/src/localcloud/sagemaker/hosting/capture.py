"""Data capture: requests and answers of an endpoint, kept for a moment and written to S3 as JSON lines.

Layout and line format are the real ones (facts containers 5.2):
``<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl``, in UTC, one file per flush, variant
and hour. They are written under the model's execution role; what cannot be written is said in the endpoint's log.
"""

from __future__ import annotations

import base64
import json
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.clock import Clock, Timer
from localcloud.sagemaker import durations
from localcloud.sagemaker.ports import Backend, Scope

#: bytes kept in memory before they are written without waiting for the timer
_BUFFER_LIMIT = 1_000_000


@dataclass(frozen=True)
class Exchange:
    """One invocation: what went in, what came out."""

    variant: str
    role_arn: str
    moment: float
    input_type: str
    input_body: bytes
    output_type: str
    output_body: bytes
    inference_id: str | None


@dataclass(frozen=True)
class CaptureSettings:
    """A DataCaptureConfig that is switched on."""

    percentage: int
    destination: str
    kms_key: str
    input: bool
    output: bool
    csv_types: frozenset[str]
    json_types: frozenset[str]

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> CaptureSettings | None:
        """The settings of a DataCaptureConfig; None when there is none or EnableCapture is false."""
        if not config or not config.get("EnableCapture", True):  # "defaults to enabled" ([B])
            return None
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        header = config.get("CaptureContentTypeHeader", {})
        return cls(
            percentage=config["InitialSamplingPercentage"],
            destination=config["DestinationS3Uri"].rstrip("/"),
            kms_key=config.get("KmsKeyId", ""),
            input=bool(modes & {"Input", "InputAndOutput"}),
            output=bool(modes & {"Output", "InputAndOutput"}),
            csv_types=frozenset(header.get("CsvContentTypes", ())),
            json_types=frozenset(header.get("JsonContentTypes", ())),
        )


class Capture:
    """Samples, buffers and writes the traffic of one endpoint under one configuration."""

    def __init__(
        self,
        scope: Scope,
        endpoint: str,
        settings: CaptureSettings,
        *,
        clock: Clock,
        backend: Backend,
        run: Callable[[Callable[[], None]], object],
    ) -> None:
        """``run`` takes work off the caller's thread (the clock's, or that of an invocation)."""
        self.settings = settings
        self._scope = scope
        self._endpoint = endpoint
        self._clock = clock
        self._backend = backend
        self._run = run
        # which requests are sampled is no secret; seeded, so that a run can be repeated
        self._random = random.Random(endpoint)  # noqa: S311
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._lines: list[tuple[Exchange, str]] = []
        self._size = 0
        self._timer: Timer | None = None

    def offer(self, exchange: Exchange) -> None:
        """Keep the exchange, if it is sampled."""
        with self._lock:
            if self._random.random() * 100 >= self.settings.percentage:
                return
            line = self._line(exchange)
            self._lines.append((exchange, line))
            self._size += len(line)
            full = self._size >= _BUFFER_LIMIT
            if self._timer is None:
                self._timer = self._clock.call_later(durations.CAPTURE_FLUSH, self._due, kind="calendar")
        if full:
            self._run(self.flush)

    def _due(self) -> None:
        self._run(self.flush)

    def hold(self) -> None:
        """Write nothing before the next ``flush``."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None

    def flush(self) -> None:
        """Write what is kept; failures go to the endpoint's log. When it returns, everything is written."""
        with self._writing:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._lines, self._size = self._lines, [], 0
            if self._timer:
                self._timer.cancel()
                self._timer = None
        files: dict[str, list[tuple[Exchange, str]]] = {}
        for exchange, line in lines:
            hour = datetime.fromtimestamp(exchange.moment, UTC).strftime("%Y/%m/%d/%H")
            files.setdefault(f"{exchange.variant}/{hour}", []).append((exchange, line))
        for folder, entries in files.items():
            self._write(folder, entries)

    def _write(self, folder: str, entries: list[tuple[Exchange, str]]) -> None:
        first = entries[0][0]
        moment = datetime.fromtimestamp(first.moment, UTC)
        stamp = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}"
        uri = f"{self.settings.destination}/{self._endpoint}/{folder}/{stamp}-{uuid.uuid4()}.jsonl"
        body = "".join(f"{line}\n" for _, line in entries).encode()
        try:
            self._backend.put_object(self._scope, first.role_arn, uri, body, self.settings.kms_key)
        except RuntimeError as reason:
            text = f"Data capture of {len(entries)} requests could not be written to {uri}: {reason}"
            group = f"/aws/sagemaker/Endpoints/{self._endpoint}"
            self._backend.log(self._scope, first.role_arn, group, f"{first.variant}/data-capture", text)

    def _line(self, exchange: Exchange) -> str:
        data = {}
        if self.settings.input:
            data["endpointInput"] = self._side("INPUT", exchange.input_type, exchange.input_body)
        if self.settings.output:
            data["endpointOutput"] = self._side("OUTPUT", exchange.output_type, exchange.output_body)
        metadata = {"eventId": str(uuid.uuid4())}
        if exchange.inference_id:
            metadata["inferenceId"] = exchange.inference_id
        moment = datetime.fromtimestamp(exchange.moment, UTC)
        metadata["inferenceTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})

    def _side(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        """One side of an exchange. Types named in CaptureContentTypeHeader are kept as text, others as BASE64."""
        plain = content_type.partition(";")[0].strip()
        encoding = (
            "CSV" if plain in self.settings.csv_types else "JSON" if plain in self.settings.json_types else "BASE64"
        )
        if encoding != "BASE64":
            try:
                text = body.decode()
            except UnicodeDecodeError:
                encoding = "BASE64"
        if encoding == "BASE64":
            text = base64.b64encode(body).decode()
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}
