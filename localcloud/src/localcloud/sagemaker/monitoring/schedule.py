"""The record of a monitoring schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.monitoring.analysis import Analysis, MonitoringType
from localcloud.sagemaker.monitoring.rhythm import Rhythm, Window
from localcloud.sagemaker.ports import Timer
from localcloud.sagemaker.store import Record


@dataclass(frozen=True)
class Plan:
    """A MonitoringScheduleConfig, understood."""

    config: dict[str, Any]
    analysis: Analysis
    rhythm: Rhythm
    window: Window


@dataclass(eq=False, kw_only=True)
class ScheduleRecord(Record):
    """A schedule: what it runs, and the timer of its next change or firing."""

    plan: Plan
    timer: Timer | None = None
    #: the status that Describe still shows although the deletion has begun
    stale: str | None = None

    @property
    def type(self) -> MonitoringType:
        """MonitoringType."""
        return self.plan.analysis.type

    @property
    def definition(self) -> str | None:
        """MonitoringJobDefinitionName; None for a definition inside the schedule."""
        return self.plan.config.get("MonitoringJobDefinitionName")
