"""What an endpoint has kept of its requests: files of JSON lines in S3, by variant and hour.

``<capture>/<variant>/yyyy/mm/dd/hh/<file>.jsonl``, in UTC; a line has the request, the answer and when it was
(developer guide, "Data capture"). A file does not change any more once it is there, but lines may be damaged.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Event:
    """One request: the id that a label names (the client's, else SageMaker's), when it was asked, what was answered."""

    identifier: str
    moment: datetime
    reply: bytes


@dataclass(frozen=True)
class CaptureFile:
    """A file of events and how many of its lines were none. ``name`` is its key below the endpoint's folder."""

    name: str
    events: tuple[Event, ...]
    damaged: int


class Captured:
    """The files of one endpoint; ``folder`` is their address in S3."""

    def __init__(self, s3: Any, folder: str) -> None:
        """Nothing is read yet."""
        self._s3 = s3
        address = urlsplit(folder)
        self._bucket, self._prefix = address.netloc, f"{address.path.strip('/')}/"

    def names(self, since: datetime, until: datetime) -> Iterator[str]:
        """Yield the names of the files of all hours that the time between has a part in, sorted within each hour."""
        variants = list(self._variants())
        hour = since.replace(minute=0, second=0, microsecond=0)
        while hour <= until:
            for variant in variants:
                yield from self._files(f"{variant}/{hour:%Y/%m/%d/%H}/")
            hour += _HOUR

    def read(self, name: str) -> CaptureFile:
        """Read one file."""
        body = self._s3.get_object(Bucket=self._bucket, Key=f"{self._prefix}{name}")["Body"].read()
        lines = [line for line in body.splitlines() if line.strip()]
        events = [event for event in map(_event, lines) if event]
        return CaptureFile(name, tuple(events), len(lines) - len(events))

    def _variants(self) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        for page in pages:
            for found in page.get("CommonPrefixes", []):
                yield found["Prefix"].removeprefix(self._prefix).strip("/")

    def _files(self, folder: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{folder}"
        )
        for page in pages:
            for found in page.get("Contents", []):
                if found["Key"].endswith(".jsonl"):
                    yield found["Key"].removeprefix(self._prefix)


def _event(line: bytes) -> Event | None:
    """Return the event of a line, None when it is damaged or lacks what a label needs."""
    try:
        document = json.loads(line)
        told, answer = document["eventMetadata"], document["captureData"]["endpointOutput"]
        data = str(answer["data"])
        return Event(
            identifier=str(told.get("inferenceId") or told["eventId"]),
            moment=datetime.fromisoformat(told["inferenceTime"]).astimezone(UTC),
            reply=base64.b64decode(data, validate=True) if answer["encoding"] == "BASE64" else data.encode("utf-8"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
