"""CloudWatch's metric alarms and data points in MiniStack, and the place of its evaluation for another one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeVar

from ministack import app
from ministack.services import cloudwatch

from localcloud.adapter.identity import account_id, region, request_scope

T = TypeVar("T")

_HOUR = 3600.0

#: members of PutMetricAlarm that MiniStack drops, and with them the meaning of the alarm
_UNSUPPORTED = ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile", "EvaluationCriteria")


@dataclass(frozen=True)
class MetricAlarm:
    """One alarm; ``members`` as in DescribeAlarms, and live: a change of state shows in it."""

    account: str
    region: str
    members: Mapping[str, Any]

    @property
    def name(self) -> str:
        """AlarmName."""
        return str(self.members["AlarmName"])

    @property
    def state(self) -> str:
        """OK, ALARM or INSUFFICIENT_DATA."""
        return str(self.members["StateValue"])


def _hourly(evict: Callable[[], None], now: Callable[[], float]) -> Callable[[], None]:
    """Forget points of more than two weeks ago once an hour (of ``now``) for each account and region.

    MiniStack looks at every point there is with every request, which stops all others for milliseconds.
    """
    done: dict[tuple[str, str], float] = {}

    def forget() -> None:
        whose, moment = (account_id(), region()), now()
        if moment - done.get(whose, -math.inf) >= _HOUR:
            done[whose] = moment
            evict()

    return forget


def take_over(put: Callable[[MetricAlarm], None], data_came: Callable[[], None], now: Callable[[], float]) -> None:
    """Evaluate alarms elsewhere: ``put`` is called with one that was made or changed, ``data_came`` after data points.

    CloudWatch's clock becomes ``now`` (epoch seconds). Both callbacks come on the event loop and must not wait.
    """
    cloudwatch._evaluate_alarm = lambda alarm: put(MetricAlarm(account_id(), region(), alarm))
    cloudwatch._evaluate_all_alarms = data_came
    cloudwatch.time = SimpleNamespace(time=now)
    cloudwatch._evict_old_metrics = _hourly(cloudwatch._evict_old_metrics, now)
    record_before = cloudwatch.record_metric

    def record_metric(*arguments: Any, **named: Any) -> None:
        record_before(*arguments, **named)
        data_came()

    cloudwatch.record_metric = record_metric
    put_before = cloudwatch._put_metric_alarm

    def put_metric_alarm(parameters: Any, document: Any, is_cbor: bool, is_json: bool = False) -> Any:
        given = [*parameters, *document]
        for member in _UNSUPPORTED:
            if any(str(name).partition(".")[0] == member for name in given):
                text = f"[localcloud] PutMetricAlarm: {member} is not supported yet"
                return cloudwatch._error("ValidationError", text, 400, use_json=is_json, use_cbor=is_cbor)
        return put_before(parameters, document, is_cbor, is_json)

    cloudwatch._put_metric_alarm = put_metric_alarm


def on_loop(work: Callable[[], T]) -> T:
    """Do something with alarms from a thread: MiniStack changes them on its event loop only."""

    async def handler(*_: Any) -> Any:
        return work()

    done: T = app.call_service_handler_sync(handler, "POST", "/", {}, b"", {})
    return done


def metric_alarms() -> Iterator[MetricAlarm]:
    """Every metric alarm of every account and region."""
    for (account, region_name, _), members in cloudwatch._alarms.all_items():
        yield MetricAlarm(account, region_name, members)


def find_alarm(account: str, region_name: str, name: str) -> MetricAlarm | None:
    """The metric alarm of this name."""
    members = cloudwatch._alarms.get_scoped(account, region_name, name)
    return None if members is None else MetricAlarm(account, region_name, members)


def composite_state(account: str, region_name: str, name: str) -> str | None:
    """The state of the composite alarm of this name."""
    members = cloudwatch._composite_alarms.get_scoped(account, region_name, name)
    return None if members is None else str(members["StateValue"])


class Points:
    """The data points of the metric that an alarm watches."""

    def __init__(self, alarm: MetricAlarm) -> None:
        members = alarm.members
        dimensions = {item["Name"]: item["Value"] for item in members.get("Dimensions") or ()}
        key = (members.get("Namespace"), members.get("MetricName"), cloudwatch._dims_key(dimensions))
        unit = members.get("Unit")
        stored = cloudwatch._metrics.get_scoped(alarm.account, alarm.region, key) or ()
        self._points = [point for point in stored if not unit or point["Unit"] == unit]
        self._statistic = members.get("ExtendedStatistic") or members.get("Statistic") or "Average"

    def value(self, start: float, end: float) -> float | None:
        """The alarm's statistic from ``start`` up to ``end``; None without data."""
        points = [point for point in self._points if start <= point["Timestamp"] < end]
        if not points:
            return None
        value = cloudwatch._stat_value(cloudwatch._calc_stats(points), self._statistic, points)
        return None if value is None else float(value)

    def since(self, start: float) -> bool:
        """Whether there is any of ``start`` or later."""
        return any(point["Timestamp"] >= start for point in self._points)


def set_state(alarm: MetricAlarm, state: str, reason: str) -> None:
    """Change an alarm's state: history, notifications of SNS, composite alarms above it. On the event loop."""
    members: dict[str, Any] = alarm.members  # type: ignore[assignment]  # MiniStack's own record
    before = alarm.state
    with request_scope(alarm.account, alarm.region):
        members["StateValue"], members["StateReason"] = state, reason
        members["StateUpdatedTimestamp"] = int(cloudwatch.time.time())
        cloudwatch._record_history(alarm.name, before, state, reason)
        cloudwatch._dispatch_alarm_actions(members, before, state, reason)
        cloudwatch._evaluate_parent_alarms(members)
