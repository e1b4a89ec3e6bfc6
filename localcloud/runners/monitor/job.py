"""What an analysis is asked to do: the environment variables of the container, understood.

The variables are those of real jobs (developer guide, model-monitor-byoc-contract-inputs.html; SDK,
model_monitor/model_monitoring.py). What this analyzer cannot do is refused by name.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_io import BASE, UserError

PROBLEMS = ("Regression", "BinaryClassification", "MulticlassClassification")
#: dataset_format's key for captured requests and answers, and for those merged with ground truth
CAPTURE, MERGED = "sagemakerCaptureJson", "sagemakerMergeJson"
_FORMATS = ("csv", "json", CAPTURE, MERGED)
#: variables that would change the result and are not understood here
_REFUSED = ("features_attribute", "exclude_features_attribute")
_REFUSED_METHOD = "ChiSquared"


@dataclass(frozen=True)
class Attributes:
    """Which column, or which key of an answer, is what (model quality)."""

    inference: str | None = None
    probability: str | None = None
    threshold: float = 0.5
    truth: str | None = None


@dataclass(frozen=True)
class Job:
    """One analysis: of which data, against which baseline, with the results where."""

    source: Path
    output: Path
    form: str
    """csv | json | sagemakerCaptureJson | sagemakerMergeJson."""
    options: Mapping[str, Any]
    """What dataset_format says of the form, such as `header`."""
    problem: str | None = None
    """ProblemType of a model quality analysis; None: data quality."""
    attributes: Attributes = field(default_factory=Attributes)
    constraints: Mapping[str, Any] | None = None
    """The baseline's constraints.json; None: this job suggests a baseline."""
    statistics: Mapping[str, Any] | None = None
    """The baseline's statistics.json."""
    drift_method: str = "LInfinity"
    """For the constraints that are suggested."""
    publish: bool = False
    """Whether to leave CloudWatch metrics."""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    metric_time: str = ""
    window: tuple[str, str] | None = None
    """start_time and end_time, `2026-01-01T15:00:00Z`: records from there, up to but not including there."""
    preprocessor: Path | None = None
    postprocessor: Path | None = None

    @classmethod
    def of_environment(cls, variables: Mapping[str, str]) -> "Job":
        """Raises UserError."""
        for name in _REFUSED:
            if variables.get(name):
                raise UserError(f"[localcloud] {name} is not supported yet")
        method = variables.get("categorical_drift_method") or "LInfinity"
        if method == _REFUSED_METHOD:
            raise UserError(f"[localcloud] categorical_drift_method {method} is not supported yet")
        form, options = _format(_required(variables, "dataset_format"))
        start, end = variables.get("start_time"), variables.get("end_time")
        return cls(
            source=place(_required(variables, "dataset_source")),
            output=place(_required(variables, "output_path")),
            form=form,
            options=options,
            problem=_problem(variables),
            attributes=_attributes(variables),
            constraints=_baseline(variables, "baseline_constraints"),
            statistics=_baseline(variables, "baseline_statistics"),
            drift_method=method,
            publish=variables.get("publish_cloudwatch_metrics") == "Enabled",
            dimensions={
                "Endpoint": variables.get("sagemaker_endpoint_name", ""),
                "MonitoringSchedule": variables.get("sagemaker_monitoring_schedule_name", ""),
            },
            metric_time=variables.get("metric_time") or end or "",
            window=(start, end) if start and end else None,
            preprocessor=_script(variables, "record_preprocessor_script"),
            postprocessor=_script(variables, "post_analytics_processor_script"),
        )


def place(path: str) -> Path:
    """Where a path of the container is: below SAGEMAKER_BASE_DIR for a job without an /opt/ml of its own."""
    inside = Path(path)
    return BASE / inside.relative_to("/opt/ml") if inside.is_relative_to("/opt/ml") else inside


def write(output: Path, name: str, content: Mapping[str, Any]) -> None:
    """One of the result files; for a person to read, but for the statistics with all their sketches."""
    output.mkdir(parents=True, exist_ok=True)
    indent = None if name == "statistics.json" else 2
    (output / name).write_text(json.dumps(content, indent=indent, allow_nan=False) + "\n")


def leads() -> bool:
    """Whether this is the first of the job's hosts: every host has all the data, and one of them does the work."""
    path = BASE / "config" / "resourceconfig.json"
    if not path.is_file():
        return True
    resources = json.loads(path.read_text())
    return bool(resources["current_host"] == resources["hosts"][0])


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name)
    if not value:
        raise UserError(f"The environment variable {name} is required.")
    return value


def _format(text: str) -> tuple[str, Mapping[str, Any]]:
    try:
        asked = json.loads(text)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or len(asked) != 1:
        raise UserError(f"dataset_format {text!r} is not a JSON object with one of {', '.join(_FORMATS)}.")
    [(form, options)] = asked.items()
    # DatasetFormat of the SDK writes `csv`, MonitoringDatasetFormat `Csv` with `Header`
    form = form[:1].lower() + form[1:]
    options = {name[:1].lower() + name[1:]: value for name, value in (options or {}).items()}
    if form not in _FORMATS:
        raise UserError(f"[localcloud] dataset_format {form} is not supported yet; use one of {', '.join(_FORMATS)}")
    if options.get("output_columns_position", "START") != "START":
        raise UserError("[localcloud] output_columns_position END is not supported yet: put the label first")
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
    if not variables.get(name):
        return None
    path = place(variables[name])
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{name} {path.name} cannot be read: {error}") from error
    if not isinstance(content, dict) or "version" not in content:
        raise UserError("No usable value for version")  # the analyzer's own words for a file of another kind
    return content


def _script(variables: Mapping[str, str], name: str) -> Path | None:
    return place(os.fspath(variables[name])) if variables.get(name) else None
