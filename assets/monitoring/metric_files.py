"""Metrics for CloudWatch: left as the service's containers leave them, and put if nobody else does.

Format: developer guide, model-monitor-byoc-cloudwatch.html; names: model-monitor-interpreting-cloudwatch.html and
model-monitor-model-quality-cw.html. Namespaces and dimensions are those that AWS's notebook and most alarms in public
code have. One metric is ours: ``records_rejected``, so that an alarm can tell of input that cannot be read.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any, Dict, Iterable, Mapping

import kinds
from columns import Column
from settings import BASE, Settings

Metric = Dict[str, Any]
DATA, MODEL = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"
BATCH_DATA = "aws/sagemaker/ModelMonitoring/data-metrics"
"""Of data that went through transform jobs: no endpoint answered."""
_BATCH = 1000
"""PutMetricData takes so many data points a call, in at most a megabyte."""


def of_data(columns: Mapping[str, Column], rows: int, drifts: Mapping[str, float]) -> list[Metric]:
    """Return values, completeness and drift of each column."""
    metrics: list[Metric] = []
    for name, column in columns.items():
        [found] = column.statistics(rows).values()
        if column.inferred_type in kinds.NUMBERS:
            summary = {
                "Maximum": found["max"],
                "Minimum": found["min"],
                "Sum": found["sum"],
                "SampleCount": float(column.present),
            }
            metrics.append({"MetricName": f"feature_data_{name}", "StatisticValues": summary})
        metrics.append({"MetricName": f"feature_non_null_{name}", "Value": found["completeness"]})
        if name in drifts:
            metrics.append({"MetricName": f"feature_baseline_drift_{name}", "Value": drifts[name]})
    return metrics


def of_model(values: Mapping[str, float]) -> list[Metric]:
    """Return each metric under its own name; CloudWatch knows no NaN."""
    return [{"MetricName": name, "Value": value} for name, value in values.items() if math.isfinite(value)]


def of_input(rejected: int) -> list[Metric]:
    """Return how many lines could not be analysed."""
    return [{"MetricName": "records_rejected", "Value": float(rejected)}]


def leave(settings: Settings, metrics: Iterable[Metric]) -> None:
    """Write them where the service looks, and put them if that was asked for."""
    dimensions = [{"Name": name, "Value": value} for name, value in settings.dimensions.items() if value]
    found = [{**metric, "Timestamp": settings.metric_time, "Dimensions": dimensions} for metric in metrics]
    folder = BASE / "output" / "metrics" / "cloudwatch"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "cloudwatch_metrics.jsonl").open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps(metric) + "\n" for metric in found)
    if settings.put_metrics:
        _put(MODEL if settings.problem else _of_data(settings.dimensions), found)


def _of_data(about: Mapping[str, str]) -> str:
    return BATCH_DATA if about.get("MonitoringSchedule") and not about.get("Endpoint") else DATA


def _put(namespace: str, metrics: list[Metric]) -> None:
    import boto3  # half a second that only this needs

    cloudwatch = boto3.client("cloudwatch")
    for metric in metrics:
        moment = str(metric.pop("Timestamp"))
        if moment:
            metric["Timestamp"] = datetime.strptime(moment.replace("Z", "+0000"), "%Y-%m-%dT%H:%M:%S%z")
    for start in range(0, len(metrics), _BATCH):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=metrics[start : start + _BATCH])
