"""Captured requests and answers as rows: the answer's columns first, then the request's.

    {"captureData": {"endpointInput": {"encoding": "CSV", "data": "1,2"}, "endpointOutput": {...}}, ...}

A request with several rows (lines of CSV, a list of JSON objects) has as many answers. Without a preprocessing script
request and answer have to be of one encoding, and BASE64 is none that can be read: the container says so in these words
(reported of it).
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import records
from records import Row, Table
from sagemaker_io import UserError

INPUT, OUTPUT = "endpointInput", "endpointOutput"
_SIDES = (OUTPUT, INPUT)
#: what the rows of one exchange are: values by position (CSV) or by name (JSON)
Rows = list[list[str | None]] | list[Row]


class Side:
    """A request or an answer, as a preprocessing script sees it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Of captureData's endpointInput or endpointOutput."""
        self.encoding = data.get("encoding")
        self.data = data.get("data")
        self.observedContentType = data.get("observedContentType")
        self.mode = data.get("mode")


class Metadata:
    """When an exchange was and what it is called, as a preprocessing script sees it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Of eventMetadata."""
        self.event_id = data.get("eventId")
        self.event_time = data.get("inferenceTime")
        self.inference_id = data.get("inferenceId")
        self.custom_attribute = data.get("customAttributes")


class Exchange:
    """One captured exchange, as a preprocessing script sees it (model-monitor-pre-and-post-processing.html)."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        """Of one line of a capture file."""
        sides = record["captureData"]
        self.event_dict = record
        self.event_version = record.get("eventVersion")
        self.event_metadata = Metadata(record.get("eventMetadata", {}))
        self.endpoint_input = Side(sides[INPUT]) if INPUT in sides else None
        self.endpoint_output = Side(sides[OUTPUT]) if OUTPUT in sides else None


Preprocessor = Callable[[Any], Any]


def load_handler(script: Path, name: str) -> Callable[..., Any]:
    """A function of a customer's script. Raises UserError."""
    spec = importlib.util.spec_from_file_location("customer_script", script)
    if spec is None or spec.loader is None or not script.is_file():
        raise UserError(f"the script {script.name} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler = getattr(module, name, None)
    if not callable(handler):
        raise UserError(f"the script {script.name} has no function {name}")
    found: Callable[..., Any] = handler
    return found


def table(
    source: Path,
    window: tuple[str, str] | None,
    indices: Sequence[str],
    names: Sequence[str],
    preprocessor: Preprocessor | None,
) -> Table:
    """All exchanges of the window; ``names`` are the baseline's columns. Raises UserError."""
    lists: list[list[str | None]] = []
    objects: list[Row] = []
    for record, where in records.captured(source, window):
        rows = preprocessed(preprocessor, record, where) if preprocessor else together(record, indices, where)
        for row in rows:
            if isinstance(row, dict):
                objects.append(row)
            else:
                lists.append(row)
    if lists and objects:
        raise UserError("Encoding mismatch: some captured requests are CSV and others are JSON.")
    if not objects:
        return Table.of_lists(names, lists)
    found = Table.of_objects(objects, names)
    if preprocessor is None or set(found.names) & set(names):
        return found
    # keys such as "00000000000000000003" stand for positions (the developer guide's own example)
    ordered = Table.of_objects(objects, sorted(found.names))
    return Table(records.by_position(names, len(ordered.names)), ordered.columns)


def preprocessed(script: Preprocessor, record: Mapping[str, Any], where: str) -> list[Row]:
    """What the script makes of an exchange: a flat object, a list of them, or nothing. Raises UserError."""
    result = script(Exchange(record))
    return [records.flat(one, f"what the preprocessing script made of {where}") for one in _listed(result)]


def together(record: Mapping[str, Any], indices: Sequence[str], where: str) -> Rows:
    """Answer and request beside each other. Raises UserError."""
    sides = [
        (name, record["captureData"][name]) for name in _SIDES if name in indices and name in record["captureData"]
    ]
    encodings = {name: str(side.get("encoding")) for name, side in sides}
    if len(set(encodings.values())) > 1:
        raise UserError(
            f"Encoding mismatch: Encoding is {encodings[INPUT]} for {INPUT}, but Encoding is {encodings[OUTPUT]} for "
            f"{OUTPUT}. We currently only support the same type of input and output encoding at the moment."
        )
    parts = [side_rows(side, f"{name} of {where}") for name, side in sides]
    if len({len(part) for part in parts}) > 1:
        counts = " and ".join(f"{name} has {len(part)} rows" for (name, _), part in zip(sides, parts, strict=True))
        raise UserError(f"{where}: {counts}; each row of a request needs an answer of its own")
    joined: list[Any] = []
    for group in zip(*parts, strict=True):
        if isinstance(group[0], dict):
            # of two keys with one name the request's has the last word
            joined.append({name: value for row in group if isinstance(row, dict) for name, value in row.items()})
        else:
            joined.append([value for row in group for value in row])
    return joined


def side_rows(side: Mapping[str, Any], where: str) -> Rows:
    """The rows of a request or of an answer. Raises UserError."""
    encoding, data = side.get("encoding"), str(side.get("data", ""))
    if encoding == "CSV":
        return records.parse_csv_text(data.strip("\r\n"))
    if encoding == "JSON":
        document = records.parse_json(data, where)
        return [records.flat(one, where) for one in (document if isinstance(document, list) else [document])]
    raise UserError(
        f"{where}: Encoding {encoding} cannot be analysed. Name the content type in CaptureContentTypeHeader of the "
        "endpoint's DataCaptureConfig, or use a preprocessing script."
    )


def _listed(result: Any) -> list[Any]:
    if not result:
        return []
    return result if isinstance(result, list) else [result]
