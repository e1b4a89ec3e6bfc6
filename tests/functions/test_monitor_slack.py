"""Baselines get slack: what becomes of their constraints, whenever it is asked for, and whatever happened before."""

from __future__ import annotations

import copy
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import monitor_slack
import pytest
import slack_data
import slack_model
from botocore.exceptions import ClientError

from tests.functions.conftest import CloudFormation, Context

FOLDER = "s3://reports/bank/monitoring/baselines/f1/data"
STATISTICS, CONSTRAINTS = f"{FOLDER}/statistics.json", f"{FOLDER}/constraints.json"
KEPT = f"{FOLDER}/{monitor_slack.ORIGINAL}"


class Store:
    """Objects of S3 by address, each with its time and its metadata."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime, dict[str, str]]] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.dies_after = -1

    def put(self, address: str, content: Any) -> None:
        self.put_object(*address.removeprefix("s3://").split("/", 1), json.dumps(content).encode())

    def get(self, address: str) -> Any:
        return json.loads(self.objects[address][0])

    def list_objects_v2(self, Bucket: str, Prefix: str) -> dict[str, Any]:  # AWS's names, here and below
        found = {address.removeprefix(f"s3://{Bucket}/"): one for address, one in self.objects.items()}
        return {
            "Contents": [{"Key": key, "LastModified": one[1]} for key, one in found.items() if key.startswith(Prefix)]
        }

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        body, _, metadata = self.objects[f"s3://{Bucket}/{Key}"]
        return {"Body": io.BytesIO(body), "Metadata": metadata}

    def put_object(
        self, Bucket: str, Key: str, Body: bytes, ContentType: str = "", Metadata: dict[str, str] | None = None
    ) -> None:
        if self.dies_after == 0:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        self.dies_after -= 1
        assert ContentType in ("", "application/json")
        self.now += timedelta(seconds=1)
        self.objects[f"s3://{Bucket}/{Key}"] = (Body, self.now, Metadata or {})


def number(name: str, values: list[float], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a column's constraints and statistics."""
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    told = {"std_dev": deviation, "min": min(values), "max": max(values)}
    distribution = {"kll": {"sketch": {"data": [sorted(values)]}}}
    kind = "Integral" if all(value == int(value) for value in values) else "Fractional"
    return (
        {"name": name, "inferred_type": kind, "completeness": 1.0, **more},
        {"name": name, "numerical_statistics": {**told, "distribution": distribution}},
    )


def category(name: str, **counts: int) -> tuple[dict[str, Any], dict[str, Any]]:
    buckets = [{"value": value, "count": count} for value, count in counts.items()]
    return (
        {"name": name, "inferred_type": "String", "completeness": 1.0, "string_constraints": {"domains": [*counts]}},
        {"name": name, "string_statistics": {"distribution": {"categorical": {"buckets": buckets}}}},
    )


ROWS = 2000
COLUMNS = [
    category("answer", no=1800, yes=200),
    number("flat", [index / ROWS for index in range(ROWS)]),
    number("steep", [1000.5 if index % 50 == 0 else 0.5 for index in range(ROWS)], completeness=0.9),
    number("one", [0.0] * ROWS),
    category("usual", a=1800, b=200),
    category("rare", a=1000, b=998, c=1, d=1),
]
SUGGESTED = {"version": 0.0, "features": [one for one, _ in COLUMNS], "monitoring_config": {"kept": True}}
FOUND = {"version": 0.0, "dataset": {"item_count": ROWS}, "features": [one for _, one in COLUMNS]}


@pytest.fixture
def store() -> Store:
    made = Store()
    made.put(CONSTRAINTS, SUGGESTED)
    made.put(STATISTICS, FOUND)
    return made


def relaxed(rows: int = 1000, labelled: bool = True) -> dict[str, Any]:
    found = slack_data.relaxed(SUGGESTED, FOUND, rows, monitor_slack.RISK, labelled)
    return {one["name"]: one for one in found["features"]}


def limit(feature: dict[str, Any]) -> Any:
    found = feature.get("monitoringConfigOverrides", {}).get("distribution_constraints", {})
    return found.get("comparison_threshold", found.get("categorical_comparison_threshold"))


def test_gaps_types_and_values_get_the_slack_that_chance_takes() -> None:
    found = relaxed()
    assert 0.99 < found["flat"]["completeness"] < 1
    assert 0.8 < found["steep"]["completeness"] < 0.9
    assert [found[name]["inferred_type"] for name in ("one", "flat", "steep")] == ["Fractional"] * 3
    assert 0.98 < found["rare"]["monitoringConfigOverrides"]["domain_content_threshold"] < 0.999
    assert "domain_content_threshold" not in found["usual"].get("monitoringConfigOverrides", {})
    assert relaxed(100)["flat"]["completeness"] < found["flat"]["completeness"]


def test_a_distance_is_lower_only_where_half_a_deviation_needs_it_and_never_so_low_as_chance() -> None:
    found = relaxed()
    assert 0.02 < limit(found["flat"]) < 0.07
    assert [limit(found[name]) for name in ("steep", "one")] == [None, None]
    assert limit(found["usual"]) is not None
    assert limit(found["usual"]) < 0.1
    assert limit(found["answer"]) is None
    assert limit(relaxed(labelled=False)["answer"]) is not None
    everything = slack_data.relaxed(SUGGESTED, FOUND, 1000, monitor_slack.RISK, True)
    assert everything["monitoring_config"] == SUGGESTED["monitoring_config"]


@pytest.mark.parametrize(("columns", "emitted"), [(100, None), (101, "Disabled")])
def test_wide_data_fill_no_cloudwatch(columns: int, emitted: str | None) -> None:
    """784 pixels with three metrics each cost several times what the endpoint does."""
    wide = [number(f"pixel_{index}", [0.0, 1.0] * 100) for index in range(columns)]
    suggested = {"features": [one for one, _ in wide], "monitoring_config": {"evaluate_constraints": "Enabled"}}
    found = {"dataset": {"item_count": 200}, "features": [one for _, one in wide]}
    config = slack_data.relaxed(suggested, found, 1000, monitor_slack.RISK, labelled=True)["monitoring_config"]
    assert config.get("emit_metrics") == emitted
    assert config["evaluate_constraints"] == "Enabled"


def test_what_was_suggested_is_kept_and_nothing_is_done_twice(store: Store) -> None:
    assert monitor_slack.give_slack(store, FOLDER, 1000, True) == "for windows of 1000 rows and more"
    assert store.get(KEPT) == SUGGESTED
    assert {one["name"]: one for one in store.get(CONSTRAINTS)["features"]} == relaxed()
    before = dict(store.objects)
    assert monitor_slack.give_slack(store, FOLDER, 1000, True) == "as they are to be"
    assert store.objects == before


def test_other_rows_begin_with_what_was_suggested_again(store: Store) -> None:
    monitor_slack.give_slack(store, FOLDER, 100, True)
    monitor_slack.give_slack(store, FOLDER, 1000, True)
    assert {one["name"]: one for one in store.get(CONSTRAINTS)["features"]} == relaxed()
    assert store.get(KEPT) == SUGGESTED


def test_what_somebody_wrote_stays(store: Store) -> None:
    monitor_slack.give_slack(store, FOLDER, 1000, True)
    store.put(CONSTRAINTS, {"features": [], "mine": True})
    for rows in (1000, 200):
        assert "somebody" in monitor_slack.give_slack(store, FOLDER, rows, True)
    assert store.get(CONSTRAINTS) == {"features": [], "mine": True}


def test_a_baseline_that_was_made_anew_gets_slack_anew(store: Store) -> None:
    monitor_slack.give_slack(store, FOLDER, 1000, True)
    suggested = copy.deepcopy(SUGGESTED)
    suggested["features"] = suggested["features"][:2]
    store.put(CONSTRAINTS, suggested)
    store.put(STATISTICS, FOUND)
    monitor_slack.give_slack(store, FOLDER, 1000, True)
    assert store.get(KEPT) == suggested
    assert [one["name"] for one in store.get(CONSTRAINTS)["features"]] == ["answer", "flat"]
    assert store.get(CONSTRAINTS)["features"][1]["completeness"] < 1


@pytest.mark.parametrize("writes", [0, 1])
def test_an_interruption_at_any_write_is_made_good_by_the_next_call(store: Store, writes: int) -> None:
    store.dies_after = writes
    with pytest.raises(ClientError):
        monitor_slack.give_slack(store, FOLDER, 1000, True)
    store.dies_after = -1
    monitor_slack.give_slack(store, FOLDER, 1000, True)
    assert store.get(KEPT) == SUGGESTED
    assert {one["name"]: one for one in store.get(CONSTRAINTS)["features"]} == relaxed()


def test_without_a_baseline_it_says_so(store: Store) -> None:
    del store.objects[STATISTICS]
    with pytest.raises(FileNotFoundError, match=r"has no statistics\.json"):
        monitor_slack.give_slack(store, FOLDER, 1000, True)


def quality(matrix: dict[str, dict[str, int]], kind: str, **values: float | str) -> tuple[Any, Any]:
    worse_greater = ("false_positive_rate", "false_negative_rate")
    rules = {
        name: {
            "threshold": value,
            "comparison_operator": "GreaterThanThreshold" if name in worse_greater else "LessThanThreshold",
        }
        for name, value in values.items()
    }
    metrics = {"confusion_matrix": matrix, **{name: {"value": value} for name, value in values.items()}}
    return {"version": 0.0, f"{kind}_constraints": rules}, {f"{kind}_metrics": metrics}


def test_thresholds_of_a_model_are_below_what_it_reached_by_what_chance_takes() -> None:
    constraints, statistics = quality(
        {"0": {"0": 880, "1": 20}, "1": {"0": 50, "1": 50}},
        "binary_classification",
        accuracy=0.93, precision=50 / 70, recall=0.5, f1=0.588, auc="NaN", false_positive_rate=20 / 900,
    )  # fmt: skip
    found = slack_model.relaxed(constraints, statistics, 1000, 0.001)["binary_classification_constraints"]
    limits = {name: rule["threshold"] for name, rule in found.items()}
    assert 0.86 < limits["accuracy"] < 0.91
    assert 0.1 < limits["recall"] < 0.35, "of a hundred positive rows less is known than of a thousand"
    assert limits["precision"] < 0.6
    assert limits["f1"] < 0.5
    assert 0.03 < limits["false_positive_rate"] < 0.08
    assert limits["auc"] == "NaN"
    narrow = slack_model.relaxed(constraints, statistics, 20_000, 0.001)["binary_classification_constraints"]
    assert narrow["accuracy"]["threshold"] > limits["accuracy"]


def test_rows_that_a_window_may_lack_have_no_threshold() -> None:
    constraints, statistics = quality(
        {"0": {"0": 9990, "1": 0}, "1": {"0": 5, "1": 5}}, "binary_classification", accuracy=0.9995, recall=0.5
    )
    found = slack_model.relaxed(constraints, statistics, 1000, 0.001)["binary_classification_constraints"]
    assert found["recall"]["threshold"] == 0
    assert found["accuracy"]["threshold"] > 0.99


def test_several_classes_and_other_kinds() -> None:
    matrix = {one: {other: 30 if one == other else 1 for other in "abc"} for one in "abc"}
    constraints, statistics = quality(matrix, "multiclass_classification", accuracy=0.94, weighted_f1=0.94)
    found = slack_model.relaxed(constraints, statistics, 1000, 0.001)["multiclass_classification_constraints"]
    assert all(0.75 < rule["threshold"] < 0.9 for rule in found.values())
    with pytest.raises(slack_model.UnknownKind, match="regression_constraints"):
        slack_model.relaxed({"version": 0, "regression_constraints": {}}, {}, 1000, 0.001)


def test_a_package_of_a_pipeline_has_two_baselines(store: Store) -> None:
    folder = "s3://reports/runs/1/model-quality"
    constraints, statistics = quality(
        {"0": {"0": 90, "1": 0}, "1": {"0": 1, "1": 9}}, "binary_classification", accuracy=0.99
    )
    store.put(f"{folder}/constraints.json", constraints)
    store.put(f"{folder}/statistics.json", statistics)
    baselines = {
        "ModelDataQuality": {"Constraints": {"S3Uri": CONSTRAINTS}, "Statistics": {"S3Uri": STATISTICS}},
        "ModelQuality": {"Constraints": {"S3Uri": f"{folder}/constraints.json"}},
    }
    monitor_slack.give_slack_to_package(store, baselines, 1000)
    assert {one["name"]: one for one in store.get(CONSTRAINTS)["features"]} == relaxed()
    found = store.get(f"{folder}/constraints.json")["binary_classification_constraints"]
    assert found["accuracy"]["threshold"] < 0.99


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_as_a_custom_resource(
    store: Store, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(monitor_slack, "client", lambda _: store)
    event = cloudformation.event(kind, Baseline=FOLDER, Rows="1000", Labelled="true")
    monitor_slack.handler(event, Context())
    assert cloudformation.answers[-1]["Status"] == "SUCCESS"
    assert (KEPT in store.objects) == (kind != "Delete")


def test_a_failure_reaches_the_stack(
    store: Store, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_slack, "client", lambda _: store)
    store.objects.clear()
    event = cloudformation.event("Create", Baseline=FOLDER, Rows="1000", Labelled="true")
    monitor_slack.handler(event, Context())
    assert cloudformation.answers[-1]["Status"] == "FAILED"
    assert "has no statistics.json" in cloudformation.answers[-1]["Reason"]
