"""Training channels of the algorithms that read RecordIO-protobuf and CSV: every row checked, every error placed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from recordio import RecordError, read_matrix
from sagemaker_io import UserError, data_files
from tabular import parse_csv, row_that_is_not_finite

RECORDIO, CSV = "application/x-recordio-protobuf", "text/csv"
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Table:
    """Features [rows, features] and labels [rows]; no labels when none were asked for."""

    features: Floats
    labels: Floats | None


def read(name: str, kind: str, *, labelled: bool) -> Table:
    """All files of a channel, none of them missing a number. Raises UserError naming file and row.

    `labelled`: CSV has the label first, and a record without one is an error.
    """
    parts: list[Table] = []
    first: Path | None = None
    for path in data_files(name):
        try:
            part = _csv(path, labelled) if kind == CSV else _records(path, labelled)
        except ValueError as error:  # RecordError and UnicodeDecodeError are
            raise _unreadable(name, kind, f"{path.name}: {error}", error) from error
        if not len(part.features):
            continue
        row = row_that_is_not_finite(part.features, *([part.labels] if part.labels is not None else []))
        if row is not None:
            raise UserError(
                f"The data of channel '{name}' contains values that are missing or not finite: {path.name}, row {row}."
            )
        if first is None:
            first = path
        elif part.features.shape[1] != parts[0].features.shape[1]:
            widths = f"{part.features.shape[1]} features and {first.name} has {parts[0].features.shape[1]}"
            error = ValueError(f"{path.name}: it has {widths}")
            raise _unreadable(name, kind, str(error), error)
        parts.append(part)
    if not parts:
        return Table(np.empty((0, 0), np.float32), np.empty(0, np.float32) if labelled else None)
    labels = [part.labels for part in parts if part.labels is not None]
    return Table(np.concatenate([part.features for part in parts]), np.concatenate(labels) if labelled else None)


def _csv(path: Path, labelled: bool) -> Table:
    table = parse_csv(path.read_text())
    if not labelled or not len(table):
        return Table(table, None)
    return Table(table[:, 1:], table[:, 0])


def _records(path: Path, labelled: bool) -> Table:
    features, labels = read_matrix(path.read_bytes(), only_float32=True)
    if labelled and labels is None and len(features):
        raise RecordError("records without a label")
    return Table(features, labels if labelled else None)


def _unreadable(name: str, kind: str, where: str, error: ValueError) -> UserError:
    return UserError(
        f"Unable to read data channel '{name}'. Requested content-type is '{kind}'. Please verify the data "
        f"matches the requested content-type. (caused by {type(error).__name__})\n\nCaused by: {where}"
    )
