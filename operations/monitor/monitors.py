"""The monitors of a workload: which schedules there are, and what each of them does.

The endpoint is that of the workload's stack, or the one that its pipeline has put in service. Monitors are found by the
endpoint that they watch, whoever made them: schedules of Model Monitor by SageMaker, those of the portable engine by
EventBridge Scheduler, as their names begin with the endpoint's and their input says the rest. That of transform jobs is
found by the name that the workload's stack says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from operations.errors import OperationError, UsageError
from operations.outputs import model_outputs, require_endpoint
from operations.target import Target
from sandcastle.config import BATCH

Kind = Literal["DataQuality", "ModelQuality"]
WORDS: dict[Kind, str] = {"DataQuality": "data-quality", "ModelQuality": "model-quality"}
"""What people call a monitor, as the environment file does."""

_BATCH_SCHEDULE = "BatchDataQualitySchedule"
"""The output of a workload's stack that names the schedule over its transform jobs."""

_STATES = {"ENABLED": "Scheduled", "DISABLED": "Stopped"}
"""Scheduler's words, in those of Model Monitor."""


@dataclass(frozen=True)
class Monitor:
    """One schedule: its name, what it judges, when, and the definition of its jobs.

    ``call`` is what the portable engine's function is called with (``assets/functions/monitor_run.py``); such a monitor
    has no definition.
    """

    schedule: str
    kind: Kind
    endpoint: str
    rhythm: str
    status: str
    definition: str = ""
    call: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def engine(self) -> str:
        """``model-monitor`` or ``portable``."""
        return "portable" if self.call else "model-monitor"

    @property
    def batch(self) -> bool:
        """Whether it looks at transform jobs: no endpoint answers those."""
        return not self.endpoint

    @property
    def word(self) -> str:
        """``data-quality``, ``model-quality`` or ``batch-data-quality``."""
        return BATCH if self.batch else WORDS[self.kind]

    @property
    def about(self) -> str:
        """What it looks at, in words."""
        return "transform jobs" if self.batch else f"endpoint {self.endpoint}"


@dataclass(frozen=True)
class Watched:
    """What is monitored of one workload in one environment; find it with ``find``.

    ``endpoint`` is empty where transform jobs are, and no real-time endpoint.
    """

    target: Target
    environment: str
    workload: str
    endpoint: str
    outputs: dict[str, str]

    @classmethod
    def find(cls, target: Target, environment: str, workload: str) -> Watched:
        """Return it. Raises OperationError where the workload is not deployed or has nothing that is monitored."""
        outputs = model_outputs(target, environment, workload)
        if outputs.get("EndpointKind", "real-time") != "real-time" and _BATCH_SCHEDULE in outputs:
            return cls(target, environment, workload, "", outputs)
        require_endpoint(outputs, environment, workload, "real-time")
        return cls(target, environment, workload, outputs["EndpointName"], outputs)

    @property
    def has_pipeline(self) -> bool:
        """Whether a pipeline trains the workload: what a deploy trains has a fingerprint."""
        return "Fingerprint" not in self.outputs

    def monitors(self) -> list[Monitor]:
        """Return the workload's monitors, that of the endpoint's data first. Raises OperationError when it has none."""
        of_endpoint = [*self._of_service(), *self._portable()] if self.endpoint else []
        found = [*of_endpoint, *self._of_batches()]
        if not found:
            raise OperationError(
                f"Nothing monitors {self.workload} in environment {self.environment}: endpoint {self.endpoint} has no "
                "monitoring schedule. A pipeline makes them when it deploys; without one `monitors` in the environment "
                "file does (docs/monitoring.md)."
            )
        return sorted(found, key=lambda one: (one.batch, one.kind, one.schedule))

    def _of_service(self) -> Iterator[Monitor]:
        sagemaker = self.target.client("sagemaker")
        pages = sagemaker.get_paginator("list_monitoring_schedules").paginate(EndpointName=self.endpoint)
        for page in pages:
            for one in page["MonitoringScheduleSummaries"]:
                if one.get("MonitoringType") in WORDS:
                    name = one["MonitoringScheduleName"]
                    yield _monitor(sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name))

    def _portable(self) -> Iterator[Monitor]:
        scheduler = self.target.client("scheduler")
        for page in scheduler.get_paginator("list_schedules").paginate(NamePrefix=f"{self.endpoint}-"):
            for one in page["Schedules"]:
                found = scheduler.get_schedule(GroupName=one["GroupName"], Name=one["Name"])
                call = _call(found["Target"].get("Input", ""))
                if call.get("endpoint") == self.endpoint and call.get("schedule") == one["Name"]:
                    yield _called(found, call)

    def _of_batches(self) -> Iterator[Monitor]:
        """Find the monitor of transform jobs by the name that the stack says."""
        name = self.outputs.get(_BATCH_SCHEDULE)
        if name is None:
            return
        if self.outputs["MonitoringEngine"] == "model-monitor":
            sagemaker = self.target.client("sagemaker")
            yield _monitor(sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name))
            return
        scheduler = self.target.client("scheduler")
        for page in scheduler.get_paginator("list_schedules").paginate(NamePrefix=name):
            for one in page["Schedules"]:
                found = scheduler.get_schedule(GroupName=one["GroupName"], Name=one["Name"])
                if call := _call(found["Target"].get("Input", "")):
                    yield _called(found, call)

    def chosen(self, word: str | None) -> list[Monitor]:
        """Return the monitors that a person means by ``data-quality``, ``model-quality`` or nothing, which is all.

        Raises UsageError when there is no such monitor.
        """
        every = self.monitors()
        found = [one for one in every if word in (None, one.word)]
        if not found:
            there = ", ".join(sorted({one.word for one in every}))
            raise UsageError(f"--monitor {word}: {self.workload} has no such monitor. There are: {there}")
        return found

    def command(self, what: str) -> str:
        """Return what a person types to do something with these monitors: ``report``."""
        return f"sandcastle monitor {what} {self.workload} --environment {self.environment}"


def _monitor(found: dict[str, Any]) -> Monitor:
    config = found["MonitoringScheduleConfig"]
    return Monitor(
        schedule=found["MonitoringScheduleName"],
        kind=found["MonitoringType"],
        endpoint=found.get("EndpointName", ""),
        rhythm=config.get("ScheduleConfig", {}).get("ScheduleExpression", ""),
        status=found["MonitoringScheduleStatus"],
        definition=config.get("MonitoringJobDefinitionName", ""),
    )


def _called(found: dict[str, Any], call: dict[str, Any]) -> Monitor:
    judges_model = call["request"]["Environment"].get("analysis_type") == "MODEL_QUALITY"
    return Monitor(
        schedule=call["schedule"],
        kind="ModelQuality" if judges_model else "DataQuality",
        endpoint=call.get("endpoint", ""),
        rhythm=found["ScheduleExpression"],
        status=_STATES.get(found["State"], found["State"]),
        call=call,
    )


def _call(text: str) -> dict[str, Any]:
    """Return the input of a schedule; nothing where it is none of a monitor's."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "request" in found else {}
