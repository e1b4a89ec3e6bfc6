"""A CloudWatch dashboard of an environment: a row for each endpoint, and one for its monitors if it has any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.config import Serve
from sandcastle.dashboard_monitors import MOST_FEATURES, Watching, monitor_graphs
from sandcastle.permissions import REGION
from sandcastle.resource import Resource

_WIDTH, _HEIGHT = 6, 6
"""Of one graph, in units of a dashboard that is 24 wide: four graphs are a row."""

_SECONDS = 1_000_000
"""Microseconds, which latencies are measured in."""

MOST_METRICS = 50
"""A dashboard that refers to no more is one of the three that an account has for nothing (CloudWatch's prices)."""


@dataclass(frozen=True)
class Row:
    """What is shown of one workload: its name, and its endpoint's name and kind."""

    workload: str
    endpoint: str
    serve: Serve


class Dashboard(Construct):
    """Requests, errors, latency, and what each kind of endpoint has most reason to show: instances, starts, a queue.

    It names endpoints that may not exist, as at night: a graph without a metric is empty, and nothing fails. Monitors
    come below the endpoints, with so many features as the metrics of a free dashboard leave room for.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, rows: Sequence[Row], watching: Sequence[Watching]
    ) -> None:
        """``name`` is what a person looks for in the console; the audit knows it by its beginning."""
        super().__init__(scope, construct_id)
        graphs = [graph for number, row in enumerate(rows) for graph in _row(row, number)]
        features = _features(graphs, watching)
        for number, one in enumerate(watching, start=len(rows)):
            graphs += monitor_graphs(one, _HEIGHT * number, features)
        body = {"start": "-PT3H", "widgets": graphs}
        self.resource = Resource(
            self,
            "Resource",
            "AWS::CloudWatch::Dashboard",
            DashboardName=name,
            DashboardBody=cdk.Stack.of(self).to_json_string(body),
        )


def _features(graphs: Iterable[dict[str, Any]], watching: Sequence[Watching]) -> int:
    """Return of how many features each monitor of data may show distances, besides these graphs."""
    used = {tuple(metric[:-1]) for graph in graphs for metric in graph["properties"]["metrics"]} - {()}
    left = MOST_METRICS - len(used) - sum(one.metrics for one in watching)
    monitors = sum(len(one.distances) for one in watching)
    return max(0, min(MOST_FEATURES, left // monitors)) if monitors else 0


def _row(row: Row, number: int) -> list[dict[str, Any]]:
    graphs = [
        _graph(row, "requests", [_metric(row, "Invocations", one, "Sum") for one in row.serve.variant_names]),
        _graph(
            row,
            "errors",
            [
                _metric(row, metric, one, "Sum", label=f"{one} {label}")
                for one in row.serve.variant_names
                for metric, label in (("Invocation4XXErrors", "4xx"), ("Invocation5XXErrors", "5xx"))
            ],
        ),
        _graph(
            row,
            "seconds for an answer",
            [
                metric
                for index, one in enumerate(row.serve.variant_names)
                for metric in _seconds(row, one, "ModelLatency", f"latency{index}")
            ],
        ),
        {"serverless": _starts, "async": _queue}.get(row.serve.kind, _instances)(row),
    ]
    at = [{"x": _WIDTH * place, "y": _HEIGHT * number, "width": _WIDTH, "height": _HEIGHT} for place in range(4)]
    return [{"type": "metric", **place, "properties": graph} for place, graph in zip(at, graphs, strict=True)]


def _instances(row: Row) -> dict[str, Any]:
    """How many instances there are: requests by requests for each instance, which are SageMaker's to know."""
    metrics = []
    for index, one in enumerate(row.serve.variant_names):
        metrics += [
            [{"expression": f"all{index} / each{index}", "label": one, "id": f"instances{index}"}],
            _metric(row, "Invocations", one, "Sum", id=f"all{index}", visible=False),
            _metric(row, "InvocationsPerInstance", one, "Sum", id=f"each{index}", visible=False),
        ]
    return _graph(row, "instances, while requests come", metrics)


def _starts(row: Row) -> dict[str, Any]:
    (one,) = row.serve.variant_names
    return _graph(row, "seconds to start, where nothing ran", _seconds(row, one, "ModelSetupTime", "setup"))


def _queue(row: Row) -> dict[str, Any]:
    """These are the endpoint's, not a variant's."""
    names = ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance")
    labels = ("waiting", "waiting for each instance")
    metrics = [
        ["AWS/SageMaker", name, "EndpointName", row.endpoint, {"stat": "Average", "label": label}]
        for name, label in zip(names, labels, strict=True)
    ]
    return _graph(row, "requests that wait", metrics)


def _seconds(row: Row, variant: str, name: str, identifier: str) -> list[list[Any]]:
    """Average and the slowest hundredth, in seconds."""
    metrics = []
    for stat, label in (("Average", "average"), ("p99", "99 %")):
        key = f"{identifier}{stat.lower()}"
        metrics += [
            [{"expression": f"{key} / {_SECONDS}", "label": f"{variant} {label}", "id": f"{key}seconds"}],
            _metric(row, name, variant, stat, id=key, visible=False),
        ]
    return metrics


def _metric(row: Row, name: str, variant: str, stat: str, **settings: Any) -> list[Any]:
    where = ["EndpointName", row.endpoint, "VariantName", variant]
    return ["AWS/SageMaker", name, *where, {"stat": stat, "label": variant, **settings}]


def _graph(row: Row, title: str, metrics: list[list[Any]]) -> dict[str, Any]:
    return {
        "title": f"{row.workload}: {title}",
        "region": REGION,
        "view": "timeSeries",
        "period": 60,
        "yAxis": {"left": {"min": 0}},
        "metrics": metrics,
    }
