"""Pages about monitors: distributions and distances, violations in words, pages that are sound in any case."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operations.monitor.distributions import Bins, Categories, chance, compare, distance
from operations.monitor.findings import Reports, columns
from operations.monitor.found import Found
from operations.monitor.marks import leading, marks
from operations.monitor.monitors import Kind, Monitor, Watched
from operations.monitor.page import page, write_page
from operations.monitor.runs import Folders, Run
from operations.monitor.windows import Window, candidates, first_with_data
from operations.target import Target
from tests.operations.webpage import Page

NASTY = '<script>alert("x")</script>'
NOW = datetime(2026, 1, 1, 15, 7, tzinfo=UTC)


def numerical(name: str, levels: list[list[float]], missing: int = 0, kind: str = "Fractional") -> dict[str, Any]:
    """A feature of a statistics.json whose sketch has these lists."""
    values = np.array([value for level, some in enumerate(levels) for value in some for _ in range(2**level)])
    common = {"num_present": len(values), "num_missing": missing}
    found = {"common": common, "mean": float(values.mean()), "std_dev": float(values.std()),
             "min": float(values.min()), "max": float(values.max()),
             "distribution": {"kll": {"buckets": [], "sketch": {"data": levels}}}}  # fmt: skip
    return {"name": name, "inferred_type": kind, "numerical_statistics": found}


def textual(name: str, counts: dict[str, int]) -> dict[str, Any]:
    buckets = [{"value": value, "count": count} for value, count in counts.items()]
    common = {"num_present": sum(counts.values()), "num_missing": 0}
    found = {"common": common, "distribution": {"categorical": {"buckets": buckets}}}
    return {"name": name, "inferred_type": "String", "string_statistics": found}


def violation(name: str, check: str, text: str) -> dict[str, str]:
    return {"feature_name": name, "constraint_check_type": check, "description": text}


def reports(before: list[Any], now: list[Any], violations: list[Any], method: str = "Simple") -> Reports:
    limits = {"comparison_method": method, "comparison_threshold": 0.1, "categorical_comparison_threshold": 0.2}
    constraints = {"features": [], "monitoring_config": {"distribution_constraints": limits}}
    return Reports(
        statistics={"dataset": {"item_count": 100}, "features": now},
        violations=violations,
        baseline={"dataset": {"item_count": 400}, "features": before},
        constraints=constraints,
    )


def found(about: Reports, kind: Kind = "DataQuality", labels: dict[str, str] | None = None) -> Found:
    target = Target("aws", "123456789012", "eu-west-1", {})
    watched = Watched(target, "a", f"bank{NASTY}", "endpoint", {"DatasetUri": "s3://b/bank/f"})
    monitor = Monitor(f"schedule{NASTY}", kind, "endpoint", "cron(0 * ? * * *)", "Scheduled", "definition")
    run = Run(monitor, NOW, "CompletedWithViolations", "", "job", by_hand=False)
    failed = Run(monitor, NOW - timedelta(hours=1), "Failed", f"ClientError: {NASTY}", "", by_hand=False)
    earlier = Run(monitor, NOW - timedelta(hours=2), "Completed", "", "job0", by_hand=False)
    folders = Folders("s3://b/r", {}, "2026-01-01T14:00:00Z", "2026-01-01T15:00:00Z")
    return Found(watched, run, folders, about, [(earlier, about), (failed, None), (run, about)], labels or {})


def test_the_distance_is_that_of_the_values_a_sketch_stands_for() -> None:
    """A value of level 1 counts twice: against a count by brute force."""
    one, other = numerical("x", [[1.0, 5.0], [2.0, 3.0]]), numerical("x", [[4.0, 5.0, 6.0]])
    first, then = [1, 2, 2, 3, 3, 5], [4, 5, 6]
    gaps = [abs(sum(v <= at for v in first) / 6 - sum(v <= at for v in then) / 3) for at in range(7)]
    assert distance(one, other, robust=False) == pytest.approx(max(gaps))
    assert distance(one, one, robust=False) == 0
    assert distance(textual("c", {"a": 3, "b": 1}), textual("c", {"a": 1, "c": 1}), robust=False) == pytest.approx(0.5)
    assert distance(one, textual("x", {"a": 1}), robust=False) is None


def test_what_chance_explains_is_taken_off() -> None:
    """1.8 * sqrt((n + m) / (n * m)): 400 and 100 rows explain 0.201."""
    values = np.linspace(0, 1, 400)
    one, other = numerical("x", [values.tolist()]), numerical("x", [(values[::4] + 0.5).tolist()])
    plain, corrected = distance(one, other, robust=False), distance(one, other, robust=True)
    assert chance(400, 100) == pytest.approx(0.20125, abs=1e-5)
    assert plain is not None
    assert corrected == pytest.approx(plain - chance(400, 100))
    assert distance(one, numerical("x", [values[::4].tolist()]), robust=True) == 0


def test_two_distributions_share_their_bins_and_nothing_is_lost() -> None:
    draw = np.random.default_rng(3)
    before, now = draw.normal(0, 1, 2000), np.append(draw.normal(1, 1, 500), 1e9)
    bins = compare(numerical("x", [before.tolist()]), numerical("x", [now.tolist()]))
    assert isinstance(bins, Bins)
    assert bins.edges[-1] < 10, "one wild value squeezes the others"
    assert sum(bins.before) == pytest.approx(1)
    assert sum(bins.now) == pytest.approx(1)
    middle = [(low + high) / 2 for low, high in zip(bins.edges, bins.edges[1:], strict=False)]
    mean = sum(at * share for at, share in zip(middle, bins.before, strict=True))
    assert mean == pytest.approx(0, abs=0.15)


def test_few_numbers_are_shown_one_by_one_and_many_categories_cut() -> None:
    few = compare(numerical("x", [[0, 1, 1, 2]], kind="Integral"), numerical("x", [[1, 1]], kind="Integral"))
    assert few == Categories(("0", "1", "2"), (0.25, 0.5, 0.25), (0.0, 1.0, 0.0))
    many = compare(textual("c", {f"v{n}": 30 - n for n in range(30)}), textual("c", {"v0": 1}))
    assert isinstance(many, Categories)
    assert (len(many.names), many.names[0], many.others) == (10, "v0", 20)
    constant = compare(numerical("x", [[7.0] * 5]), numerical("x", [[7.0] * 3]))
    assert constant == Categories(("7",), (1.0,), (1.0,))


@pytest.mark.parametrize(
    ("check", "text", "words"),
    [
        (
            "data_type_check",
            "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
            "Observed: Only 99.64570850202429% of data is Integral.",
            "0.4% of its values are not whole numbers, which they were in training.",
        ),
        (
            "baseline_drift_check",
            "Baseline drift distance: 0.4321 exceeds threshold: 0.1",
            "Its values are distributed otherwise than in training: distance 0.43, allowed is 0.1. "
            "The mean went from 2 to 12, 10.0 standard deviations.",
        ),
        (
            "completeness_check",
            "Value: 0.9 does not meet the constraint requirement! Expected completeness: 1.0",
            "It is missing in 40% of the rows; in training it was never missing.",
        ),
        ("some_new_check", "AWS says something new.", "AWS says something new."),
    ],
)
def test_violations_in_words(check: str, text: str, words: str) -> None:
    before, now = numerical("x", [[1.0, 1.0, 3.0, 3.0]]), numerical("x", [[11.0, 12.0, 13.0]], missing=2)
    (column,) = columns(reports([before], [now], [violation("x", check, text)]))
    assert column.words == (words,)


def test_unknown_values_and_other_columns_are_named() -> None:
    before, now = textual("colour", {"red": 9, "blue": 1}), textual("colour", {"red": 8, "mauve": 2})
    text = "Value: 0.8 does not meet the constraint requirement! Share of known values expected: 1.0"
    all_rows = violation(
        "Missing columns",
        "missing_column_check",
        "There are missing columns in current dataset. Number of columns in current dataset: 1, "
        "Number of columns in baseline constraints: 2",
    )
    about = reports(
        [before, textual("gone", {"a": 1})], [now], [violation("colour", "categorical_values_check", text), all_rows]
    )
    first, gone = columns(about)
    assert first.words == ("20% of its values were never seen in training: 'mauve'.",)
    assert (gone.name, gone.distance, gone.violated) == ("gone", None, False)
    told = Page(page(found(about))).text
    assert "Rows have 1 columns, and 2 in training." in told
    assert "There is no such column any more." in told


def test_columns_with_violations_come_first_then_the_farthest() -> None:
    draw = np.random.default_rng(1)
    values = draw.normal(0, 1, 400)
    before = [numerical(name, [values.tolist()]) for name in ("near", "far", "wrong")]
    now = [numerical(name, [(values + by).tolist()]) for name, by in (("near", 0.0), ("far", 0.2), ("wrong", 0.1))]
    about = reports(before, now, [violation("wrong", "data_type_check", "words")])
    assert [one.name for one in columns(about)] == ["wrong", "far", "near"]


def quality(accuracy: float, matrix: dict[str, dict[str, int]], violations: list[Any]) -> Reports:
    def metrics(value: float, cells: Any) -> dict[str, Any]:
        spread = {"value": value, "standard_deviation": "NaN"}
        return {"dataset": {"item_count": 12}, "multiclass_classification_metrics": {
            "confusion_matrix": cells, "accuracy": spread, "accuracy_best_constant_classifier": spread}}  # fmt: skip

    rule = {"accuracy": {"threshold": 1.0, "comparison_operator": "LessThanThreshold"}}
    return Reports(
        statistics=metrics(accuracy, matrix),
        violations=violations,
        baseline=metrics(1.0, {"0": {"0": 3, "1": 0}, "1": {"0": 0, "1": 3}}),
        constraints={"multiclass_classification_constraints": rule},
    )


WORSE = {"metric_name": "accuracy", "constraint_check_type": "LessThanThreshold", "description": "words"}


def test_a_models_marks_stand_beside_baseline_and_limit() -> None:
    about = quality(0.75, {"0": {"0": 6, "1": 3}, "1": {"0": 0, "1": 3}}, [WORSE])
    (accuracy,) = marks(about)
    assert leading([accuracy]) is accuracy
    assert (accuracy.value, accuracy.spread, accuracy.before, accuracy.limit) == (0.75, None, 1.0, 1.0)
    assert accuracy.violated
    told = Page(page(found(about, "ModelQuality", {"0": "no", "1": f"yes{NASTY}"}))).text
    for expected in (
        "less right than they were",
        "0.750",
        "a single wrong answer is a violation",
        f"yes{NASTY}",
        "33.3%",
    ):
        assert expected in told
    assert "do not meet" not in told


def test_labels_in_other_words_than_the_answers_are_pointed_out() -> None:
    """Numbers beside names: everything is wrong, and naming the numbers would hide why."""
    cells = {one: {"0": 0, "no": 0} for one in ("0", "no")}
    cells["0"]["no"] = 12
    told = Page(page(found(quality(0.0, cells, [WORSE]), "ModelQuality", {"0": "no", "1": "yes"}))).text
    assert "Labels are 0; the model answers no. They have not a word in common" in told


@pytest.mark.parametrize("violated", [True, False])
@pytest.mark.parametrize("kind", ["DataQuality", "ModelQuality"])
def test_a_page_is_well_formed_self_contained_and_escapes_names(kind: Kind, violated: bool) -> None:
    if kind == "DataQuality":
        wrong = [violation(NASTY, "x_check", NASTY), violation("all", NASTY, NASTY)] if violated else []
        draw = np.random.default_rng(2).normal(0, 1, 50).tolist()
        about = reports(
            [numerical(NASTY, [draw]), textual("c", {NASTY: 4}), *(numerical(f"n{n}", [draw]) for n in range(30))],
            [numerical(NASTY, [draw]), textual("c", {NASTY: 4}), numerical("added", [draw])], wrong, "Robust",
        )  # fmt: skip
    else:
        about = quality(0.9, {NASTY: {NASTY: 3}}, [WORSE] if violated else [])
    text = page(found(about, kind))
    read = Page(text)
    assert read.open == []
    assert read.loads == []
    assert read.scripts == 0
    assert NASTY in read.text
    assert "url(" not in text
    assert "@import" not in text
    assert re.search(r"https?://", text) is None
    assert "$" not in text.split("<body>")[1]
    assert ("What to do" in read.text) is violated
    assert "1 run (\N{MULTIPLICATION SIGN}) judged nothing" in read.text


def test_the_file_is_named_by_what_it_is_about(tmp_path: Path) -> None:
    about = found(reports([], [], []))
    named = Found(**{**vars(about), "watched": Watched(about.watched.target, "a", "bank", "endpoint", {})})
    assert write_page(named, tmp_path / "reports").name == "monitor-bank-data-quality-20260101-1507.html"


def test_a_run_by_hand_looks_at_the_schedules_hour_else_the_last_one_else_this_one() -> None:
    late = candidates(NOW, ("-PT2H", "-PT1H"))
    assert [f"{one.begin:%H}-{one.end:%H}" for one in late] == ["13-14", "14-15", "15-16"]
    day = candidates(NOW, ("-P1D", "-PT0H"))[0]
    assert (day.end - day.begin, len(list(day.hours))) == (timedelta(days=1), 24)
    this = first_with_data(late, ("a", "b"), lambda variant, hour: variant == "b" and hour.hour == 15)
    assert this == Window(late[2].begin, late[2].end, (("b", late[2].begin),))
    assert first_with_data(late, ("a",), lambda *_: False) is None
    assert late[0].words == "2026-01-01 13:00 to 14:00 UTC"
    with pytest.raises(ValueError, match="offset '1 h': expected a duration such as -PT1H"):
        candidates(NOW, ("1 h", "-PT0H"))


def test_what_got_worse_stands_for_the_model() -> None:
    """Accuracy may be as it was where few rows are positive."""
    rule = {"threshold": 0.8, "comparison_operator": "LessThanThreshold"}
    found_now = {name: {"value": value} for name, value in (("accuracy", 0.9), ("auc", 0.7), ("recall", 0.1))}
    about = Reports(
        statistics={"binary_classification_metrics": found_now},
        violations=[{**WORSE, "metric_name": name} for name in ("recall", "auc")],
        baseline={},
        constraints={"binary_classification_constraints": dict.fromkeys(found_now, rule)},
    )
    every = marks(about)
    assert [(one.name, one.violated) for one in every] == [("recall", True), ("auc", True), ("accuracy", False)]
    lead = leading(every)
    assert lead is not None
    assert lead.name == "auc"
    assert "auc is 0.700" in Page(page(found(about, "ModelQuality"))).text
