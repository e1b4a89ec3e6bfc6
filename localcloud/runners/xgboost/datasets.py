"""Training channels as XGBoost matrices: csv (label first), libsvm, recordio-protobuf."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from engine import DMatrix
from recordio import RecordError, read_matrix
from sagemaker_io import DATA, UserError, data_files, media_type
from scipy.sparse import csr_matrix
from tabular import delimiter_of, parse_csv, parse_libsvm

_ALIASES = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "application/x-recordio-protobuf": "recordio-protobuf",
}
#: in the order of the container's message
_ACCEPTED = (
    "csv",
    "libsvm",
    "parquet",
    "recordio-protobuf",
    "text/csv",
    "text/libsvm",
    "text/x-libsvm",
    "application/x-parquet",
    "application/x-recordio-protobuf",
)


def content_kind(header: str | None) -> str:
    """csv | libsvm | parquet | recordio-protobuf; libsvm when nothing is said. Raises UserError."""
    if header is None:
        return "libsvm"
    name, parameters = media_type(header)
    kind = _ALIASES.get(name)
    if kind is None:
        raise UserError(f"{header} is not an accepted ContentType: {', '.join(_ACCEPTED)}.")
    if kind == "csv" and parameters.get("label_size", "1") != "1":
        raise UserError(
            f"{header} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return kind


def load(channel: str, kind: str, csv_weights: bool) -> Any:
    """A channel's files as one DMatrix. Raises UserError with the container's text."""
    files = list(data_files(channel))
    if not files:
        what = "training" if channel == "train" else channel
        raise UserError(f"No data in {what} channel path {DATA / channel}")
    if kind == "csv":
        return _csv(files, csv_weights)
    if kind == "libsvm":
        return _libsvm(files)
    if kind == "recordio-protobuf":
        return _recordio(files)
    raise UserError("localcloud's XGBoost does not read parquet")


def check_widths(train: Any, validation: Any) -> None:
    """Both channels have the same features. Raises UserError."""
    if train.num_col() != validation.num_col():
        raise UserError(
            f"The train channel has {train.num_col()} features and the validation channel has {validation.num_col()}."
        )


def _csv(files: list[Path], csv_weights: bool) -> Any:
    parts = []
    for path in files:
        text = path.read_text(errors="replace")
        first = text.partition("\n")[0]
        try:
            delimiter = delimiter_of(first)
        except csv.Error as error:
            raise UserError(f"Could not determine delimiter on line {first[:50]}:\n{error}") from error
        try:
            parts.append(parse_csv(text, delimiter))
        except ValueError as error:
            raise UserError(f"Failed to load csv data with exception:\n{error}") from error
    if len({part.shape[1] for part in parts}) > 1:
        raise UserError("Failed to load csv data with exception:\nfiles with different numbers of columns")
    table = np.concatenate(parts)
    _check_labels(table[:, 0], "csv")
    start = 2 if csv_weights else 1
    return DMatrix(table[:, start:], label=table[:, 0], weight=table[:, 1] if csv_weights else None)


def _libsvm(files: list[Path]) -> Any:
    text = "\n".join(path.read_text(errors="replace") for path in files)
    try:
        found = parse_libsvm(text, labelled=True)
    except ValueError as error:
        first = files[0].read_text(errors="replace").partition("\n")[0]
        raise UserError(
            f"First line '{first[:50]}...' of file '{files[0].name}' is not 'LIBSVM' format. "
            f"Please ensure the file is in 'LIBSVM' format."
        ) from error
    shape = (len(found.labels), found.width)
    features = csr_matrix((found.values, (found.rows, found.columns)), shape=shape, dtype=np.float32)
    return DMatrix(features, label=found.labels, weight=found.weights)


def _recordio(files: list[Path]) -> Any:
    try:
        features, labels = read_matrix(b"".join(path.read_bytes() for path in files))
    except RecordError as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{error}") from error
    if labels is not None:
        _check_labels(labels, "recordio-protobuf")
    return DMatrix(features, label=labels)


def _check_labels(labels: Any, kind: str) -> None:
    """A feature may be missing, a label may not: XGBoost's own words, and where. Raises UserError."""
    bad = np.flatnonzero(~np.isfinite(labels))
    if bad.size:
        raise UserError(
            f"Failed to load {kind} data with exception:\nLabel contains NaN, infinity or a value too large. It is in "
            f"row {bad[0] + 1}"
        )
