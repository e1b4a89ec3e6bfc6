"""What a transform job captures: manifests of what went through it, and an id for each record.

Layout ([DG] model-monitor-data-capture-batch): below ``<destination>/input`` and ``<destination>/output`` a JSON file
in the folder ``yyyy/mm/dd/hh`` of the job's start, in UTC. It copies nothing, and lists objects as any manifest does,
``[{"prefix": "s3://bucket/folder/"}, "a.csv", ...]``. What the files are called the guide does not say ([I]).

With GenerateInferenceId each record of the output says a random id and when the job began: two more columns of CSV, or
two more members of a JSON object.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Form = Literal["csv", "json"]
Listed = tuple[str, str]
"""The address of an object, and the end of it that is its name."""


class Unidentified(Exception):
    """An output cannot be given ids; the text says why."""


@dataclass(frozen=True)
class BatchCapture:
    """A BatchDataCaptureConfig of one job. ``moment`` is the job's start, epoch seconds."""

    destination: str
    kms_key: str
    #: the form of outputs whose records get ids, None when they get none
    identified: Form | None
    moment: float

    @classmethod
    def of(cls, config: Mapping[str, Any] | None, output_type: str, moment: float) -> BatchCapture | None:
        """None when nothing is captured. Raises ValueError for ids in an output of this type, if they are asked for."""
        if not config:
            return None
        form = _form(output_type) if config.get("GenerateInferenceId") else None
        return cls(config["DestinationS3Uri"].rstrip("/"), config.get("KmsKeyId", ""), form, moment)

    def manifests(self, inputs: Sequence[Listed], outputs: Sequence[Listed]) -> Iterator[tuple[str, bytes]]:
        """The address and the content of both manifests, none of a job over nothing."""
        hour, name = self._said("%Y/%m/%d/%H"), f"{uuid.uuid4()}.json"
        for side, listed in (("input", inputs), ("output", outputs)) if inputs else ():
            (prefix,) = {uri.removesuffix(end) for uri, end in listed}
            content = [{"prefix": prefix}, *(end for _, end in listed)]
            yield f"{self.destination}/{side}/{hour}/{name}", json.dumps(content).encode()

    def with_ids(self, output: bytes) -> bytes:
        """The output of an object, with ids if they were asked for. Raises Unidentified."""
        if self.identified is None:
            return output
        say = self._beside if self.identified == "csv" else self._inside
        return b"".join(say(line) + b"\n" for line in output.splitlines() if line.strip())

    def _beside(self, row: bytes) -> bytes:
        return row + f",{uuid.uuid4()},{self._said('%Y-%m-%dT%H:%M:%SZ')}".encode()

    def _inside(self, line: bytes) -> bytes:
        try:
            document = json.loads(line)
        except ValueError as error:
            raise Unidentified(f"GenerateInferenceId: a line of the output is no JSON: {error}") from None
        if not isinstance(document, dict):
            raise Unidentified("GenerateInferenceId: a line of the output is no JSON object, which could have an id.")
        said = {
            "SageMakerInferenceId": str(uuid.uuid4()),
            "SageMakerInferenceTime": self._said("%Y-%m-%dT%H:%M:%SZ"),
        }
        return json.dumps({**document, **said}).encode()

    def _said(self, form: str) -> str:
        return datetime.fromtimestamp(self.moment, UTC).strftime(form)


def _form(output_type: str) -> Form:
    plain = output_type.partition(";")[0].strip()
    if plain == "text/csv":
        return "csv"
    if plain in ("application/json", "application/jsonlines"):
        return "json"
    raise ValueError(
        f"GenerateInferenceId needs outputs in CSV, JSON or JSON lines, and these are {plain or 'untyped'}"
    )
