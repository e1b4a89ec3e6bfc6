"""Data against a baseline: what is a violation, what cannot be analysed, and what a script makes of it."""

from __future__ import annotations

import copy
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.jobs.monitor_programs import CAPTURE, CSV, MERGED, captured, environment, put, run

analyzer: Any = import_module("analyzer")
jobs: Any = import_module("job")
merger: Any = import_module("merger")
UserError: Any = import_module("sagemaker_io").UserError

_KNOWN = "label,colour,size\n" + "".join(f"{n % 2},{'red' if n % 4 else 'blue'},{n % 10}.5\n" for n in range(400))
_FOLDER = "data/watched/all/2027/01/15/08"


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """statistics and constraints of the known data."""
    base = tmp_path_factory.mktemp("baseline")
    put(base, "rows.csv", _KNOWN)
    variables = environment(CSV, dataset_source=str(base / "rows.csv"), output_path=str(base / "out"))
    assert analyzer.run(jobs.Job.of_environment(variables)) is None
    return {name: json.loads((base / f"out/{name}.json").read_text()) for name in ("statistics", "constraints")}


def analyse(base: Path, baseline: dict[str, Any], lines: str, **variables: str) -> list[tuple[str, str]]:
    """Which check found something wrong with what, in captured traffic."""
    put(base, f"{_FOLDER}/10-00-000-x.jsonl", lines)
    for name, content in baseline.items():
        put(base, f"{name}.json", json.dumps(content))
    given = environment(
        CAPTURE,
        dataset_source=str(base / "data"),
        output_path=str(base / "out"),
        baseline_constraints=str(base / "constraints.json"),
        baseline_statistics=str(base / "statistics.json"),
    )
    analyzer.run(jobs.Job.of_environment({**given, **variables}))
    found = json.loads((base / "out/constraint_violations.json").read_text())["violations"]
    return [(each["feature_name"], each["constraint_check_type"]) for each in found]


def usual(count: int = 400) -> list[tuple[str, str]]:
    """Traffic as the baseline knows it: (request, answer)."""
    return [(f"{'red' if n % 4 else 'blue'},{n % 10}.5", str(n % 2)) for n in range(count)]


def test_the_same_data_violates_nothing(tmp_path: Path, baseline: dict[str, Any]) -> None:
    assert analyse(tmp_path, baseline, captured(usual())) == []
    # several rows in one request are as many rows
    rows = usual()
    many = ("\n".join(request for request, _ in rows), "\n".join(answer for _, answer in rows) + "\n")
    assert analyse(tmp_path, baseline, captured([many])) == []
    assert json.loads((tmp_path / "out/statistics.json").read_text())["dataset"] == {"item_count": 400}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("green,0.5", "1"), *usual()], [("colour", "categorical_values_check")]),
        ([(",0.5", "1"), *usual()], [("colour", "completeness_check")]),
        ([("red,", "1"), *usual()], [("size", "completeness_check")]),
        ([("red,large", "1"), *usual()], [("size", "data_type_check")]),
        ([("red,5", "1"), *usual()], []),  # an integer is a number like any other
        ([(f"red,{n % 10}.5", str(n % 2)) for n in range(400)], [("colour", "baseline_drift_check")]),
        ([(request.replace(".5", "9.5"), answer) for request, answer in usual()], [("size", "baseline_drift_check")]),
        ([("red,0.5,1", "1")], [("Extra columns", "extra_column_check")]),
        ([("red", "1")], [("Missing columns", "missing_column_check")]),
        ([("red,0.5", "1")], []),  # one row alone is no drift
    ],
)
def test_what_is_a_violation(
    tmp_path: Path, baseline: dict[str, Any], rows: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    assert analyse(tmp_path, baseline, captured(rows)) == expected


def test_thresholds_and_switches_of_the_baseline(tmp_path: Path, baseline: dict[str, Any]) -> None:
    bad = captured([("green,large", "1"), *usual()])
    assert len(analyse(tmp_path, baseline, bad)) == 2

    def changed(**config: Any) -> dict[str, Any]:
        other = copy.deepcopy(baseline)
        other["constraints"]["monitoring_config"].update(config)
        return other

    assert analyse(tmp_path, changed(datatype_check_threshold=0.9), bad) == [("colour", "categorical_values_check")]
    assert analyse(tmp_path, changed(domain_content_threshold=0.9), bad) == [("size", "data_type_check")]
    assert analyse(tmp_path, changed(evaluate_constraints="Disabled"), bad) == []
    one = copy.deepcopy(baseline)
    one["constraints"]["features"][2]["monitoringConfigOverrides"] = {"evaluate_constraints": "Disabled"}
    assert analyse(tmp_path, one, bad) == [("colour", "categorical_values_check")]
    far = captured([(request.replace(".5", "9.5"), answer) for request, answer in usual()])
    compared = {"perform_comparison": "Disabled"}
    assert analyse(tmp_path, changed(distribution_constraints=compared), far) == []
    plain = {"comparison_method": "Simple", "comparison_threshold": 0.3}
    few = captured([("red,9.5", "1"), ("red,9.5", "0")])
    assert ("size", "baseline_drift_check") in analyse(tmp_path, changed(distribution_constraints=plain), few)


def test_json_is_matched_by_name(tmp_path: Path, baseline: dict[str, Any]) -> None:
    def line(request: Any, answer: Any) -> str:
        return captured([(json.dumps(request), json.dumps(answer))], "JSON")

    good = line({"size": 0.5, "colour": "red"}, {"label": 1})
    assert analyse(tmp_path, baseline, good) == []
    several = line([{"size": 0.5, "colour": "red"}, {"size": 1.5, "colour": "x"}], [{"label": 1}, {"label": 0}])
    assert analyse(tmp_path, baseline, several) == [("colour", "categorical_values_check")]
    with pytest.raises(UserError, match=r"only flattened JSON objects can be analysed and 'size' is a list"):
        analyse(tmp_path, baseline, line({"size": [1]}, {"label": 1}))
    with pytest.raises(UserError, match=r"2 rows.*1 rows|1 rows.*2 rows"):
        analyse(tmp_path, baseline, line([{"size": 1}, {"size": 2}], {"label": 1}))


def test_what_cannot_be_read_says_so(tmp_path: Path, baseline: dict[str, Any]) -> None:
    mixed = json.loads(captured([("red,0.5", "1")]))
    mixed["captureData"]["endpointOutput"]["encoding"] = "BASE64"
    with pytest.raises(UserError) as caught:
        analyse(tmp_path, baseline, json.dumps(mixed))
    assert str(caught.value).startswith(
        "Encoding mismatch: Encoding is CSV for endpointInput, but Encoding is BASE64 for endpointOutput."
    )
    with pytest.raises(UserError, match="CaptureContentTypeHeader"):
        analyse(tmp_path, baseline, captured([("AAAA", "AAAA")], "BASE64"))
    with pytest.raises(UserError, match=r"10-00-000-x.jsonl, line 2 is no JSON"):
        analyse(tmp_path, baseline, captured([("red,0.5", "1")]) + "{\n")
    with pytest.raises(UserError, match="no data"):
        analyse(tmp_path, baseline, "")
    with pytest.raises(UserError, match="No usable value for version"):
        analyse(tmp_path, {**baseline, "constraints": {"features": []}}, captured(usual(1)))


@pytest.mark.parametrize(
    ("form", "variables", "message"),
    [
        ({"parquet": {}}, {}, r"\[localcloud\] dataset_format parquet is not supported yet"),
        ({"csv": {"header": True, "output_columns_position": "END"}}, {}, "END is not supported yet"),
        (CSV, {"categorical_drift_method": "ChiSquared"}, "ChiSquared is not supported yet"),
        (CSV, {"features_attribute": "x"}, "features_attribute is not supported yet"),
        (CSV, {"analysis_type": "MODEL_QUALITY"}, "problem_type is required"),
        (CSV, {"analysis_type": "MODEL_QUALITY", "problem_type": "Ranking"}, "'Ranking' is not one of Regression"),
        (CSV, {"output_path": ""}, "output_path is required"),
    ],
)
def test_what_is_refused(form: dict[str, Any], variables: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        jobs.Job.of_environment(environment(form, **variables))


def test_only_the_window_counts(tmp_path: Path, baseline: dict[str, Any]) -> None:
    early = captured([("green,0.5", "1")], inferenceTime="2027-01-15T07:59:59Z")
    late = captured([("green,0.5", "1")], inferenceTime="2027-01-15T09:00:00Z")
    window = {"start_time": "2027-01-15T08:00:00Z", "end_time": "2027-01-15T09:00:00Z"}
    assert analyse(tmp_path, baseline, early + captured(usual()) + late, **window) == []


_BY_POSITION = """
def preprocess_handler(record):
    if "skip" in record.endpoint_input.data:
        return []
    row = (record.endpoint_output.data + "," + record.endpoint_input.data).split(",")
    return {str(number).zfill(20): value for number, value in enumerate(row)}
"""
_BY_NAME = """
def preprocess_handler(record):
    colour, size = record.endpoint_input.data.split(",")
    return [{"label": record.endpoint_output.data, "colour": colour.lower(), "size": size}]
"""


@pytest.mark.parametrize("script", [_BY_POSITION, _BY_NAME])
def test_a_preprocessing_script(tmp_path: Path, baseline: dict[str, Any], script: str) -> None:
    """It gets each exchange, whatever its encodings are, and answers with one flat object, several or none."""
    put(tmp_path, "script.py", script)
    rows = usual() if script == _BY_POSITION else [(r.upper(), a) for r, a in usual()]
    given = {"record_preprocessor_script": str(tmp_path / "script.py")}
    assert analyse(tmp_path, baseline, captured(rows, "BASE64"), **given) == []
    if script == _BY_POSITION:
        assert analyse(tmp_path, baseline, captured([*rows, ("skip", "?")]), **given) == []
    put(tmp_path, "script.py", "def other(): ...")
    with pytest.raises(UserError, match=r"script.py has no function preprocess_handler"):
        analyse(tmp_path, baseline, captured(rows), **given)


def test_metrics_for_cloudwatch(tmp_path: Path, baseline: dict[str, Any]) -> None:
    put(tmp_path, "processing/data/x.jsonl", captured([("red,0.5", "1"), (",2.5", "0")]))
    for name, content in baseline.items():
        put(tmp_path, f"processing/{name}.json", json.dumps(content))
    result = run(
        tmp_path,
        environment(
            CAPTURE,
            dataset_source="/opt/ml/processing/data",
            baseline_constraints="/opt/ml/processing/constraints.json",
            baseline_statistics="/opt/ml/processing/statistics.json",
            publish_cloudwatch_metrics="Enabled",
            sagemaker_endpoint_name="watched",
            sagemaker_monitoring_schedule_name="hourly",
            metric_time="2027-01-15T08:00:00Z",
        ),
    )
    assert result.metrics == {
        "feature_data_label": {"Maximum": 1.0, "Minimum": 0.0, "Sum": 1.0, "SampleCount": 2.0},
        "feature_non_null_label": 1.0,
        "feature_baseline_drift_label": 0.0,
        "feature_non_null_colour": 0.5,
        "feature_baseline_drift_colour": 0.0,
        "feature_data_size": {"Maximum": 2.5, "Minimum": 0.5, "Sum": 3.0, "SampleCount": 2.0},
        "feature_non_null_size": 1.0,
        "feature_baseline_drift_size": 0.0,
    }
    first = json.loads(result.text("metrics/cloudwatch/cloudwatch_metrics.jsonl").splitlines()[0])
    assert first["Timestamp"] == "2027-01-15T08:00:00Z"
    assert first["Dimensions"] == [
        {"Name": "Endpoint", "Value": "watched"},
        {"Name": "MonitoringSchedule", "Value": "hourly"},
    ]


def label(name: str, value: str) -> str:
    truth = {"data": value, "encoding": "CSV"}
    return json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": name}, "eventVersion": "0"}) + "\n"


def test_merging_labels(tmp_path: Path) -> None:
    """By inferenceId where there is one, else by eventId; what has no label is left out; the later label counts."""
    named = captured([("a", "1")], inferenceId="mine")
    put(tmp_path, f"{_FOLDER}/1.jsonl", named + captured([("b", "0"), ("c", "1"), ("d", "1")]))
    put(tmp_path, "truth/2027/01/15/08/x.jsonl", label("mine", "1") + label("event-1", "0") + label("other", "0"))
    put(tmp_path, "truth/2027/01/15/09/y.jsonl", label("event-1", "1") + label("event-0", "1"))
    assert merger.merge(tmp_path / "data", tmp_path / "truth", tmp_path / "out") == (4, 3)
    [merged] = (tmp_path / "out").rglob("*.jsonl")
    assert merged.parent == tmp_path / "out/watched/all/2027/01/15/08"
    assert merged.name.startswith("part-00000-")
    assert merged.name.endswith(".c000.jsonl")
    lines = [json.loads(line) for line in merged.read_text().splitlines()]
    found = [(line["captureData"]["endpointInput"]["data"], line["groundTruthData"]["data"]) for line in lines]
    assert found == [("a", "1"), ("b", "1"), ("c", "1")]
    put(tmp_path, "truth/2027/01/15/10/z.jsonl", '{"label": 1}\n')
    with pytest.raises(UserError, match=r"z.jsonl, line 1 is no label"):
        merger.merge(tmp_path / "data", tmp_path / "truth", tmp_path / "out")


def judge(base: Path, lines: list[dict[str, Any]], **variables: str) -> Any:
    put(base, "merged/part-00000-x.c000.jsonl", "\n".join(map(json.dumps, lines)))
    given = environment(MERGED, dataset_source=str(base / "merged"), output_path=str(base / "out"))
    quality = {"analysis_type": "MODEL_QUALITY", **variables}
    analyzer.run(jobs.Job.of_environment({**given, **quality}))
    return json.loads((base / "out/statistics.json").read_text())


def merged(answer: str, truth: str, encoding: str = "CSV") -> dict[str, Any]:
    line: dict[str, Any] = json.loads(captured([("x", answer)], encoding))
    return {**line, "groundTruthData": {"data": truth, "encoding": "CSV"}}


def test_answers_are_found_by_number_or_by_key(tmp_path: Path) -> None:
    multiclass = {"problem_type": "MulticlassClassification"}
    lines = [merged("Adelie,0.9", "Adelie"), merged("Gentoo,0.8", "Chinstrap")]
    found = judge(tmp_path, lines, inference_attribute="0", **multiclass)
    assert found["multiclass_classification_metrics"]["accuracy"]["value"] == 0.5
    assert list(found["multiclass_classification_metrics"]["confusion_matrix"]) == ["Adelie", "Chinstrap", "Gentoo"]
    answers = json.dumps([{"prediction": 7, "confidence": 0.9}, {"prediction": 10, "confidence": 0.8}])
    for attribute in ("prediction", "$.prediction"):
        found = judge(tmp_path, [merged(answers, "7.0\n1", "JSON")], inference_attribute=attribute, **multiclass)
        metrics = found["multiclass_classification_metrics"]
        assert list(metrics["confusion_matrix"]) == ["1", "7", "10"]
        assert metrics["accuracy"]["value"] == 0.5


def test_a_probability_and_its_threshold(tmp_path: Path) -> None:
    lines = [merged(f"{score}", truth) for score, truth in ((0.9, "1"), (0.4, "1"), (0.35, "0"), (0.1, "0"))]
    for threshold, recall in ((None, 0.5), ("0.38", 1.0)):
        variables = {"problem_type": "BinaryClassification", "probability_attribute": "0"}
        if threshold:
            variables["probability_threshold_attribute"] = threshold
        metrics = judge(tmp_path, lines, **variables)["binary_classification_metrics"]
        assert (metrics["recall"]["value"], metrics["auc"]["value"]) == (recall, 1.0)


@pytest.mark.parametrize(
    ("line", "variables", "message"),
    [
        (merged("1", "1"), {"inference_attribute": "3"}, "has 1 columns and no column 3"),
        (merged("1", "1"), {"inference_attribute": "prediction"}, "must be the number of a column"),
        (merged('{"a": 1}', "1", "JSON"), {"inference_attribute": "b"}, "has no 'b'; it has: a"),
        (merged("x", "1"), {"inference_attribute": "0"}, "the prediction 'x' in row 1 is not a number"),
        (merged("1\n2", "1"), {"inference_attribute": "0"}, "2 answers have 1 labels"),
        (merged("1", "1"), {}, "inference_attribute or probability_attribute is required"),
    ],
)
def test_answers_that_do_not_fit(tmp_path: Path, line: Any, variables: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        judge(tmp_path, [line], problem_type="Regression", **variables)


def test_model_quality_violations(tmp_path: Path) -> None:
    rule = {"threshold": 0.9, "comparison_operator": "LessThanThreshold"}
    constraints = {"version": 0.0, "multiclass_classification_constraints": {"accuracy": rule}}
    put(tmp_path, "constraints.json", json.dumps(constraints))
    given = {
        "problem_type": "MulticlassClassification",
        "inference_attribute": "0",
        "baseline_constraints": str(tmp_path / "constraints.json"),
    }
    judge(tmp_path, [merged("1", "1"), merged("2", "1")], **given)
    assert json.loads((tmp_path / "out/constraint_violations.json").read_text()) == {
        "violations": [
            {
                "constraint_check_type": "LessThanThreshold",
                "description": "Metric accuracy with 0.5 +/- NaN was LessThanThreshold '0.9'",
                "metric_name": "accuracy",
            }
        ]
    }
    judge(tmp_path, [merged("1", "1")], **given)
    assert json.loads((tmp_path / "out/constraint_violations.json").read_text()) == {"violations": []}
    with pytest.raises(UserError, match="No usable value for regression_constraints"):
        judge(tmp_path, [merged("1", "1")], **{**given, "problem_type": "Regression"})
