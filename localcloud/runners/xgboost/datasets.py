"""Training channels as XGBoost matrices: csv (label first), libsvm, recordio-protobuf."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from engine import DMatrix
from recordio import RecordError, read_matrix
from sagemaker_io import DATA, UserError, data_files, media_type
from scipy.sparse import csr_matrix
from tabular import delimiter_of, parse_csv, parse_libsvm, row_that_is_not_finite

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


def load(channel: str, kind: str, csv_weights: bool, of_others: Path | None) -> Any:
    """A channel's files as one DMatrix. Raises UserError with the container's text.

    `of_others`: where the files of the other hosts of this job are, below the names of their channels.
    """
    files = list(data_files(channel))
    if of_others is not None:
        files += sorted(path for path in (of_others / channel).rglob("*") if path.is_file())
    if not files:
        what = "training" if channel == "train" else channel
        raise UserError(f"No data in {what} channel path {DATA / channel}")
    files = [path for path in files if path.stat().st_size] or files  # none has anything: the first is told of
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
    parts: list[Any] = []
    for path in files:
        text = path.read_text(errors="replace")
        first = text.partition("\n")[0]
        try:
            delimiter = delimiter_of(first)
        except csv.Error as error:
            raise UserError(f"Could not determine delimiter on line {first[:50]}:\n{path.name}: {error}") from error
        try:
            part = parse_csv(text, delimiter)
            if parts and part.shape[1] != parts[0].shape[1]:
                raise ValueError(f"{part.shape[1]} columns and {files[0].name} has {parts[0].shape[1]}")
            _check_labels(part[:, 0])
        except ValueError as error:
            raise UserError(f"Failed to load csv data with exception:\n{path.name}: {error}") from error
        parts.append(part)
    table = np.concatenate(parts)
    start = 2 if csv_weights else 1
    return DMatrix(table[:, start:], label=table[:, 0], weight=table[:, 1] if csv_weights else None)


def _check_labels(labels: Any) -> None:
    """A feature may be missing, a label may not: XGBoost's own words, and where. Raises ValueError."""
    row = row_that_is_not_finite(np.asarray(labels, np.float32))
    if row is not None:
        raise ValueError(f"row {row}: Label contains NaN, infinity or a value too large.")


def _libsvm(files: list[Path]) -> Any:
    for path in files:  # one after the other, so that an error has a file; then together, for one shift of the indices
        text = path.read_text(errors="replace")
        try:
            labels = parse_libsvm(text, labelled=True).labels
            if not labels:
                raise ValueError("it has no rows")
            _check_labels(labels)
        except ValueError as error:
            first = text.partition("\n")[0]
            raise UserError(
                f"First line '{first[:50]}...' of file '{path.name}' is not 'LIBSVM' format. "
                f"Please ensure the file is in 'LIBSVM' format.\n{path.name}: {error}"
            ) from error
    found = parse_libsvm("\n".join(path.read_text(errors="replace") for path in files), labelled=True)
    shape = (len(found.labels), found.width)
    features = csr_matrix((found.values, (found.rows, found.columns)), shape=shape, dtype=np.float32)
    return DMatrix(features, label=found.labels, weight=found.weights)


def _recordio(files: list[Path]) -> Any:
    features: list[Any] = []
    labels: list[Any] = []
    for path in files:
        try:
            rows, found = read_matrix(path.read_bytes())
            if found is None:
                raise RecordError("records without a label" if len(rows) else "it has no records")
            if features and rows.shape[1] != features[0].shape[1]:
                raise RecordError(f"{rows.shape[1]} features and {files[0].name} has {features[0].shape[1]}")
            _check_labels(found)
        except ValueError as error:  # RecordError is one
            raise UserError(f"Failed to load recordio-protobuf data with exception:\n{path.name}: {error}") from error
        features.append(rows)
        labels.append(found)
    return DMatrix(np.concatenate(features), label=np.concatenate(labels))
