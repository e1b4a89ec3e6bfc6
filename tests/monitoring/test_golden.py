"""The portable analyzer against what AWS has published: figures of the developer guide, files and texts of real runs.

``ScottReidux/aai-540`` has such files (statistics.json, constraints.json); members and their order are from there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.monitoring.programs import CAPTURE, CSV, Run, against, analyse, environment, event, put

_QUALITY = {
    "analysis_type": "MODEL_QUALITY",
    "inference_attribute": "prediction",
    "ground_truth_attribute": "label",
}
#: the confusion matrix of the developer guide's multiclass example: (true class, answer) -> rows
_ROWS = {(0, 0): 1180, (0, 1): 510, (1, 0): 268, (1, 1): 138}
_TABLE = "prediction,label\n" + "".join(f"{told},{true}\n" * count for (true, told), count in _ROWS.items())
_NUMBER = {"type": "number"}
_KLL = {
    "type": "object",
    "required": ["buckets", "sketch"],
    "properties": {
        "buckets": {
            "type": "array",
            "minItems": 10,
            "maxItems": 10,
            "items": {
                "required": ["lower_bound", "upper_bound", "count"],
                "additionalProperties": False,
                "properties": dict.fromkeys(("lower_bound", "upper_bound", "count"), _NUMBER),
            },
        },
        "sketch": {
            "required": ["parameters", "data"],
            "properties": {"data": {"type": "array", "items": {"type": "array", "items": _NUMBER}}},
        },
    },
}
#: model-monitor-byoc-statistics.html, and what real files have besides
_STATISTICS = {
    "required": ["version", "dataset", "features"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 0.0},
        "dataset": {
            "required": ["item_count"],
            "additionalProperties": False,
            "properties": {"item_count": {"type": "integer"}},
        },
        "features": {
            "items": {
                "required": ["name", "inferred_type"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "inferred_type": {"enum": ["Integral", "Fractional", "String", "Unknown"]},
                    "numerical_statistics": {
                        "required": ["common", "mean", "sum", "std_dev", "min", "max", "distribution"],
                        "properties": {"distribution": {"properties": {"kll": _KLL}}},
                    },
                    "string_statistics": {"required": ["common", "distinct_count"]},
                },
            }
        },
    },
}
_VIOLATIONS = {
    "required": ["violations"],
    "additionalProperties": False,
    "properties": {
        "violations": {
            "items": {
                "required": ["feature_name", "constraint_check_type", "description"],
                "additionalProperties": False,
                "properties": {
                    "feature_name": {"type": "string"},
                    "description": {"type": "string"},
                    "constraint_check_type": {
                        "enum": [
                            "data_type_check",
                            "completeness_check",
                            "baseline_drift_check",
                            "missing_column_check",
                            "extra_column_check",
                            "categorical_values_check",
                        ]
                    },
                },
            }
        }
    },
}


def baseline(folder: Path, rows: str, **told: str) -> Run:
    found = analyse(folder, environment(CSV, put(folder / "data/rows.csv", rows), **told))
    assert found.code == 0, found.log
    assert found.text("message") == "Completed: Job completed successfully with no violations."
    assert found.file("constraint_violations") is None
    return found


def values(run: Run) -> dict[str, float]:
    [metrics] = [content for name, content in run.file("statistics").items() if name.endswith("_metrics")]
    return {name: each["value"] for name, each in metrics.items() if "value" in each}


def test_multiclass_figures_of_the_developer_guide(tmp_path: Path) -> None:
    found = baseline(tmp_path, _TABLE, problem_type="MulticlassClassification", **_QUALITY)
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
    assert values(found) == pytest.approx(published, rel=1e-12)
    metrics = found.file("statistics")["multiclass_classification_metrics"]
    assert metrics["confusion_matrix"] == {"0": {"0": 1180, "1": 510}, "1": {"0": 268, "1": 138}}
    # five random samples of 80 %: of AWS's deviations (0.0038 for this one) only the size can be the same
    assert 0.0038 / 5 < metrics["accuracy"]["standard_deviation"] < 0.0038 * 5


def test_regression_figures_of_the_developer_guide(tmp_path: Path) -> None:
    found = baseline(tmp_path, _TABLE, problem_type="Regression", **_QUALITY)
    published = {
        "mae": 0.3711832061068702,
        "mse": 0.3711832061068702,
        "rmse": 0.609248066149471,
        "r2": -1.3766111872212665,
    }
    assert values(found) == pytest.approx(published, rel=1e-9)


def test_binary_figures_and_curves_of_the_developer_guide(tmp_path: Path) -> None:
    found = baseline(
        tmp_path, "prediction,label\n0,0\n1,0\n1,0\n1,1\n", problem_type="BinaryClassification", **_QUALITY
    )
    assert values(found) == pytest.approx(
        {
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
        },
        rel=1e-12,
    )
    rows = "probability,prediction,label\n0.9,1,1\n0.8,1,1\n0.7,1,1\n0.6,1,1\n"
    told = {"problem_type": "BinaryClassification", "probability_attribute": "probability", **_QUALITY}
    metrics = baseline(tmp_path / "curves", rows, **told).file("statistics")["binary_classification_metrics"]
    assert metrics["receiver_operating_characteristic_curve"] == {
        "false_positive_rates": [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        "true_positive_rates": [0.0, 0.25, 0.5, 0.75, 1.0, 1.0],
    }
    assert metrics["precision_recall_curve"] == {
        "precisions": [1.0, 1.0, 1.0, 1.0, 1.0],
        "recalls": [0.0, 0.25, 0.5, 0.75, 1.0],
    }
    assert metrics["auc"] == {"value": 1.0, "standard_deviation": "NaN"}


def test_a_published_percentage_to_the_last_digit(tmp_path: Path) -> None:
    """AWS's notebook (sm-model_monitor_introduction): 7 of 1,977 values are not integral, and no drift is reported."""
    before = baseline(tmp_path / "before", "churn,calls\n" + "".join(f"{n % 2},{n % 7}\n" for n in range(2000)))
    events = [event(str(n % 7), "0.5" if n < 7 else str(n % 2)) for n in range(1977)]
    found = analyse(tmp_path, environment(CAPTURE, put(tmp_path / "data/x.jsonl", events), **against(before)))
    assert found.file("constraint_violations") == {
        "violations": [
            {
                "feature_name": "churn",
                "constraint_check_type": "data_type_check",
                "description": "Data type match requirement is not met. Expected data type: Integral, Expected match: "
                "100.0%. Observed: Only 99.64592817400101% of data is Integral.",
            }
        ]
    }
    assert found.text("message") == "CompletedWithViolations: Job completed successfully with 1 violations."
    jsonschema.validate(found.file("constraint_violations"), _VIOLATIONS)
    jsonschema.validate(found.file("statistics"), _STATISTICS)


def test_the_shape_of_real_files(tmp_path: Path) -> None:
    rows = "id,when,price,bedrooms\n" + "".join(f"id{n},x,{n}.5,{n if n % 5 else ''}\n" for n in range(5000))
    found = baseline(tmp_path, rows)
    statistics, constraints = found.file("statistics"), found.file("constraints")
    jsonschema.validate(statistics, _STATISTICS)
    assert [each["inferred_type"] for each in statistics["features"]] == ["String", "String", "Fractional", "Integral"]
    price = statistics["features"][2]["numerical_statistics"]
    assert list(price) == [
        *("common", "mean", "sum", "std_dev", "min", "max"),
        *("approximate_num_distinct_values", "completeness", "distribution"),
    ]
    assert (price["mean"], price["min"], price["max"]) == (2500.0, 0.5, 4999.5)
    assert price["approximate_num_distinct_values"] == pytest.approx(5000, rel=0.08)
    assert price["distribution"]["kll"]["sketch"]["parameters"] == {"c": 0.64, "k": 2048.0}
    assert [bucket["count"] for bucket in price["distribution"]["kll"]["buckets"]] == pytest.approx([500] * 10, abs=5)
    texts = statistics["features"][0]["string_statistics"]
    assert "distribution" not in texts and texts["distinct_count"] == pytest.approx(5000, rel=0.08)
    assert constraints["features"][1]["string_constraints"] == {"domains": ["x"]}
    assert constraints["features"][3] == {
        "name": "bedrooms",
        "inferred_type": "Integral",
        "completeness": 0.8,
        "num_constraints": {"is_non_negative": True},
    }
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


def test_the_same_files_give_the_same_results(tmp_path: Path) -> None:
    rows = "a,b\n" + "".join(f"{n * 7919 % 10007}.25,id{n * 31 % 5003}\n" for n in range(6000))
    one, two = (baseline(tmp_path / name, rows) for name in ("one", "two"))
    assert (one.folder / "out/statistics.json").read_bytes() == (two.folder / "out/statistics.json").read_bytes()


def test_a_failure_leaves_its_reason(tmp_path: Path) -> None:
    found: Any = analyse(tmp_path, {"dataset_format": json.dumps(CSV)})
    assert (found.code, found.text("message")) == (255, "")
    assert found.text("failure") == "Error: The environment variable dataset_source is required."
