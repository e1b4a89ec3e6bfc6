"""CloudWatch metrics of endpoints, collected and put in batches so that an invocation does not wait for them.

Names, units and what counts: [DG] monitoring-cloudwatch; the dimension EndpointConfigName, by which an alarm looks at
the new fleet of a deployment alone: [DG] deployment-guardrails-configuration.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from localcloud.sagemaker.ports import Backend, MetricDatum, Scope

#: real seconds between batches
_INTERVAL = 0.5
#: data points in one PutMetricData ([B]: at most 1,000)
_BATCH = 500


class ServerlessUse(NamedTuple):
    """What an invocation of a serverless variant needed."""

    #: milliseconds until a server was there; 0: one was already
    setup_ms: float
    #: part of MaxConcurrency in use, 0 to 1
    concurrency: float


class Invocation(NamedTuple):
    """One request that reached a variant."""

    scope: Scope
    endpoint: str
    config: str
    variant: str
    #: instances of the variant at that time
    instances: int
    #: virtual epoch seconds
    moment: float
    #: the container's status; 0: it gave no answer
    status: int
    model_ms: float
    total_ms: float
    serverless: ServerlessUse | None = None


class InvocationMetrics:
    """Invocations, errors and latencies per variant, namespace AWS/SageMaker."""

    def __init__(self, backend: Backend, run: Callable[[Callable[[], None]], object]) -> None:
        """``run`` takes the putting off the caller's thread."""
        self._backend = backend
        self._run = run
        self._lock = threading.Lock()
        self._waiting: list[Invocation] = []
        self._timer: threading.Timer | None = None

    def record(self, invocation: Invocation) -> None:
        """Keep it for the next batch."""
        with self._lock:
            self._waiting.append(invocation)
            if self._timer is None:
                self._timer = threading.Timer(_INTERVAL, lambda: self._run(self.flush))
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Put everything that waits."""
        with self._lock:
            waiting, self._waiting, self._timer = self._waiting, [], None
        for scope in {invocation.scope for invocation in waiting}:
            data = list(_data(invocation for invocation in waiting if invocation.scope == scope))
            for start in range(0, len(data), _BATCH):
                self._backend.put_metrics(scope, data[start : start + _BATCH])


def _data(invocations: Iterable[Invocation]) -> Iterator[MetricDatum]:
    """Equal values of the same second are one data point with a count."""
    counts: Counter[tuple[str, str, float, tuple[tuple[str, str], ...], float]] = Counter()
    for one in invocations:
        plain = {"EndpointName": one.endpoint, "VariantName": one.variant}
        both = tuple(plain.items()), tuple({**plain, "EndpointConfigName": one.config}.items())
        for dimensions in both:
            for (name, unit), value in _values(one).items():
                counts[name, unit, value, dimensions, float(int(one.moment))] += 1
    for (name, unit, value, dimensions, moment), count in counts.items():
        yield MetricDatum(name, value, unit, dict(dimensions), moment, count)


def _values(one: Invocation) -> Mapping[tuple[str, str], float]:
    return {
        ("Invocations", "None"): 1.0,
        **_capacity(one),
        ("Invocation4XXErrors", "None"): float(400 <= one.status < 500),
        ("Invocation5XXErrors", "None"): float(one.status >= 500 or one.status == 0),
        ("InvocationModelErrors", "None"): float(not 200 <= one.status < 300),
        ("ModelLatency", "Microseconds"): float(round(one.model_ms * 1000)),
        ("OverheadLatency", "Microseconds"): float(round(max(0.0, one.total_ms - one.model_ms) * 1000)),
    }


def _capacity(one: Invocation) -> Mapping[tuple[str, str], float]:
    if one.serverless is None:
        # [DG] "1/numberOfInstances is sent as the value on each request"
        return {("InvocationsPerInstance", "None"): 1.0 / max(1, one.instances)}
    use = {("ServerlessConcurrentExecutionsUtilization", "Percent"): round(one.serverless.concurrency * 100, 1)}
    # [DG] serverless-endpoints-monitoring: nothing when a warm server answered
    setup = {("ModelSetupTime", "Microseconds"): round(one.serverless.setup_ms * 1000, 1)}
    return {**use, **setup} if one.serverless.setup_ms else use
