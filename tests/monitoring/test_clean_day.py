"""A modelled day of four workloads in front of both analyzers, with their real data, models and baselines with slack.

24 hours of 1,000 rows from the test split, asked and answered as the endpoint would, violate nothing. Of an hour in
which one feature has drifted by a standard deviation, that feature is named and no other. Wrong labels are found. What
the two analyzers say is the same, always.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest

import tests.functions.conftest as _functions  # makes the functions importable
from operations.traffic.changes import Changes
from tests.monitoring.programs import CAPTURE, CSV, Engine, environment, event, inside, put, verdicts_of
from tests.workloads.conftest import Prepare, Prepared, prepare, runner_python
from tests.workloads.judging import judge
from tests.workloads.scripts import train

assert _functions
assert prepare  # the fixture
monitor_slack: Any = import_module("monitor_slack")
slack_data: Any = import_module("slack_data")
slack_model: Any = import_module("slack_model")

pytestmark = pytest.mark.exhaustive

ENGINES: tuple[Engine, Engine] = ("portable", "service")
HOURS, ROWS = 24, 1000
Row = list[str]
Trees = Callable[[Prepared, Path], None]
ASKED = {
    "SANDCASTLE_KIND": "binary",
    "SANDCASTLE_ANSWER": "csv",
    "SANDCASTLE_THRESHOLD": "0.5",
    "SANDCASTLE_CONTENT_TYPE": "text/csv",
    "SANDCASTLE_ACCEPT": "text/csv",
}
SCRIPT = {
    "SANDCASTLE_KIND": "multiclass",
    "SANDCASTLE_ANSWER": "json:prediction",
    "SANDCASTLE_CONTENT_TYPE": "text/csv",
    "SANDCASTLE_ACCEPT": "application/json",
    "SANDCASTLE_PROGRAM": "inference.py",
}
XGBOOST = (
    "import sys, numpy, xgboost\n"
    "rows = numpy.loadtxt(sys.argv[1], delimiter=',')\n"
    "data = xgboost.DMatrix(rows[:, 1:], rows[:, 0])\n"
    "settings = {'objective': 'binary:logistic', 'max_depth': 5, 'eta': 0.2, 'subsample': 0.8, 'nthread': 1}\n"
    "xgboost.train(settings, data, 40).save_model(sys.argv[2])\n"
)
DRIFTS = {
    "bank": ["age", "campaign", "pdays", "marital_married", "month_may"],
    "penguins": ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"],
    "fraud": ["Time", "V1", "V15", "V28", "Amount"],
    "mnist-linear": ["pixel_14_14", "pixel_19_17"],
}


@dataclass(frozen=True)
class Day:
    """A workload: its training rows, and of each test row the features, the answer and what was true."""

    name: str
    folder: Path
    training: Path
    features: list[str]
    asked: list[Row]
    answers: list[str]
    judged: list[dict[str, str]]
    """Rows of predictions.csv, for a model that can be judged before it serves."""

    def hour(self, random: Random, changes: Changes) -> list[dict[str, Any]]:
        """Return what was captured of so many requests."""
        found = []
        for number in range(ROWS):
            place = random.randrange(len(self.asked))
            cells = list(self.asked[place])
            changes.apply(cells, random)
            found.append(event(",".join(cells), self.answers[place], f"e{number}"))
        return found


@pytest.fixture(scope="module", params=sorted(DRIFTS))
def day(request: pytest.FixtureRequest, prepare: Prepare, tmp_path_factory: pytest.TempPathFactory) -> Day:
    name = request.param
    prepared, folder = prepare(name, version="1a2b3c4d5e6f"), tmp_path_factory.mktemp(f"day-{name}")
    training = prepared.file("baseline", "baseline.csv")
    rows = list(csv.reader(prepared.file("test", "test.csv").open()))
    asked = [row[1:] for row in rows]
    if name == "mnist-linear":  # its model is judged by nobody before it serves: a linear one stands for it
        return Day(name, folder, training, prepared.about["features"], asked, _linear(training, asked), [])
    model = folder / "model"
    model.mkdir()
    if name == "penguins":
        train(runner_python(), name, prepared, model)
    else:
        made = model / "model.json"
        command = [str(runner_python()), "-c", XGBOOST, str(prepared.file("train", "train.csv")), str(made)]
        subprocess.run(command, check=True)
        made.rename(model / "xgboost-model")
    done = judge(runner_python(), folder / "judged", prepared, model, **(SCRIPT if name == "penguins" else ASKED))
    assert done.code == 0, done.log
    answers = [row["prediction"] for row in done.predictions]
    return Day(name, folder, training, prepared.about["features"], asked, answers, done.predictions)


def _linear(training: Path, asked: list[Row]) -> list[str]:
    import numpy as np

    table = np.loadtxt(training, delimiter=",", skiprows=1)
    ones = np.ones((len(table), 1))
    weights, *_ = np.linalg.lstsq(np.hstack([table[:, 1:], ones]), table[:, 0], rcond=1e-3)
    scores = np.array(asked, dtype=float) @ weights[:-1] + weights[-1]
    return [str(int(score > 0.5)) for score in scores]


def baseline(engine: Engine, place: Path, data: Path, **variables: str) -> dict[str, Path]:
    """Have the engine make a baseline, give it slack, and return the variables that name its files."""
    made = inside(engine, place, environment(CSV, data, **variables))
    if "features" in made["constraints"]:
        relaxed = slack_data.relaxed(made["constraints"], made["statistics"], ROWS, monitor_slack.RISK, labelled=True)
    else:
        relaxed = slack_model.relaxed(made["constraints"], made["statistics"], ROWS, monitor_slack.RISK)
    put(place / "statistics.json", json.dumps(made["statistics"]))
    put(place / "constraints.json", json.dumps(relaxed))
    return {f"baseline_{name}": place / f"{name}.json" for name in ("statistics", "constraints")}


def agreed(place: Path, told: dict[Engine, dict[str, str]]) -> list[tuple[str, str]]:
    """Return what both engines say of the same files."""
    said = [verdicts_of(inside(engine, place, told[engine])) for engine in ENGINES]
    assert said[0] == said[1]
    return said[0]


def test_a_clean_day_violates_nothing_and_a_feature_that_drifts_is_named(day: Day) -> None:
    baselines = {engine: baseline(engine, day.folder / engine, day.training) for engine in ENGINES}
    random, window = Random(1), day.folder / "window"  # noqa: S311 - a seeded sample

    def look(changes: Changes) -> list[tuple[str, str]]:
        source = put(window / "captured.jsonl", day.hour(random, changes))
        return agreed(day.folder / "out", {one: environment(CAPTURE, source, **baselines[one]) for one in ENGINES})

    for hour in range(HOURS):
        assert look(Changes()) == [], f"hour {hour}"
    bounds = (0.0, 1.0) if day.name == "mnist-linear" else (-1e12, 1e12)
    for feature in DRIFTS[day.name]:
        drift = Changes.read(day.features, day.asked, drift=[f"{feature}=+1sd"], bounds=bounds)
        assert look(drift) == [(feature, "baseline_drift_check")]


def test_a_clean_day_of_answers_violates_nothing_and_wrong_labels_are_found(day: Day) -> None:
    if not day.judged:
        pytest.skip("linear learner runs no script: data-quality only")
    several = len(set(day.answers)) > 2
    told = {
        "analysis_type": "MODEL_QUALITY",
        "problem_type": "MulticlassClassification" if several else "BinaryClassification",
        "inference_attribute": "prediction",
        "ground_truth_attribute": "label",
        **({} if several else {"probability_attribute": "probability"}),
    }
    header = list(day.judged[0])

    def written(place: Path, rows: list[dict[str, str]]) -> Path:
        lines = [",".join(header), *(",".join(row[name] for name in header) for row in rows)]
        return put(place / "rows.csv", "\n".join(lines) + "\n")

    data = written(day.folder / "answers", day.judged)
    limits = {}
    for engine in ENGINES:
        made = baseline(engine, day.folder / f"{engine}-model", data, **told)
        limits[engine] = {"baseline_constraints": made["baseline_constraints"]}
    random, labels = Random(2), sorted({row["label"] for row in day.judged})  # noqa: S311 - a seeded sample

    def look(noise: float) -> list[tuple[str, str]]:
        rows = [dict(random.choice(day.judged)) for _ in range(ROWS)]
        for row in rows:
            if random.random() < noise:
                row["label"] = random.choice([label for label in labels if label != row["label"]])
        source = written(day.folder / "hour", rows)
        return agreed(day.folder / "out", {one: environment(CSV, source, **told, **limits[one]) for one in ENGINES})

    for hour in range(HOURS):
        assert look(0.0) == [], f"hour {hour}"
    for _ in range(5):
        assert ("accuracy", "LessThanThreshold") in look(0.2)
