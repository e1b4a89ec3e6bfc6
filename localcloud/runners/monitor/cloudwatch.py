"""Metrics for CloudWatch, one JSON object in a line of a file that the service delivers.

Format: developer guide, model-monitor-byoc-cloudwatch.html; names: model-monitor-interpreting-cloudwatch.html and
model-monitor-model-quality-cw.html. The namespace is the service's.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from job import Job
from profiles import Profile
from sagemaker_io import BASE

_FOLDER = BASE / "output" / "metrics" / "cloudwatch"
Metric = dict[str, Any]


def of_data(found: Sequence[Profile], drifts: Mapping[str, float]) -> list[Metric]:
    """Values, completeness and drift of each column."""
    metrics: list[Metric] = []
    for profile in found:
        statistics = profile.statistics
        if "numerical_statistics" in profile.feature:
            summary = {
                "Maximum": statistics["max"],
                "Minimum": statistics["min"],
                "Sum": statistics["sum"],
                "SampleCount": float(statistics["common"]["num_present"]),
            }
            metrics.append({"MetricName": f"feature_data_{profile.name}", "StatisticValues": summary})
        metrics.append({"MetricName": f"feature_non_null_{profile.name}", "Value": statistics["completeness"]})
        if profile.name in drifts:
            name = f"feature_baseline_drift_{profile.name}"
            metrics.append({"MetricName": name, "Value": drifts[profile.name]})
    return metrics


def of_model(values: Mapping[str, float]) -> list[Metric]:
    """Each metric under its own name; CloudWatch knows no NaN."""
    return [{"MetricName": name, "Value": value} for name, value in values.items() if math.isfinite(value)]


def leave(job: Job, metrics: Iterable[Metric]) -> None:
    """Write them where the service looks."""
    dimensions = [{"Name": name, "Value": value} for name, value in job.dimensions.items() if value]
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "cloudwatch_metrics.jsonl").open("a") as lines:
        for metric in metrics:
            lines.write(json.dumps({**metric, "Timestamp": job.metric_time, "Dimensions": dimensions}) + "\n")
