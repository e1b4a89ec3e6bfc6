"""The analyzer against what AWS has published: the figures of the developer guide, files and texts of real runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.jobs.monitor_programs import CAPTURE, CSV, DATA, captured, environment, put, run

QUALITY = {
    "analysis_type": "MODEL_QUALITY",
    "inference_attribute": "prediction",
    "ground_truth_attribute": "label",
}
#: the confusion matrix of the developer guide's multiclass example: (true class, answer) -> rows
_ROWS = {(0, 0): 1180, (0, 1): 510, (1, 0): 268, (1, 1): 138}


def quality_csv(rows: dict[tuple[int, int], int]) -> str:
    lines = [f"{told},{true}\n" * count for (true, told), count in rows.items()]
    return "prediction,label\n" + "".join(lines)


def metrics(base: Path, problem: str, table: str, **variables: str) -> tuple[Any, Any]:
    """(metrics, constraints) of a baseline."""
    put(base, f"{DATA}/rows.csv", table)
    result = run(base, environment(CSV, problem_type=problem, **QUALITY, **variables))
    assert result.code == 0, result.log
    assert result.text("message") == "Completed: Job completed successfully with no violations."
    assert result.file("constraint_violations.json") is None
    [(_, constraints)] = [item for item in result.file("constraints.json").items() if item[0] != "version"]
    statistics = result.file("statistics.json")
    assert statistics["version"] == 0.0
    [word] = [name for name in statistics if name.endswith("_metrics")]
    return statistics[word], constraints


def test_multiclass_figures_of_the_developer_guide(tmp_path: Path) -> None:
    found, constraints = metrics(tmp_path, "MulticlassClassification", quality_csv(_ROWS))
    assert found["confusion_matrix"] == {"0": {"0": 1180, "1": 510}, "1": {"0": 268, "1": 138}}
    published = {
        "accuracy": 0.6288167938931297,
        "weighted_recall": 0.6288167938931297,
        "weighted_precision": 0.6983172269629505,
        "weighted_f0_5": 0.6803947317178771,
        "weighted_f1": 0.6571162346664904,
        "weighted_f2": 0.6384024354394601,
        "accuracy_best_constant_classifier": 0.19370229007633588,
        "weighted_recall_best_constant_classifier": 0.19370229007633588,
        "weighted_precision_best_constant_classifier": 0.03752057718081697,
        "weighted_f0_5_best_constant_classifier": 0.04473443104152011,
        "weighted_f1_best_constant_classifier": 0.06286421244683643,
        "weighted_f2_best_constant_classifier": 0.10570313141262414,
    }
    assert {name: each["value"] for name, each in found.items() if name != "confusion_matrix"} == pytest.approx(
        published, rel=1e-12
    )
    assert list(found) == ["confusion_matrix", *published]
    # five random samples of 80 %: of AWS's deviations only the size can be the same
    assert 0.0038 / 5 < found["accuracy"]["standard_deviation"] < 0.0038 * 5
    # the constraints that a published multiclass baseline has
    assert list(constraints) == [name for name in published if not name.endswith("constant_classifier")]
    assert {each["comparison_operator"] for each in constraints.values()} == {"LessThanThreshold"}
    assert constraints["weighted_precision"]["threshold"] == found["weighted_precision"]["value"]


def test_regression_figures_of_the_developer_guide(tmp_path: Path) -> None:
    found, constraints = metrics(tmp_path, "Regression", quality_csv(_ROWS))
    published = {
        "mae": 0.3711832061068702,
        "mse": 0.3711832061068702,
        "rmse": 0.609248066149471,
        "r2": -1.3766111872212665,
    }
    assert {name: each["value"] for name, each in found.items()} == pytest.approx(published, rel=1e-12)
    operators = {name: each["comparison_operator"] for name, each in constraints.items()}
    assert operators == {
        **dict.fromkeys(("mae", "mse", "rmse"), "GreaterThanThreshold"),
        "r2": "LessThanThreshold",
    }


def test_binary_figures_of_the_developer_guide(tmp_path: Path) -> None:
    found, constraints = metrics(tmp_path, "BinaryClassification", "prediction,label\n0,0\n1,0\n1,0\n1,1\n")
    assert found["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    published = {
        "recall": 1.0,
        "precision": 0.3333333333333333,
        "accuracy": 0.5,
        "recall_best_constant_classifier": 1.0,
        "precision_best_constant_classifier": 0.25,
        "accuracy_best_constant_classifier": 0.25,
        "true_positive_rate": 1.0,
        "true_negative_rate": 0.33333333333333337,
        "false_positive_rate": 0.6666666666666666,
        "false_negative_rate": 0.0,
        "f0_5": 0.3846153846153846,
        "f1": 0.5,
        "f2": 0.7142857142857143,
        "f0_5_best_constant_classifier": 0.29411764705882354,
        "f1_best_constant_classifier": 0.4,
        "f2_best_constant_classifier": 0.625,
    }
    values = {name: each for name, each in found.items() if name != "confusion_matrix"}
    assert {name: each["value"] for name, each in values.items()} == pytest.approx(published, rel=1e-12)
    assert {each["standard_deviation"] for each in values.values()} == {"NaN"}  # fewer than 200 rows
    greater = {n for n, each in constraints.items() if each["comparison_operator"] == "GreaterThanThreshold"}
    assert greater == {"false_positive_rate", "false_negative_rate"}


def test_curves_of_the_developer_guide(tmp_path: Path) -> None:
    """Its curves are those of four rows that are all positive, each with a score of its own."""
    table = "probability,prediction,label\n0.9,1,1\n0.8,1,1\n0.7,1,1\n0.6,1,1\n"
    found, constraints = metrics(tmp_path, "BinaryClassification", table, probability_attribute="probability")
    assert found["receiver_operating_characteristic_curve"] == {
        "false_positive_rates": [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        "true_positive_rates": [0.0, 0.25, 0.5, 0.75, 1.0, 1.0],
    }
    assert found["precision_recall_curve"] == {
        "precisions": [1.0, 1.0, 1.0, 1.0, 1.0],
        "recalls": [0.0, 0.25, 0.5, 0.75, 1.0],
    }
    assert found["auc"]["value"] == 1.0
    assert constraints["auc"] == {"threshold": 1.0, "comparison_operator": "LessThanThreshold"}


def test_a_published_percentage_to_the_last_digit(tmp_path: Path) -> None:
    """AWS's notebook (sm-model_monitor_introduction): 7 of 1,977 values are not integral, and no drift is reported."""
    put(tmp_path, f"{DATA}/train.csv", "churn,calls\n" + "".join(f"{n % 2},{n % 7}\n" for n in range(2000)))
    baseline = run(tmp_path, environment(CSV))
    assert baseline.code == 0, baseline.log
    for name in ("statistics", "constraints"):
        put(tmp_path, f"processing/baseline/{name}.json", json.dumps(baseline.file(f"{name}.json")))
    rows = [(str(n % 7), "0.5" if n < 7 else str(n % 2)) for n in range(1977)]
    put(tmp_path, "processing/input/endpoint/e/v/2027/01/15/08/10-00-000-x.jsonl", captured(rows))
    result = run(
        tmp_path,
        environment(
            CAPTURE,
            dataset_source="/opt/ml/processing/input/endpoint",
            baseline_constraints="/opt/ml/processing/baseline/constraints.json",
            baseline_statistics="/opt/ml/processing/baseline/statistics.json",
        ),
    )
    assert result.file("constraint_violations.json") == {
        "violations": [
            {
                "feature_name": "churn",
                "constraint_check_type": "data_type_check",
                "description": "Data type match requirement is not met. Expected data type: Integral, Expected match: "
                "100.0%. Observed: Only 99.64592817400101% of data is Integral.",
            }
        ]
    }
    assert result.text("message") == "CompletedWithViolations: Job completed successfully with 1 violations."


def test_the_shape_of_real_files(tmp_path: Path) -> None:
    """Members, their order and the generated configuration of files from real runs (RULES.md names them)."""
    table = "id,when,price,bedrooms,flag\n" + "".join(
        f"id{n},2024-10-27T17:39:31Z,{n}.5,{n if n % 5 else ''},{n % 2}\n" for n in range(200)
    )
    put(tmp_path, f"{DATA}/rows.csv", table)
    result = run(tmp_path, environment(CSV))
    constraints, statistics = result.file("constraints.json"), result.file("statistics.json")
    assert list(constraints) == ["version", "features", "monitoring_config"]
    assert constraints["features"] == [
        {"name": "id", "inferred_type": "String", "completeness": 1.0},
        {
            "name": "when",
            "inferred_type": "String",
            "completeness": 1.0,
            "string_constraints": {"domains": ["2024-10-27T17:39:31Z"]},
        },
        *(
            {
                "name": name,
                "inferred_type": kind,
                "completeness": completeness,
                "num_constraints": {"is_non_negative": True},
            }
            for name, kind, completeness in (
                ("price", "Fractional", 1.0),
                ("bedrooms", "Integral", 0.8),
                ("flag", "Integral", 1.0),
            )
        ),
    ]
    assert constraints["monitoring_config"] == {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
            "categorical_comparison_threshold": 0.1,
            "categorical_drift_method": "LInfinity",
        },
    }
    assert statistics["dataset"] == {"item_count": 200}
    price = statistics["features"][2]["numerical_statistics"]
    assert list(price) == [
        "common",
        "mean",
        "sum",
        "std_dev",
        "min",
        "max",
        "approximate_num_distinct_values",
        "completeness",
        "distribution",
    ]
    assert price["common"] == {"num_present": 200, "num_missing": 0}
    assert (price["mean"], price["sum"], price["min"], price["max"]) == (100.0, 20000.0, 0.5, 199.5)
    kll = price["distribution"]["kll"]
    assert kll["sketch"]["parameters"] == {"c": 0.64, "k": 2048.0}
    assert [bucket["count"] for bucket in kll["buckets"]] == [20.0] * 10
    assert statistics["features"][1]["string_statistics"] == {
        "common": {"num_present": 200, "num_missing": 0},
        "distinct_count": 1.0,
        "completeness": 1.0,
        "distribution": {"categorical": {"buckets": [{"value": "2024-10-27T17:39:31Z", "count": 200}]}},
    }
    # too many different values to list them
    assert "distribution" not in statistics["features"][0]["string_statistics"]
