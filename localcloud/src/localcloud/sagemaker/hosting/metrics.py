"""CloudWatch metrics of endpoints, collected and put in batches so that an invocation does not wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from localcloud.sagemaker.ports import Backend, MetricDatum, Scope

#: real seconds between batches
_INTERVAL = 0.5
#: data points in one PutMetricData ([B]: at most 1,000)
_BATCH = 500


class InvocationMetrics:
    """Invocations, errors and latencies per variant, namespace AWS/SageMaker."""

    def __init__(self, backend: Backend, run: Callable[[Callable[[], None]], object]) -> None:
        """``run`` takes the putting off the caller's thread."""
        self._backend = backend
        self._run = run
        self._lock = threading.Lock()
        self._waiting: dict[Scope, list[MetricDatum]] = {}
        self._timer: threading.Timer | None = None

    def record(
        self, scope: Scope, endpoint: str, variant: str, moment: float, *, status: int, model_ms: float, total_ms: float
    ) -> None:
        """One invocation; ``status`` is the container's (0: no answer), latencies are in milliseconds."""
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        values = (
            ("Invocations", 1.0, "None"),
            ("Invocation4XXErrors", float(400 <= status < 500), "None"),
            ("Invocation5XXErrors", float(status >= 500 or status == 0), "None"),
            ("ModelLatency", model_ms * 1000, "Microseconds"),
            ("OverheadLatency", max(0.0, total_ms - model_ms) * 1000, "Microseconds"),
        )
        with self._lock:
            self._waiting.setdefault(scope, []).extend(
                MetricDatum(name, value, unit, dimensions, moment) for name, value, unit in values
            )
            if self._timer is None:
                self._timer = threading.Timer(_INTERVAL, lambda: self._run(self.flush))
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Put everything that waits."""
        with self._lock:
            waiting, self._waiting, self._timer = self._waiting, {}, None
        for scope, data in waiting.items():
            for start in range(0, len(data), _BATCH):
                self._backend.put_metrics(scope, data[start : start + _BATCH])
