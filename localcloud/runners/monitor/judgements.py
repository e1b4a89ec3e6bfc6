"""What a model said and what was true, row by row: from a file, or from captured answers merged with labels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import records
import traffic
from job import MERGED, Attributes, Job
from records import Row, Table
from sagemaker_io import UserError
from traffic import Preprocessor

Values = list[str | None]


@dataclass(frozen=True)
class Judgements:
    """Columns of the same length, as texts; without a probability or without a prediction where none was asked for."""

    truth: list[str]
    predicted: list[str] | None
    probability: list[str] | None

    @classmethod
    def of_job(cls, job: Job, preprocessor: Preprocessor | None) -> "Judgements":
        """Raises UserError."""
        if job.attributes.inference is None and job.attributes.probability is None:
            raise UserError("inference_attribute or probability_attribute is required.")
        if job.form == MERGED:
            return cls._of_rows(_merged(job, preprocessor), job.attributes)
        if job.form == "csv":
            return cls._of_table(records.read_csv(job.source, bool(job.options.get("header"))), job.attributes)
        if job.form == "json":
            lines = bool(job.options.get("lines", job.options.get("line", True)))
            return cls._of_table(records.read_json(job.source, lines), job.attributes)
        raise UserError(f"dataset_format {job.form} has no ground truth: a model quality analysis needs merged data.")

    @classmethod
    def _of_table(cls, table: Table, attributes: Attributes) -> "Judgements":
        if attributes.truth is None:
            raise UserError("The environment variable ground_truth_attribute is required.")
        if not table.rows:
            return cls([], [], [])

        def column(attribute: str | None, variable: str) -> list[str] | None:
            if attribute is None:
                return None
            name = _key(attribute)
            return [_present(value, f"row {i}", name) for i, value in enumerate(table.column(name, variable), start=1)]

        truth = column(attributes.truth, "ground_truth_attribute")
        return cls(
            truth or [],
            column(attributes.inference, "inference_attribute"),
            column(attributes.probability, "probability_attribute"),
        )

    @classmethod
    def _of_rows(cls, rows: Iterator[tuple[str, Values | Row, str]], attributes: Attributes) -> "Judgements":
        truth: list[str] = []
        found: dict[str, list[str]] = {"inference": [], "probability": []}
        wanted = {"inference": attributes.inference, "probability": attributes.probability}
        for label, answer, where in rows:
            truth.append(label)
            for name, attribute in wanted.items():
                if attribute is not None:
                    found[name].append(_value(answer, attribute, where))
        return cls(
            truth,
            found["inference"] if attributes.inference is not None else None,
            found["probability"] if attributes.probability is not None else None,
        )


def numbers(values: Sequence[str], what: str) -> list[float]:
    """Raises UserError for the first that is none."""
    found = []
    for row, value in enumerate(values, start=1):
        try:
            found.append(float(value))
        except ValueError:
            raise UserError(f"{what} {value!r} in row {row} is not a number.") from None
    return found


def labels(values: Sequence[str]) -> list[str]:
    """Classes by one name each: `1.0` is the class `1`."""
    names: dict[str, str] = {}
    return [names.setdefault(value, _label(value)) for value in values]


def in_order(classes: set[str]) -> list[str]:
    """Numbers as numbers, anything else as texts."""
    numeric: Callable[[str], Any] = float
    try:
        return sorted(classes, key=numeric)
    except ValueError:
        return sorted(classes)


def _merged(job: Job, preprocessor: Preprocessor | None) -> Iterator[tuple[str, Values | Row, str]]:
    """(label, answer, where) of each row that was answered and labelled."""
    for record, where in records.captured(job.source, job.window):
        truth = record.get("groundTruthData")
        answer = record["captureData"].get(traffic.OUTPUT)
        if not isinstance(truth, Mapping) or answer is None:
            raise UserError(f"{where} has no {'groundTruthData' if answer else traffic.OUTPUT}")
        told: Sequence[Any] = (
            traffic.preprocessed(preprocessor, record, where)
            if preprocessor
            else traffic.side_rows(answer, f"{traffic.OUTPUT} of {where}")
        )
        known = records.parse_csv_text(str(truth.get("data", "")))
        if len(known) != len(told):
            raise UserError(f"{where}: {len(told)} answers have {len(known)} labels")
        for label, row in zip(known, told, strict=True):
            yield _present(label[0], where, "the label"), row, where


def _value(answer: Values | Row, attribute: str, where: str) -> str:
    """One value of an answer: by position in a table, by key in an object."""
    key = _key(attribute)
    if isinstance(answer, dict):
        if key not in answer:
            raise UserError(f"{where}: the answer has no {key!r}; it has: {', '.join(answer)}")
        return _present(answer[key], where, key)
    if not key.isdigit():
        raise UserError(f"{where}: the answer is CSV, so {key!r} must be the number of a column, from 0")
    if int(key) >= len(answer):
        raise UserError(f"{where}: the answer has {len(answer)} columns and no column {key}")
    return _present(answer[int(key)], where, f"column {key}")


def _key(attribute: str) -> str:
    """`$.prediction` is the key `prediction` of a flat object."""
    return attribute.removeprefix("$.")


def _present(value: str | None, where: str, name: str) -> str:
    if value is None:
        raise UserError(f"{where}: {name} is missing")
    return value.strip()


def _label(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return str(int(number)) if number.is_integer() else str(number)
