"""Whatever comes in: it is analysed or counted, never fatal and never dropped silently."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.programs import CAPTURE, CSV, environment, event, label, put

analyze: Any = import_module("analyze")
settings: Any = import_module("settings")
truth: Any = import_module("truth")

_WINDOW = {"start_time": "2027-01-15T08:00:00Z", "end_time": "2027-01-15T09:00:00Z"}
_MODEL = {"analysis_type": "MODEL_QUALITY", "problem_type": "BinaryClassification", "inference_attribute": "0"}


def run(folder: Path, told: dict[str, str]) -> dict[str, Any]:
    """Analyse in this process; the result files by name."""
    analyze.run(settings.Settings.of({**told, "output_path": str(folder / "out")}))
    return {path.stem: json.loads(path.read_text()) for path in (folder / "out").glob("*.json")}


@pytest.fixture
def baseline(tmp_path: Path) -> dict[str, str]:
    """The variables that name a baseline of (label, a, b)."""
    rows = "".join(f"{n % 2},{n % 10},{n % 7}.5\n" for n in range(500))
    run(tmp_path / "before", environment(CSV, put(tmp_path / "before/data/rows.csv", "label,a,b\n" + rows)))
    return {f"baseline_{name}": str(tmp_path / f"before/out/{name}.json") for name in ("statistics", "constraints")}


def usual(number: int, **changed: Any) -> dict[str, Any]:
    return event(f"{number % 10},{number % 7}.5", str(number % 2), f"e{number}", **changed)


def adds_up(account: dict[str, Any]) -> bool:
    parts = (account["blank"], account["analysed"], account["outside_window"], sum(account["rejected"].values()))
    return bool(account["lines"] == sum(parts))


def test_an_empty_hour_is_no_violation(tmp_path: Path, baseline: dict[str, str]) -> None:
    (tmp_path / "nothing").mkdir()
    for source in (tmp_path / "nothing", tmp_path / "not there"):
        found = run(tmp_path, environment(CAPTURE, source, **baseline))
        assert found["constraint_violations"] == {"violations": []}
        assert found["statistics"] == {"version": 0.0, "dataset": {"item_count": 0}, "features": []}
        assert found["intake"]["source"]["lines"] == 0


def test_every_line_is_accounted_for(tmp_path: Path, baseline: dict[str, str]) -> None:
    good = [usual(n) for n in range(400)]
    bad: list[Any] = [
        {**usual(1), "eventVersion": "1"},  # of a future that we do not know
        {"eventMetadata": {}, "eventVersion": "0"},
        [1, 2],
        event("1,2.5\n3,4.5", "1"),  # two questions, one answer
        event('"1,2.5', "1"),
        event("1,2.5", "AAAA", encoding="BASE64"),
        {**event("1,2.5", "1"), "captureData": {"endpointInput": {"encoding": "CSV", "data": "1,2.5"}}},
        event('{"a": 1}', '{"label": 1}', encoding="JSON"),
        event('{"a": [1]}', '{"label": 1}', encoding="JSON"),
        {**usual(1), "eventMetadata": {"eventId": "later", "inferenceTime": "2027-01-15T09:00:00Z"}},
        {**usual(1), "eventMetadata": None},  # without a time it counts
    ]
    lines = "".join(json.dumps(each) + "\n" for each in [*good, *bad])
    broken = "\n  \nno json\n" + "\N{SNOWMAN}\n" + json.dumps(usual(5))[:70]
    source = put(tmp_path / "data/08/x.jsonl", lines + broken)
    (source / "y.jsonl").write_bytes(b"\xff\xfe\n" + json.dumps(usual(6)).encode())
    put(source / ".hidden", "no data")
    found = run(tmp_path, environment(CAPTURE, source, **baseline, **_WINDOW))
    account = found["intake"]["source"]
    assert account["rejected"] == {
        "unknown_version": 1,
        "no_capture": 2,
        "rows_differ": 1,
        "not_csv": 1,
        "encoding": 1,
        "other_form": 1,
        "not_flat": 1,
        "not_json": 3,
        "half_written": 1,
    }
    # one without its answer is analysed as a row that is too short
    assert (account["files"], account["blank"], account["outside_window"]) == (2, 2, 1)
    assert found["statistics"]["dataset"]["item_count"] == account["analysed"] == 400 + 1 + 1 + 1
    assert adds_up(account)
    assert account["examples"]["half_written"].startswith("x.jsonl, line 416: no JSON")


def test_a_script_that_stumbles_loses_only_what_it_stumbles_over(tmp_path: Path, baseline: dict[str, str]) -> None:
    script = put(
        tmp_path / "script/rows.py",
        "def preprocess_handler(record):\n"
        "    values = [*record.endpoint_output.data.split(','), *record.endpoint_input.data.split(',')]\n"
        "    if record.event_metadata.event_id == 'e7':\n        raise KeyError('seven')\n"
        "    if record.event_metadata.event_id == 'e8':\n        return []\n"
        "    return {str(place).zfill(20): value for place, value in enumerate(values)}\n",
    )
    source = put(tmp_path / "data/x.jsonl", [usual(n) for n in range(400)])
    told = environment(CAPTURE, source, **baseline, record_preprocessor_script=script / "rows.py")
    found = run(tmp_path, told)
    assert found["constraint_violations"] == {"violations": []}
    assert [feature["name"] for feature in found["statistics"]["features"]] == ["label", "a", "b"]
    assert found["intake"]["source"]["rejected"] == {"script_failed": 1}
    assert (found["intake"]["source"]["analysed"], found["statistics"]["dataset"]["item_count"]) == (399, 398)


def test_nothing_that_fits_is_an_error_with_its_reason(tmp_path: Path, baseline: dict[str, str]) -> None:
    source = put(tmp_path / "data/x.jsonl", [event("AAAA", "AAAA", encoding="BASE64")] * 3)
    with pytest.raises(settings.UserError, match=r"x.jsonl, line 1: Encoding BASE64 .* CaptureContentTypeHeader"):
        run(tmp_path, environment(CAPTURE, source, **baseline))


@pytest.mark.parametrize("parts", [1, 7])
def test_labels_and_events_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    """Also when there are so many labels that they are joined part by part."""
    events = [usual(n) for n in range(300)]
    events[5]["eventMetadata"]["inferenceId"] = "my own"
    labels = [label(f"e{n}", str(n % 2)) for n in range(100, 500)]
    more: list[Any] = [label("my own", "1"), label("e100", "1"), {"eventMetadata": {"eventId": "e1"}}, "x"]
    capture, told = put(tmp_path / "data/x.jsonl", events), put(tmp_path / "truth/a.jsonl", labels)
    put(told / "b.jsonl", "".join(json.dumps(each) + "\n" for each in more) + '{"groundTr')
    size = sum(path.stat().st_size for path in told.iterdir())
    monkeypatch.setattr(truth, "_PART", size // (parts - 1) + 1 if parts > 1 else size + 1)
    found = run(tmp_path, environment(CAPTURE, capture, ground_truth_source=told, **_MODEL))
    account = found["intake"]
    assert account["events"] == {"with_label": 201, "without_label": 99}
    assert account["source"]["analysed"] == 300 and adds_up(account["source"])
    ours = account["labels"]
    assert (ours["matched"], ours["replaced"], ours["without_event"]) == (201, 1, 200)
    assert ours["rejected"] == {"half_written": 1, "no_label": 2} and adds_up(ours)
    assert ours["analysed"] == ours["matched"] + ours["replaced"] + ours["without_event"]
    assert account["rows"] == {"analysed": 201, "unknown_class": 0}
    matrix = found["statistics"]["binary_classification_metrics"]["confusion_matrix"]
    assert matrix == {"0": {"0": 99, "1": 0}, "1": {"0": 1, "1": 101}}  # e100 was corrected


def test_answers_that_cannot_be_judged_are_counted(tmp_path: Path) -> None:
    answers = [*[str(n % 2) for n in range(300)], "", "1\n0"]
    events = [event("1", answer, f"e{n}") for n, answer in enumerate(answers)]
    labels = [label(f"e{n}", "7" if n == 4 else "1") for n in range(len(answers))]
    capture, told = put(tmp_path / "data/x.jsonl", events), put(tmp_path / "truth/x.jsonl", labels)
    account = run(tmp_path, environment(CAPTURE, capture, ground_truth_source=told, **_MODEL))["intake"]
    assert account["source"]["rejected"] == {"rows_differ": 2} and adds_up(account["source"])
    assert account["events"] == {"with_label": 300, "without_label": 0}
    assert account["rows"] == {"analysed": 299, "unknown_class": 1}


@pytest.mark.parametrize("labelled", [True, False])
def test_no_labelled_answer_is_no_violation(tmp_path: Path, labelled: bool) -> None:
    """Labels without events, and events without labels."""
    rows = put(tmp_path / "before/x.csv", "p,t\n" + "0,0\n1,1\n" * 200)
    run(tmp_path, environment(CSV, rows, **{**_MODEL, "inference_attribute": "p", "ground_truth_attribute": "t"}))
    wanted = tmp_path / "wanted.json"
    (tmp_path / "out/constraints.json").rename(wanted)
    capture = put(tmp_path / "data/x.jsonl", [] if labelled else [usual(1)])
    told = put(tmp_path / "truth/x.jsonl", [label("e1", "1")] if labelled else [])
    found = run(
        tmp_path, environment(CAPTURE, capture, ground_truth_source=told, baseline_constraints=wanted, **_MODEL)
    )
    assert found["constraint_violations"] == {"violations": []}
    assert found["statistics"]["dataset"]["item_count"] == 0
    account = found["intake"]
    assert account["events"] == {"with_label": 0, "without_label": int(not labelled)}
    assert account["labels"]["without_event"] == int(labelled)


def test_a_table_with_broken_rows_is_a_baseline(tmp_path: Path) -> None:
    rows = put(tmp_path / "data/x.csv", 'label,a\n1,2\n\n"0,3\n')
    found = run(tmp_path, environment(CSV, rows))
    account = found["intake"]["source"]
    assert (account["lines"], account["blank"], account["rejected"]) == (3, 1, {"not_csv": 1}) and adds_up(account)
    assert found["statistics"]["dataset"] == {"item_count": 1}


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"dataset_format": ""}, "dataset_format is required"),
        ({"dataset_format": '{"parquet": {}}'}, "parquet is not supported by the portable analyzer"),
        ({"categorical_drift_method": "ChiSquared"}, "ChiSquared is not supported"),
        ({"exclude_features_attribute": "a"}, "exclude_features_attribute is not supported"),
        ({"ground_truth_source": "/x"}, "ground_truth_source belongs to captured traffic"),
        ({**_MODEL, "problem_type": "Ranking"}, "'Ranking' is not one of"),
        ({**_MODEL, "inference_attribute": ""}, "inference_attribute or probability_attribute"),
        ({**_MODEL, "probability_threshold_attribute": "half"}, "'half' is not a number"),
        (_MODEL, "ground_truth_attribute is required"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(tmp_path: Path, told: dict[str, str], text: str) -> None:
    with pytest.raises(settings.UserError, match=text):
        settings.Settings.of({**environment(CSV, tmp_path, output_path=tmp_path), **told})


def test_a_baseline_of_another_kind_is_refused(tmp_path: Path, baseline: dict[str, str]) -> None:
    (tmp_path / "other.json").write_text("{}")
    source = put(tmp_path / "data/x.jsonl", [usual(1)])
    told = environment(CAPTURE, source, **{**baseline, "baseline_constraints": str(tmp_path / "other.json")})
    with pytest.raises(settings.UserError, match="No usable value for version"):
        run(tmp_path, told)
