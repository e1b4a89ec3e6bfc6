"""Judge a model of a pipeline by the test split, with the handlers that will serve it.

Runs as a SageMaker processing job in the image that trained the model. Reads the inputs ``model`` (``model.tar.gz``),
``test`` (CSV files without a header, the label first) and ``about`` (``about.json``), and writes

* ``evaluation/evaluation.json``: accuracy and more in the form that the model registry shows (SageMaker developer
  guide, "Model quality metrics"), and precision, recall, F1 and support of each class;
* ``predictions/predictions.csv``: for each row what the model says and what is true, with a header: what model quality
  is monitored against later;
* ``smoke/input.csv`` and ``smoke/expected.jsonl``: a few rows without their label, and the answers to them. Before a
  version is deployed it is asked again, as the endpoint will be, and has to answer the same.

Variables: ``SANDCASTLE_KIND`` (``binary`` or ``multiclass``), ``SANDCASTLE_CONTENT_TYPE`` and ``SANDCASTLE_ACCEPT`` (of
a request), ``SANDCASTLE_ANSWER`` (where the prediction or the score is in an answer: ``csv`` or ``json:<field>``),
``SANDCASTLE_THRESHOLD`` (binary: the score from which on a row is positive), ``SANDCASTLE_PROGRAM`` (the file with the
handlers; none for XGBoost's own models).

Runs on Python 3.8 and newer, with what the image has.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any, Callable, NamedTuple, Sequence

import evaluate_metrics as metrics
import evaluate_model
from evaluate_errors import EvaluationError
from evaluate_replies import Reading, rows_of

BATCH = 100
"""Rows in one request, as an endpoint gets them."""

SMOKE_ROWS = 20


class Split(NamedTuple):
    """Rows as text, without their label, and the number of each one's class."""

    rows: list[str]
    labels: list[int]


def main() -> None:
    """Ask the model about every row of the test split and write what came of it."""
    about = json.loads((_root() / "input" / "about" / "about.json").read_text(encoding="utf-8"))
    split = read_split(_root() / "input" / "test", len(about["classes"]))
    reading = Reading.of(os.environ, about["classes"])
    ask = evaluate_model.load(_root() / "input" / "model", os.environ)
    answers = answers_of(ask, split.rows)
    found = [reading.read(answer, number) for number, answer in enumerate(answers, start=1)]
    document = metrics.document(reading.kind, about["classes"], split.labels, found)
    write_json(_output("evaluation") / "evaluation.json", document)
    write_predictions(_output("predictions") / "predictions.csv", reading, split.labels, found)
    write_smoke(_output("smoke"), split.rows[:SMOKE_ROWS], answers_of(ask, split.rows[:SMOKE_ROWS]))
    print(metrics.report(document))


def read_split(folder: Path, classes: int) -> Split:
    """Return the test split. Raises EvaluationError for a label that is no class's number."""
    rows, labels = [], []
    for file in sorted(folder.glob("*.csv")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            label, _, row = line.partition(",")
            try:
                value = float(label)
            except ValueError:
                value = -1.0
            if value not in range(classes):
                raise EvaluationError(
                    f"row {number} of {file.name} has the label {label!r}; classes: 0 to {classes - 1}"
                )
            rows.append(row)
            labels.append(int(value))
    if not rows:
        raise EvaluationError(f"there is no row in {folder}: nothing to judge the model by")
    return Split(rows, labels)


def answers_of(ask: Callable[[str], str], rows: Sequence[str]) -> list[Any]:
    """Return the model's answer to each row. Raises EvaluationError when there is not one for each."""
    answers: list[Any] = []
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        given = rows_of(ask("".join(f"{row}\n" for row in part)), len(part))
        if len(given) != len(part):
            raise EvaluationError(f"the model gave {len(given)} answers to {len(part)} rows")
        answers += given
    return answers


def write_predictions(path: Path, reading: Reading, labels: Sequence[int], found: Sequence[metrics.Prediction]) -> None:
    """Write what the model says and what is true, both in the model's own words."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if reading.kind == "binary":
            writer.writerow(["probability", "prediction", "label"])
            writer.writerows([one.score, one.label, label] for one, label in zip(found, labels))
            return
        writer.writerow(["prediction", "label"])
        names = reading.words([one.word for one in found])
        writer.writerows([names[one.label], names[label]] for one, label in zip(found, labels))


def write_smoke(folder: Path, rows: Sequence[str], answers: Sequence[Any]) -> None:
    """Write rows, and the answers to them."""
    (folder / "input.csv").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    lines = "".join(json.dumps(answer) + "\n" for answer in answers)
    (folder / "expected.jsonl").write_text(lines, encoding="utf-8")


def write_json(path: Path, document: Any) -> None:
    """Write a document for people and programs."""
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _root() -> Path:
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "processing")


def _output(name: str) -> Path:
    folder = _root() / "output" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run() -> None:
    """Do it; an EvaluationError becomes the last line of the log and the job's ExitMessage."""
    try:
        main()
    except EvaluationError as error:
        message = _root().parent / "output" / "message"
        message.parent.mkdir(parents=True, exist_ok=True)
        message.write_text(str(error), encoding="utf-8")
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    run()
