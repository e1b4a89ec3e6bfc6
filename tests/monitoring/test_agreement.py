"""Both engines give the same verdicts on the same files, and but for estimates the same figures."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.programs import (
    CAPTURE,
    CSV,
    MERGED,
    MOMENT,
    SERVICE,
    Run,
    against,
    analyse,
    both,
    environment,
    event,
    label,
    put,
)

_ROWS = 1500
_COLOURS = ("red", "green", "blue")


def table(chance: random.Random, rows: int = _ROWS, shift: float = 0.0) -> list[list[str]]:
    """Label first; a number, a number with gaps, a category, a flag as a word, an id, a number written large."""
    return [
        [
            str(chance.randrange(2)),
            f"{chance.gauss(10 + shift, 1):.3f}",
            "" if chance.random() < 0.1 else str(chance.randrange(50)),
            chance.choice(_COLOURS),
            chance.choice(("true", "false")),
            f"id-{chance.randrange(10**9)}",
            f"{chance.gauss(0, 1):.2e}",
        ]
        for _ in range(rows)
    ]


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    folder = tmp_path_factory.mktemp("baselines")
    rows = [["label", "size", "age", "colour", "flag", "id", "tiny"], *table(random.Random(1))]  # noqa: S311 - a seeded table
    source = put(folder / "data" / "rows.csv", "".join(",".join(row) + "\n" for row in rows))
    found = both(folder, environment(CSV, source))
    assert [run.code for run in found] == [0, 0], found
    return found


def test_baselines_agree(baselines: tuple[Run, Run]) -> None:
    portable, service = baselines
    assert portable.file("constraints") == service.file("constraints")
    assert portable.text("message") == service.text("message")
    ours, theirs = portable.file("statistics"), service.file("statistics")
    assert ours["dataset"] == theirs["dataset"] == {"item_count": _ROWS}
    for mine, other in zip(ours["features"], theirs["features"], strict=True):
        assert list(mine) == list(other)
        if "numerical_statistics" in mine:
            one, two = mine["numerical_statistics"], other["numerical_statistics"]
            kll, their_kll = one.pop("distribution")["kll"], two.pop("distribution")["kll"]
            assert list(one) == list(two)
            assert one.pop("common") == two.pop("common")
            assert one == pytest.approx(two)
            assert [sorted(level) for level in kll["sketch"]["data"]] == [
                sorted(level) for level in their_kll["sketch"]["data"]
            ]
            assert kll["buckets"] == their_kll["buckets"]
        else:
            assert mine == other


def change(column: int, value: str, every: int = 1) -> Any:
    def changed(rows: list[list[str]]) -> list[list[str]]:
        return [
            [*row[:column], value, *row[column + 1 :]] if number % every == 0 else row
            for number, row in enumerate(rows)
        ]

    return changed


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (lambda rows: [[row[0], f"{float(row[1]) + 1:.3f}", *row[2:]] for row in rows], "baseline_drift_check"),
        (change(1, "large", 10), "data_type_check"),
        pytest.param(change(2, ""), "completeness_check", marks=pytest.mark.exhaustive),
        (change(3, "violet", 20), "categorical_values_check"),
        pytest.param(change(3, "red", 2), "baseline_drift_check", marks=pytest.mark.exhaustive),
        pytest.param(change(2, "7.5", 3), "data_type_check", marks=pytest.mark.exhaustive),
        pytest.param(lambda rows: [row[:-1] for row in rows], "missing_column_check", marks=pytest.mark.exhaustive),
        pytest.param(lambda rows: [[*row, "1"] for row in rows], "extra_column_check", marks=pytest.mark.exhaustive),
        pytest.param(
            lambda rows: [[*row, "1"] if n == 7 else row for n, row in enumerate(rows)],
            "extra_column_check",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_verdicts_of_data_agree(tmp_path: Path, baselines: tuple[Run, Run], changed: Any, expected: str) -> None:
    rows = changed(table(random.Random(2), 1000))  # noqa: S311 - a seeded table
    source = put(tmp_path / "data/08/x.jsonl", [event(",".join(row[1:]), row[0]) for row in rows])
    found = both(tmp_path, environment(CAPTURE, source, **against(baselines[1])))
    assert [run.code for run in found] == [0, 0], found
    portable, service = found
    assert expected in [check for _, check in portable.verdicts]
    assert portable.file("constraint_violations") == service.file("constraint_violations")
    assert portable.text("message") == service.text("message")


def test_rows_without_a_header_are_the_baselines_columns_by_position(
    tmp_path: Path, baselines: tuple[Run, Run]
) -> None:
    """What transform jobs were asked: no window of time, no endpoint, and metrics of the schedule alone."""
    rows = table(random.Random(4), 1200, shift=2)  # noqa: S311 - a seeded table
    source = put(tmp_path / "data/1/rows.csv", "".join(",".join(row) + "\n" for row in rows))
    told = environment(
        {"csv": {"header": False}},
        source,
        **against(baselines[0]),
        publish_cloudwatch_metrics="Enabled",
        metric_time=MOMENT,
        start_time="2027-01-15T09:00:00Z",
        end_time="2027-01-15T10:00:00Z",
        sagemaker_monitoring_schedule_name="s",
    )
    found = both(tmp_path, told)
    for run in found:
        assert run.code == 0, run.log
        assert ("size", "baseline_drift_check") in run.verdicts
        first = json.loads(run.text("metrics/cloudwatch/cloudwatch_metrics.jsonl").splitlines()[0])
        assert first["Dimensions"] == [{"Name": "MonitoringSchedule", "Value": "s"}]
    assert found[0].verdicts == found[1].verdicts


def test_verdicts_and_metrics_of_clean_json_agree(tmp_path: Path, baselines: tuple[Run, Run]) -> None:
    """By name, several rows in a request, numbers of all kinds."""
    names = ["size", "age", "colour", "flag", "id", "tiny"]
    rows = table(random.Random(3), 1200)  # noqa: S311 - a seeded table

    def values(row: list[str]) -> dict[str, Any]:
        known = dict(zip(names, row[1:], strict=True))
        age = known["age"]
        return {**known, "size": float(row[1]), "age": None if not age else int(age), "flag": known["flag"] == "true"}

    several = [rows[start : start + 3] for start in range(0, len(rows), 3)]
    captured = [
        event(
            json.dumps([values(row) for row in some]), json.dumps([{"label": int(row[0])} for row in some]), "e", "JSON"
        )
        for some in several
    ]
    source = put(tmp_path / "data/08/x.jsonl", captured)
    told = environment(
        CAPTURE,
        source,
        **against(baselines[0]),
        publish_cloudwatch_metrics="Enabled",
        end_time="2027-01-15T09:00:00Z",
        sagemaker_endpoint_name="e",
        sagemaker_monitoring_schedule_name="s",
    )
    portable, service = both(tmp_path, told)
    assert (portable.code, service.code) == (0, 0), (portable.log, service.log)
    assert portable.verdicts == service.verdicts
    ours = portable.metrics
    assert ours.pop("records_rejected") == 0.0
    assert list(ours) == list(service.metrics)
    for name, value in service.metrics.items():
        assert ours[name] == pytest.approx(value), name


_PROBLEMS = {
    "Regression": (
        {"inference_attribute": "0"},
        lambda c: (t := c.gauss(5, 2), f"{t:.4f}", f"{t + c.gauss(0, 1):.4f}"),
    ),
    "MulticlassClassification": (
        {"inference_attribute": "0"},
        lambda c: (0, t := str(c.randrange(4)), t if c.random() < 0.8 else str(c.randrange(4))),
    ),
    "BinaryClassification": (
        {"probability_attribute": "0"},
        lambda c: (0, str(int((p := round(c.random(), 2)) + c.gauss(0, 0.3) > 0.5)), str(p)),
    ),
    "both": (
        {"probability_attribute": "1", "inference_attribute": "0", "problem_type": "BinaryClassification"},
        lambda c: (0, str(t := c.randrange(2)), f"{t if c.random() < 0.9 else 1 - t}.0,{c.random():.3f}"),
    ),
}


@pytest.mark.parametrize(
    "problem",
    [
        "BinaryClassification",
        *(
            pytest.param(name, marks=pytest.mark.exhaustive)
            for name in ("Regression", "MulticlassClassification", "both")
        ),
    ],
)
def test_verdicts_of_models_agree(tmp_path: Path, problem: str) -> None:
    """We merge ourselves; the service's merger does it first. A baseline of better answers is violated."""
    attributes, draw = _PROBLEMS[problem]
    told = {"analysis_type": "MODEL_QUALITY", "problem_type": problem, **attributes}
    chance = random.Random(4)  # noqa: S311 - a seeded table
    rows = [draw(chance)[1:] for _ in range(1000)]
    captured = [event("1,2", answer, f"e{number}") for number, (_, answer) in enumerate(rows)]
    truths = [label(f"e{number}", truth) for number, (truth, _) in enumerate(rows) if number % 10]
    capture, truth = put(tmp_path / "data/x.jsonl", captured), put(tmp_path / "truth/x.jsonl", truths)
    merging = {"dataset_source": str(capture), "ground_truth_source": str(truth)}
    merger = analyse(tmp_path / "merged", merging, SERVICE / "merger.py")
    assert merger.code == 0, merger.log

    def run(folder: str, **more: Any) -> tuple[Run, Run]:
        ours = analyse(
            tmp_path / folder / "p", environment(CAPTURE, capture, ground_truth_source=truth, **told, **more)
        )
        merged = environment(MERGED, tmp_path / "merged" / "out", **told, **more)
        return ours, analyse(tmp_path / folder / "s", merged, SERVICE / "analyzer.py")

    portable, service = run("baseline")
    assert (portable.code, service.code) == (0, 0), (portable.log, service.log)
    ours, theirs = portable.file("statistics"), service.file("statistics")
    assert ours["dataset"] == theirs["dataset"] == {"item_count": 900}
    [word] = [name for name in theirs if name.endswith("_metrics")]
    assert list(ours[word]) == list(theirs[word])
    for name, value in theirs[word].items():
        if "value" in value:
            assert ours[word][name]["value"] == pytest.approx(value["value"]), name
            assert 0 <= ours[word][name]["standard_deviation"] < 10 * value["standard_deviation"] + 1e-9
        else:
            for curve, points in value.items():
                assert ours[word][name][curve] == (points if isinstance(points, dict) else pytest.approx(points))
    # worse by a tenth of a percent than a baseline wants is a violation, as good as it wants is none
    wanted = service.file("constraints")
    [constraints] = [content for name, content in wanted.items() if name != "version"]
    for number, rule in enumerate(constraints.values()):
        rule["threshold"] += 0.001 * (number % 3 - 1)
    path = put(tmp_path / "wanted/constraints.json", json.dumps(wanted)) / "constraints.json"
    portable, service = run("against", baseline_constraints=path)
    assert portable.verdicts == service.verdicts != []
    assert portable.text("message") == service.text("message")
