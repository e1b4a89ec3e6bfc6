"""What a dashboard shows of monitors: violations, how far features are from their baseline, how many answers are right.

The distances of a run are as many metrics as the data has columns, whose names no template knows: a search finds them
(CloudWatch user guide, "CloudWatch search expression syntax").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sandcastle.config import BATCH, MonitorKind
from sandcastle.monitor_alarm import NAMESPACE, VIOLATIONS
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import REGION

HEIGHT = 6
MOST_FEATURES = 10
"""So many lines can be told apart."""

_DAY = {"start": "-P1D", "end": "P0D"}
"""Runs come by the hour: the dashboard's own time, a few hours, would show three."""

_HOUR = 3600
_DATA, _MODEL = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"
_BATCH = "aws/sagemaker/ModelMonitoring/data-metrics"
"""Facts on containers, 5.3; both engines write there. What watches transform jobs has no dimension Endpoint."""

_QUALITY = "accuracy"
"""Of binary and multiclass models alike."""


@dataclass(frozen=True)
class Watching:
    """The monitors of one workload: names of their schedules, by what people call them, and of its endpoint."""

    workload: str
    endpoint: str
    schedules: Mapping[MonitorKind, str]

    @classmethod
    def of(cls, names: WorkloadNames, kinds: Collection[MonitorKind]) -> Watching:
        """Return what shows these monitors."""
        data, model = names.schedules
        every: dict[MonitorKind, str] = {"data-quality": data, "model-quality": model, BATCH: names.batch_schedule}
        return cls(names.workload, names.endpoint, {kind: name for kind, name in every.items() if kind in kinds})

    @property
    def distances(self) -> list[MonitorKind]:
        """The monitors that measure how far features are from the baseline."""
        return [kind for kind in self.schedules if kind != "model-quality"]

    @property
    def metrics(self) -> int:
        """How many metrics the graphs refer to, distances left aside."""
        return len(self.schedules) + ("model-quality" in self.schedules)


def monitor_graphs(watching: Watching, y: int, features: int) -> list[dict[str, Any]]:
    """Return a row of graphs at this height of a dashboard, which shows the ``features`` that are farthest away."""
    graphs = [
        _graph(watching, f"{kind}, {features} farthest distances", [_farthest(watching, kind, features)])
        for kind in watching.distances
        if features
    ]
    found = [
        [NAMESPACE, VIOLATIONS, "MonitoringSchedule", name, {"label": kind}]
        for kind, name in watching.schedules.items()
    ]
    graphs.append(_graph(watching, "violations", found))
    if model := watching.schedules.get("model-quality"):
        where = ["Endpoint", watching.endpoint, "MonitoringSchedule", model]
        graphs.append(_graph(watching, "right answers", [[_MODEL, _QUALITY, *where, {"label": _QUALITY}]]))
    width = 24 // len(graphs)
    places = [{"x": width * number, "y": y, "width": width, "height": HEIGHT} for number in range(len(graphs))]
    return [{"type": "metric", **place, "properties": graph} for place, graph in zip(places, graphs, strict=True)]


def _farthest(watching: Watching, kind: MonitorKind, features: int) -> list[Any]:
    schema = f'"{_BATCH}",MonitoringSchedule' if kind == BATCH else f'"{_DATA}",Endpoint,MonitoringSchedule'
    term = f'MonitoringSchedule="{watching.schedules[kind]}" MetricName=feature_baseline_drift'
    expression = f"SORT(SEARCH('{{{schema}}} {term}', 'Maximum', {_HOUR}), MAX, DESC, {features})"
    return [{"expression": expression, "label": "${PROP('MetricName')}", "id": "farthest"}]


def _graph(watching: Watching, title: str, metrics: list[list[Any]]) -> dict[str, Any]:
    return {
        "title": f"{watching.workload}: {title}",
        "region": REGION,
        "view": "timeSeries",
        "period": _HOUR,
        "stat": "Maximum",
        "yAxis": {"left": {"min": 0}},
        "metrics": metrics,
        **_DAY,
    }
