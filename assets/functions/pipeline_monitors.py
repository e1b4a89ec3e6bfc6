"""The two monitors of a pipeline's endpoint, as requests to SageMaker: data quality and model quality.

Further variables of the function:

    MONITOR_IMAGE   the image that judges, for data and models alike
    MONITOR_ROLE    the role that its jobs work as
    MONITOR_INSTANCE   the type of their instances; without it ml.m5.large
    REPORTS_URI     the folder in S3 for reports; ``ground-truth`` below it is where true labels are delivered to
    PROBLEM_TYPE    BinaryClassification or MulticlassClassification
    CONTENT_TYPE, ACCEPT   what the endpoint reads and answers
    ANSWER          where the prediction is in an answer: ``json:<key>`` or ``csv``; without it ``json:prediction`` or
                    ``csv``, whatever ACCEPT says
    THRESHOLD       binary: the score from which on a row counts as positive (0.5)
    RECORDS_SCRIPT  the address in S3 of ``assets/pipeline/monitor_records.py``, which makes of each captured exchange
                    a row of the baseline's form; without it Model Monitor reads what is captured as it is
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline_settings import LONGEST_NAME, digest, tag_list

Kind = Literal["DataQuality", "ModelQuality"]
KINDS: tuple[Kind, ...] = ("DataQuality", "ModelQuality")

HOURLY = "cron(0 * ? * * *)"

_INSTANCE, _VOLUME_GB = "ml.m5.large", 20
"""What a job of a monitor has, where nothing else is said."""

_MAX_SECONDS = 1800
"""The most that an hourly judgement of model quality may take (MonitoringStoppingCondition)."""

_PROCESSING = "/opt/ml/processing"
_LATE: dict[str, str] = {"StartTimeOffset": "-PT2H", "EndTimeOffset": "-PT1H"}
"""Model quality looks at the hour before the last one: labels come later than the requests that they belong to."""


@dataclass(frozen=True)
class Monitors:
    """How the monitors of one endpoint are to be."""

    endpoint: str
    tags: Mapping[str, str]
    image: str
    role: str
    reports: str
    problem: str
    answer: str
    threshold: float
    script: str | None = None
    instance: str = _INSTANCE

    @classmethod
    def of(cls, variables: Mapping[str, str], endpoint: str) -> Monitors:
        """Read the function's variables. Raises KeyError for one that is missing."""
        accept = variables["ACCEPT"].split(";")[0].strip()
        return cls(
            endpoint=endpoint,
            tags=json.loads(variables["TAGS"]),
            image=variables["MONITOR_IMAGE"],
            role=variables["MONITOR_ROLE"],
            reports=variables["REPORTS_URI"].rstrip("/"),
            problem=variables["PROBLEM_TYPE"],
            answer=variables.get("ANSWER") or ("csv" if accept == "text/csv" else "json:prediction"),
            threshold=float(variables.get("THRESHOLD") or 0.5),
            script=variables.get("RECORDS_SCRIPT") or None,
            instance=variables.get("MONITOR_INSTANCE") or _INSTANCE,
        )

    def schedule(self, kind: Kind) -> str:
        """Return the name of the monitor's schedule."""
        return f"{self.endpoint}-{'data' if kind == 'DataQuality' else 'quality'}"

    def definition(self, kind: Kind, baselines: Mapping[str, Any]) -> dict[str, Any]:
        """Return the request that makes the monitor's job definition; ``baselines`` are the package's.

        Its name stands for its content. Raises ValueError when the package has not the baseline that it needs.
        """
        request = {
            **self._of_kind(kind, baselines),
            f"{kind}JobOutputConfig": {
                "MonitoringOutputs": [
                    {
                        "S3Output": {
                            "S3Uri": f"{self.reports}/{_folder(kind)}",
                            "LocalPath": f"{_PROCESSING}/output",
                            "S3UploadMode": "EndOfJob",
                        }
                    }
                ]
            },
            "JobResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": self.instance, "VolumeSizeInGB": _VOLUME_GB}
            },
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "RoleArn": self.role,
            "StoppingCondition": {"MaxRuntimeInSeconds": _MAX_SECONDS},
        }
        name = f"{self.schedule(kind)[: LONGEST_NAME - 9]}-{digest(request)[:8]}"
        return {"JobDefinitionName": name, **request, "Tags": tag_list(self.tags)}

    def plan(self, kind: Kind, definition: str) -> dict[str, Any]:
        """Return what a schedule is configured with."""
        return {
            "ScheduleConfig": {"ScheduleExpression": HOURLY},
            "MonitoringJobDefinitionName": definition,
            "MonitoringType": kind,
        }

    def _of_kind(self, kind: Kind, baselines: Mapping[str, Any]) -> dict[str, Any]:
        watched = {
            "EndpointName": self.endpoint,
            "LocalPath": f"{_PROCESSING}/input/endpoint",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        }
        if kind == "DataQuality":
            return {
                "DataQualityBaselineConfig": {
                    "ConstraintsResource": {"S3Uri": _baseline(baselines, "ModelDataQuality", "Constraints")},
                    "StatisticsResource": {"S3Uri": _baseline(baselines, "ModelDataQuality", "Statistics")},
                },
                "DataQualityAppSpecification": {"ImageUri": self.image, **self._script()},
                "DataQualityJobInput": {"EndpointInput": watched},
            }
        return {
            "ModelQualityBaselineConfig": {
                "ConstraintsResource": {"S3Uri": _baseline(baselines, "ModelQuality", "Constraints")}
            },
            "ModelQualityAppSpecification": {"ImageUri": self.image, "ProblemType": self.problem},
            "ModelQualityJobInput": {
                "EndpointInput": {**watched, **self._attributes(), **_LATE},
                "GroundTruthS3Input": {"S3Uri": f"{self.reports}/ground-truth"},
            },
        }

    def _script(self) -> dict[str, Any]:
        """Return the script that makes rows of what was captured, and what it is told."""
        if self.script is None:
            return {}
        variables = {
            "SANDCASTLE_KIND": "binary" if self.problem == "BinaryClassification" else "multiclass",
            "SANDCASTLE_ANSWER": self.answer,
            "SANDCASTLE_THRESHOLD": str(self.threshold),
        }
        return {"RecordPreprocessorSourceUri": self.script, "Environment": variables}

    def _attributes(self) -> dict[str, Any]:
        """Return where in a captured answer the prediction is: a key of JSON, or the number of a CSV column."""
        place = self.answer.removeprefix("json:") if self.answer.startswith("json:") else "0"
        if self.problem == "BinaryClassification":
            return {"ProbabilityAttribute": place, "ProbabilityThresholdAttribute": self.threshold}
        return {"InferenceAttribute": place}


def is_definition_of(definition: str, schedule: str) -> bool:
    """Say whether a job definition's name is one that ``Monitors.definition`` gives to a definition of the schedule."""
    return re.fullmatch(re.escape(schedule[: LONGEST_NAME - 9]) + "-[0-9a-f]{8}", definition) is not None


def _baseline(baselines: Mapping[str, Any], part: str, file: str) -> str:
    try:
        return str(baselines[part][file]["S3Uri"])
    except KeyError:
        raise ValueError(
            f"the package has no {part}.{file} in its DriftCheckBaselines: nothing to compare with"
        ) from None


def _folder(kind: Kind) -> str:
    return "data-quality" if kind == "DataQuality" else "model-quality"
