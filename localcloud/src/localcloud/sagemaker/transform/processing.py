"""DataProcessing of a transform job: what of a record goes to the model, and what becomes of record and prediction.

[DG] batch-transform-data-processing. A CSV row is an array; a prediction that is joined to it is appended. To a JSON
object it is added as ``SageMakerOutput``; another JSON value becomes ``SageMakerInput`` beside it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.sagemaker.transform.paths import NoMatch, Path

Format = Literal["csv", "json"]


class Unreadable(Exception):
    """A record or a prediction is not what its content type says, or has not what a filter asks for."""


@dataclass(frozen=True)
class Processing:
    """Filters and join of one job."""

    input: Path
    output: Path
    join: bool
    format: Format

    @classmethod
    def of(cls, config: Mapping[str, Any], content_type: str | None) -> Processing | None:
        """None when everything passes as it is. Raises ValueError for filters or types that are not supported."""
        made = cls(
            Path(config.get("InputFilter", "$")),
            Path(config.get("OutputFilter", "$")),
            config.get("JoinSource", "None") == "Input",
            "csv" if "csv" in (content_type or "") else "json",
        )
        if made.input.whole and made.output.whole and not made.join:
            return None
        plain = (content_type or "").partition(";")[0].strip()
        if plain not in ("text/csv", "application/json", "application/jsonlines"):
            raise ValueError(f"ContentType '{plain}' has no records that DataProcessing could read")
        return made

    def prepare(self, record: bytes) -> bytes:
        """What of a record goes to the model. Raises Unreadable."""
        if self.input.whole:
            return record
        return self._write(_select(self.input, self._read(record)))

    def finish(self, records: Sequence[bytes], reply: bytes) -> list[bytes]:
        """The output of the records of one request, from the model's reply. Raises Unreadable."""
        if self.output.whole and not self.join:
            return [reply]
        predictions = [reply] if len(records) == 1 else [line for line in reply.splitlines() if line.strip()]
        if len(predictions) != len(records):
            raise Unreadable(f"the model gave {len(predictions)} predictions for {len(records)} records")
        return [
            self._write(_select(self.output, self._joined(record, prediction)))
            for record, prediction in zip(records, predictions, strict=True)
        ]

    def _joined(self, record: bytes, prediction: bytes) -> Any:
        found = self._read(prediction.strip(), prediction=True)
        if not self.join:
            return found
        given = self._read(record)
        if self.format == "csv":
            return [*given, *found]
        if isinstance(given, dict):
            return {**given, "SageMakerOutput": found}
        return {"SageMakerInput": given, "SageMakerOutput": found}

    def _read(self, text: bytes, *, prediction: bool = False) -> Any:
        try:
            if self.format == "csv":
                return next(csv.reader([text.decode()]), [])
            return json.loads(text)
        except (ValueError, csv.Error) as error:
            if prediction and self.format == "json":
                return text.decode(errors="replace")  # a model may answer JSON with CSV
            raise Unreadable(f"a record is no {self.format.upper()}: {error}") from None

    def _write(self, value: Any) -> bytes:
        if self.format == "json":
            return json.dumps(value).encode()
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return row.getvalue().encode()


def _select(path: Path, value: Any) -> Any:
    try:
        return path.select(value)
    except NoMatch as reason:
        raise Unreadable(str(reason)) from None
