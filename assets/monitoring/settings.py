"""What an analysis is asked to do: the environment variables of the container, understood.

The variables are those of Model Monitor's own jobs (developer guide, model-monitor-byoc-contract-inputs.html; SDK,
model_monitor/model_monitoring.py), and two of ours: ``ground_truth_source``, which the service's merger has, lets one
program do both; ``SANDCASTLE_PUBLISH=1`` puts metrics itself, as nobody delivers those of a plain processing job.
What this analyzer cannot do is refused by name.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping

#: /opt/ml of a container; a process without one of its own is told where its is
BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
PROBLEMS = ("Regression", "BinaryClassification", "MulticlassClassification")
CAPTURE, MERGED = "sagemakerCaptureJson", "sagemakerMergeJson"
"""dataset_format's key for captured requests and answers, and for those merged with ground truth."""
_FORMATS = ("csv", "json", CAPTURE, MERGED)
_REFUSED = ("features_attribute", "exclude_features_attribute", "post_analytics_processor_script")


class UserError(Exception):
    """Something that the caller can put right: a variable, a baseline, data of another kind."""


@dataclass(frozen=True)
class Attributes:
    """Which column, or which key of an answer, is what (model quality)."""

    inference: str | None = None
    probability: str | None = None
    threshold: float = 0.5
    truth: str | None = None


@dataclass(frozen=True)
class Settings:
    """One analysis: of which data, against which baseline, with the results where."""

    source: Path
    output: Path
    form: str
    """csv | json | sagemakerCaptureJson | sagemakerMergeJson."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What dataset_format says of the form, such as ``header``."""
    truth: Path | None = None
    """Where labels are, to be merged with what was captured; None: they are merged, or none are needed."""
    problem: str | None = None
    """Problem type of a model quality analysis; None: data quality."""
    attributes: Attributes = field(default_factory=Attributes)
    constraints: Mapping[str, Any] | None = None
    """The baseline's constraints.json; None: this analysis makes a baseline."""
    statistics: Mapping[str, Any] | None = None
    """The baseline's statistics.json."""
    publish: bool = False
    """Whether to leave CloudWatch metrics."""
    put_metrics: bool = False
    """Whether to put them, too."""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    metric_time: str = ""
    window: tuple[str, str] | None = None
    """start_time and end_time, ``2026-01-01T15:00:00Z``: events from there, up to but not including there."""
    preprocessor: Path | None = None

    @property
    def captured(self) -> bool:
        """Whether the data is captured traffic, merged or not."""
        return self.form in (CAPTURE, MERGED)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Settings:
        """Read the variables and the baseline. Raises UserError."""
        for name in _REFUSED:
            if variables.get(name):
                raise UserError(f"{name} is not supported by the portable analyzer")
        method = variables.get("categorical_drift_method") or "LInfinity"
        if method != "LInfinity":
            raise UserError(f"categorical_drift_method {method} is not supported by the portable analyzer")
        form, options = _format(_required(variables, "dataset_format"))
        start, end = variables.get("start_time"), variables.get("end_time")
        found = cls(
            source=place(_required(variables, "dataset_source")),
            output=place(_required(variables, "output_path")),
            form=form,
            options=options,
            truth=_place(variables, "ground_truth_source"),
            problem=_problem(variables),
            attributes=_attributes(variables),
            constraints=_baseline(variables, "baseline_constraints"),
            statistics=_baseline(variables, "baseline_statistics"),
            publish=variables.get("publish_cloudwatch_metrics") == "Enabled",
            put_metrics=variables.get("SANDCASTLE_PUBLISH") == "1",
            dimensions={
                "Endpoint": variables.get("sagemaker_endpoint_name", ""),
                "MonitoringSchedule": variables.get("sagemaker_monitoring_schedule_name", ""),
            },
            metric_time=variables.get("metric_time") or end or "",
            window=(start, end) if start and end else None,
            preprocessor=_place(variables, "record_preprocessor_script"),
        )
        found._check()
        return found

    def _check(self) -> None:
        if self.preprocessor and not self.captured:
            raise UserError("record_preprocessor_script needs captured traffic; this analyzer runs it on nothing else")
        if self.truth and not self.captured:
            raise UserError(f"ground_truth_source belongs to captured traffic and dataset_format is {self.form}")
        if not self.problem:
            return
        if self.attributes.inference is None and self.attributes.probability is None:
            raise UserError("inference_attribute or probability_attribute is required.")
        if self.form == CAPTURE and self.truth is None:
            raise UserError(f"dataset_format {CAPTURE} has no labels: ground_truth_source is required")
        if not self.captured and self.attributes.truth is None:
            raise UserError("The environment variable ground_truth_attribute is required.")
        binary = self.problem == "BinaryClassification"
        if not binary and self.attributes.inference is None:
            raise UserError(f"inference_attribute is required for {self.problem} by the portable analyzer")


def place(path: str) -> Path:
    """Return where a path of the container is, below SAGEMAKER_BASE_DIR for a job without an /opt/ml of its own."""
    inside = Path(path)
    try:
        return BASE / inside.relative_to("/opt/ml")
    except ValueError:
        return inside


def leads() -> bool:
    """Return whether this is the first of the job's hosts: every host has all data, and one of them does the work."""
    path = BASE / "config" / "resourceconfig.json"
    if not path.is_file():
        return True
    resources = json.loads(path.read_text(encoding="utf-8"))
    return bool(resources["current_host"] == resources["hosts"][0])


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name)
    if not value:
        raise UserError(f"The environment variable {name} is required.")
    return value


def _place(variables: Mapping[str, str], name: str) -> Path | None:
    return place(variables[name]) if variables.get(name) else None


def _format(text: str) -> tuple[str, Mapping[str, Any]]:
    try:
        asked = json.loads(text)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or len(asked) != 1:
        raise UserError(f"dataset_format {text!r} is not a JSON object with one of {', '.join(_FORMATS)}.")
    [(form, options)] = asked.items()
    # DatasetFormat of the SDK writes `csv`, MonitoringDatasetFormat of the service `Csv` with `Header`
    form = form[:1].lower() + form[1:]
    options = {name[:1].lower() + name[1:]: value for name, value in (options or {}).items()}
    if form not in _FORMATS:
        raise UserError(f"dataset_format {form} is not supported by the portable analyzer; use {', '.join(_FORMATS)}")
    if options.get("output_columns_position", "START") != "START":
        raise UserError("output_columns_position END is not supported by the portable analyzer: put the label first")
    return form, options


def _problem(variables: Mapping[str, str]) -> str | None:
    if variables.get("analysis_type") != "MODEL_QUALITY":
        return None
    problem = _required(variables, "problem_type")
    if problem not in PROBLEMS:
        raise UserError(f"problem_type {problem!r} is not one of {', '.join(PROBLEMS)}.")
    return problem


def _attributes(variables: Mapping[str, str]) -> Attributes:
    threshold = variables.get("probability_threshold_attribute") or "0.5"
    try:
        number = float(threshold)
    except ValueError:
        raise UserError(f"probability_threshold_attribute {threshold!r} is not a number.") from None
    return Attributes(
        variables.get("inference_attribute") or None,
        variables.get("probability_attribute") or None,
        number,
        variables.get("ground_truth_attribute") or None,
    )


def _baseline(variables: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
    path = _place(variables, name)
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{name} {path.name} cannot be read: {error}") from error
    if not isinstance(content, dict) or "version" not in content:
        raise UserError("No usable value for version")  # Model Monitor's own words for a file of another kind
    return content
