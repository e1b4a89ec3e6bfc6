"""Captured requests and answers as rows: the answer's columns first, then the request's.

    {"captureData": {"endpointInput": {"encoding": "CSV", "data": "1,2"}, "endpointOutput": {...}}, ...}

A request with several rows (lines of CSV, a list of flat JSON objects) has as many answers. Without a preprocessing
script both sides have to be of one encoding, and BASE64 is none that can be read: Model Monitor says so in the words
used here. A row is a list of texts (CSV) or texts by name (JSON); an empty text is a missing value.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Union

import numpy as np
from intake import Rejected
from settings import UserError

INPUT, OUTPUT = "endpointInput", "endpointOutput"
_SIDES = (OUTPUT, INPUT)
Row = Union[List[str], Dict[str, str]]
Preprocessor = Callable[[Any], Any]


class Side:
    """A request or an answer, as a preprocessing script sees it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.encoding = data.get("encoding")
        self.data = data.get("data")
        self.observedContentType = data.get("observedContentType")
        self.mode = data.get("mode")


class Metadata:
    """When an event was and what it is called, as a preprocessing script sees it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.event_id = data.get("eventId")
        self.event_time = data.get("inferenceTime")
        self.inference_id = data.get("inferenceId")
        self.custom_attribute = data.get("customAttributes")


class Exchange:
    """One captured event, as a preprocessing script sees it (model-monitor-pre-and-post-processing.html)."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        sides = record["captureData"]
        self.event_dict = record
        self.event_version = record.get("eventVersion")
        self.event_metadata = Metadata(record.get("eventMetadata") or {})
        self.endpoint_input = Side(sides[INPUT]) if INPUT in sides else None
        self.endpoint_output = Side(sides[OUTPUT]) if OUTPUT in sides else None


def load_preprocessor(script: Path) -> Preprocessor:
    """Return the function of a customer's script. Raises UserError."""
    spec = importlib.util.spec_from_file_location("customer_script", script)
    if spec is None or spec.loader is None or not script.is_file():
        raise UserError(f"the script {script.name} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler = getattr(module, "preprocess_handler", None)
    if not callable(handler):
        raise UserError(f"the script {script.name} has no function preprocess_handler")
    found: Preprocessor = handler
    return found


def preprocessed(script: Preprocessor, record: Mapping[str, Any]) -> list[Row]:
    """Return what the script makes of an event: a flat object, a list of them, or nothing. Raises Rejected."""
    try:
        result = script(Exchange(record))
    except Exception as error:  # whatever a customer's script raises, the other events are analysed
        raise Rejected("script_failed", f"the preprocessing script: {type(error).__name__}: {error}") from error
    if not result:
        return []
    return [flat(one) for one in (result if isinstance(result, list) else [result])]


def together(record: Mapping[str, Any], indices: Sequence[str]) -> list[Row]:
    """Return answer and request beside each other. Raises Rejected."""
    captured = record["captureData"]
    sides = [captured[name] for name in _SIDES if name in indices and name in captured]
    if len(sides) == len(_SIDES):
        plain = _plain(*sides)
        if plain is not None:
            return [plain]
    return _slowly({name: captured[name] for name in _SIDES if name in indices and name in captured})


def _plain(answer: Any, request: Any) -> list[str] | None:
    """Return the row when both sides are one line of CSV without quotes, as nearly all are; None: look closely."""
    try:
        if answer["encoding"] != "CSV" or request["encoding"] != "CSV":
            return None
        text = answer["data"].strip("\r\n") + "," + request["data"].strip("\r\n")
        if '"' in text or "\n" in text or "\r" in text or text[0] == "," or text[-1] == ",":
            return None
        row: list[str] = text.split(",")
        return row
    except (KeyError, TypeError, AttributeError):
        return None


def _slowly(sides: Mapping[str, Any]) -> list[Row]:
    encodings = {name: str(side.get("encoding")) for name, side in sides.items() if isinstance(side, dict)}
    if len(encodings) < len(sides) or not sides:
        raise Rejected("no_capture", "a request or an answer is not there")
    if len(set(encodings.values())) > 1:
        raise Rejected(
            "encoding",
            f"Encoding mismatch: Encoding is {encodings[INPUT]} for {INPUT}, but Encoding is {encodings[OUTPUT]} for "
            f"{OUTPUT}. We currently only support the same type of input and output encoding at the moment.",
        )
    parts = [side_rows(side) for side in sides.values()]
    if len({len(part) for part in parts}) > 1:
        counts = " and ".join(f"{name} has {len(part)} rows" for name, part in zip(sides, parts))
        raise Rejected("rows_differ", f"{counts}; each row of a request needs an answer of its own")
    joined: list[Row] = []
    for group in zip(*parts):
        if isinstance(group[0], dict):
            # of two keys with one name the request's has the last word
            joined.append({name: value for row in group if isinstance(row, dict) for name, value in row.items()})
        else:
            joined.append([value for row in group for value in row])
    return joined


def side_rows(side: Any) -> list[Row]:
    """Return the rows of a request or of an answer. Raises Rejected."""
    if not isinstance(side, dict):
        raise Rejected("no_capture", "a request or an answer is not there")
    encoding, data = side.get("encoding"), str(side.get("data", ""))
    if encoding == "CSV":
        return [*csv_rows(data.strip("\r\n"))]
    if encoding == "JSON":
        try:
            document = json.loads(data)
        except ValueError as error:
            raise Rejected("not_json", f"a side that is no JSON: {error}") from error
        return [flat(one) for one in (document if isinstance(document, list) else [document])]
    raise Rejected(
        "encoding",
        f"Encoding {encoding} cannot be analysed. Name the content type in CaptureContentTypeHeader of the endpoint's "
        "DataCaptureConfig, or use a preprocessing script.",
    )


def csv_rows(text: str) -> list[list[str]]:
    """Return the rows of a text. Raises Rejected."""
    try:
        return [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error as error:
        raise Rejected("not_csv", f"the CSV cannot be read: {error}") from error


def flat(document: Any) -> Row:
    """Return a flat object as a row. Raises Rejected for anything else."""
    if not isinstance(document, dict):
        raise Rejected(
            "not_flat",
            f"only tables and flattened JSON objects can be analysed and this is {_kind(document)}; a preprocessing "
            "script can make it one",
        )
    for name, value in document.items():
        if isinstance(value, (dict, list)):
            raise Rejected(
                "not_flat",
                f"only flattened JSON objects can be analysed and {name!r} is {_kind(value)}; a preprocessing script "
                "can make it flat",
            )
    return {str(name): text_of(value) for name, value in document.items()}


def text_of(value: Any) -> str:
    """Return a JSON value as CSV would have it; numbers without an exponent."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        text = repr(value)
        return np.format_float_positional(value, trim="0") if "e" in text else text
    return str(value)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else f"a value ({value!r})"
