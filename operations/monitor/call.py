"""The job of a portable monitor, as a request for a run by hand: what its function would start, over a chosen window.

The schedule's input has everything (``assets/functions/monitor_run.py``). As of Model Monitor's jobs (``definition``),
the report lies beside those of the schedule, and nothing goes into a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operations.errors import OperationError
from operations.monitor.definition import silent, source
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.windows import Window

_ROOT = "/opt/ml/processing"
_DATA, _TRUTH, _OUTPUT = f"{_ROOT}/input/endpoint", f"{_ROOT}/groundtruth", f"{_ROOT}/output"
_MOST_HOURS = 3
"""So many folders of hours are read, of more those of their days: a job has ten inputs at most, and takes no harm from
more than the window."""

QUIET = {"publish_cloudwatch_metrics": "Disabled", "SANDCASTLE_PUBLISH": "0"}
"""What keeps a job from putting metrics."""


@dataclass(frozen=True)
class Call:
    """What a portable monitor's function is called with."""

    monitor: Monitor
    baseline: str = ""
    """Of what a pipeline has put in service, the folder of the baseline; else the request has it."""

    @classmethod
    def of(cls, watched: Watched, monitor: Monitor) -> Call:
        """Ask for what the function asks for. Raises OperationError where nothing is in service to compare with."""
        if "packages" not in monitor.call:
            return cls(monitor)
        sagemaker = watched.target.client("sagemaker")
        serving = sagemaker.describe_endpoint(EndpointName=monitor.endpoint)["EndpointConfigName"]
        version = serving.removeprefix(f"{monitor.endpoint}-").partition("-")[0]
        if not version.isdecimal():
            raise OperationError(f"Endpoint {monitor.endpoint} serves {serving}, which no pipeline has put in service.")
        package = sagemaker.describe_model_package(ModelPackageName=f"{monitor.call['packages']}/{version}")
        part = "ModelQuality" if monitor.kind == "ModelQuality" else "ModelDataQuality"
        constraints = str(package["DriftCheckBaselines"][part]["Constraints"]["S3Uri"])
        return cls(monitor, constraints.rpartition("/")[0])

    @property
    def capture(self) -> str:
        """Where the endpoint's captured requests are."""
        return str(self.monitor.call["capture"])

    @property
    def variants(self) -> tuple[str, ...]:
        """The endpoint's."""
        return tuple(self.monitor.call["variants"])

    @property
    def silent(self) -> str:
        """What is the case when nothing was captured."""
        return silent(self.monitor)

    def place(self, variant: str) -> str:
        """Return the folder below which the hours of a variant are."""
        return f"{self.capture}/{self.monitor.endpoint}/{variant}"

    @property
    def truth(self) -> str | None:
        """Where labels come to, of a monitor of the model's quality."""
        return self.monitor.call["truth"] or None

    @property
    def offsets(self) -> tuple[str, str]:
        """From when until when the schedule looks, seen from when it runs; ISO 8601 durations."""
        hours, late = self.monitor.call["hours"], self.monitor.call["late"]
        return f"-PT{hours + late}H", f"-PT{late}H"

    def requests(self, name: Callable[[], str], window: Window, labels: list[datetime]) -> list[dict[str, Any]]:
        """Return the one job that there is: the analyzer itself puts labels of these hours beside the answers."""
        call, job = self.monitor.call, name()
        request = call["request"]
        base = f"{self.capture}/{call['endpoint']}"
        places = [(variant, [hour for one, hour in window.found if one == variant]) for variant in self.variants]
        data = [f"{variant}/{folder}" for variant, hours in places for folder in _folders(hours)]
        baseline = [source("baseline", f"{self.baseline}/", f"{_ROOT}/input/baseline")] if self.baseline else []
        inputs = [
            *(source(f"captured-{n}", f"{base}/{one}/", f"{_DATA}/{one}") for n, one in enumerate(data, start=1)),
            *(
                source(f"labels-{n}", f"{self.truth}/{one}/", f"{_TRUTH}/{one}")
                for n, one in enumerate(_folders(labels), start=1)
            ),
        ]
        target = f"{call['reports']}/{call['endpoint']}/{call['schedule']}/by-hand/{job}"
        output = {"S3Uri": target, "LocalPath": _OUTPUT, "S3UploadMode": "EndOfJob"}
        span = {"start_time": f"{window.begin:%Y-%m-%dT%H:%M:%SZ}", "end_time": f"{window.end:%Y-%m-%dT%H:%M:%SZ}"}
        return [
            {
                **request,
                "ProcessingJobName": job,
                "ProcessingInputs": [*request["ProcessingInputs"], *baseline, *inputs],
                "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
                "Environment": {**request["Environment"], **QUIET, **span},
            }
        ]


def _folders(hours: Sequence[datetime]) -> list[str]:
    form = "%Y/%m/%d/%H" if len(hours) <= _MOST_HOURS else "%Y/%m/%d"
    return list(dict.fromkeys(f"{hour:{form}}" for hour in hours))
