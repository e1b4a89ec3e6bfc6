"""QualityCheck steps: a processing job of Model Monitor that makes a baseline, and compares with the one before.

Which baseline is compared with and which one the step's properties lead to, by SkipCheck and RegisterNewBaseline:
[DG] pipelines-quality-clarify-baseline-lifecycle. The job is the one that the definition gives; where there is
something to compare with, it gets the old baseline as a monitoring execution does (facts containers 5.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.kinds.jobs import JobRecord
from localcloud.sagemaker.pipelines.expressions import Unresolvable
from localcloud.sagemaker.pipelines.records import ExecutionRecord, StepRun
from localcloud.sagemaker.pipelines.values import CallAs
from localcloud.sagemaker.store import WorkRecord

#: CheckType -> member of a package's DriftCheckBaselines
CHECK_TYPES: Final = {"DATA_QUALITY": "ModelDataQuality", "MODEL_QUALITY": "ModelQuality"}
#: CheckType -> the files of a baseline that the analyzer compares with
_COMPARED: Final = {"DATA_QUALITY": ("statistics", "constraints"), "MODEL_QUALITY": ("constraints",)}
#: how the exit message of a job begins that found violations (facts containers 5.3)
_VIOLATIONS: Final = "CompletedWithViolations"


@dataclass(frozen=True)
class Baseline:
    """S3 URIs."""

    statistics: str | None
    constraints: str | None

    def uris(self, files: tuple[str, ...]) -> dict[str, str]:
        """Those of these files that there are, by file."""
        found = {"statistics": self.statistics, "constraints": self.constraints}
        return {file: uri for file in files if (uri := found[file])}


class QualityChecks:
    """Turns QualityCheck steps into processing jobs."""

    def __init__(self, call: CallAs) -> None:
        """``call`` is the service's own API, used as a pipeline's role."""
        self._call = call

    def prepare(self, execution: ExecutionRecord, run: StepRun, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the job; what becomes of it is left with ``run``. Raises Unresolvable."""
        kind = asked["CheckType"]
        skip, register = bool(asked.get("SkipCheck", False)), bool(asked.get("RegisterNewBaseline", False))
        folder = _folder(asked["Arguments"], run.name)
        calculated = Baseline(f"{folder}/statistics.json", f"{folder}/constraints.json")
        previous = None
        if not (skip and register):
            previous = _supplied(asked) or self._registered(execution, kind, asked.get("ModelPackageGroupName"))
            if previous is None:
                raise Unresolvable(
                    f"no previous baseline: step {run.name} supplies none, and no approved model package of group "
                    f"{asked.get('ModelPackageGroupName')} has one for {kind}"
                )
        used = previous if previous and not register else calculated
        run.properties = {
            "CalculatedBaselineStatistics": calculated.statistics,
            "CalculatedBaselineConstraints": calculated.constraints,
            "BaselineUsedForDriftCheckStatistics": used.statistics,
            "BaselineUsedForDriftCheckConstraints": used.constraints,
        }
        metadata = {
            "CheckType": kind,
            **run.properties,
            "ModelPackageGroupName": asked.get("ModelPackageGroupName"),
            "SkipCheck": skip,
            "RegisterNewBaseline": register,
        }
        run.metadata = {"QualityCheck": metadata}
        if skip or previous is None:
            return dict(asked["Arguments"])
        run.judge = partial(_judge, run, folder, bool(asked.get("FailOnViolation", True)))
        return _comparing(asked["Arguments"], previous.uris(_COMPARED[kind]))

    def made(self, run: StepRun) -> None:
        """The job has been asked for: it is named in the step's metadata."""
        if run.metadata:
            run.metadata["QualityCheck"]["CheckJobArn"] = run.made

    def _registered(self, execution: ExecutionRecord, kind: str, group: str | None) -> Baseline | None:
        """The baseline of the latest approved package of the group. Raises Unresolvable."""
        if not group:
            return None
        asked = {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": 1,
        }
        try:
            found = self._call(execution.role_arn, "ListModelPackages", asked, execution.scope)
            packages = found["ModelPackageSummaryList"]
            if not packages:
                return None
            name = {"ModelPackageName": packages[0]["ModelPackageArn"]}
            package = self._call(execution.role_arn, "DescribeModelPackage", name, execution.scope)
        except ServiceError as refused:
            if "does not exist" in refused.message:
                return None
            raise Unresolvable(f"the baseline of model package group {group}: {refused.message}") from None
        files = package.get("DriftCheckBaselines", {}).get(CHECK_TYPES[kind], {})
        if "Constraints" not in files:
            return None
        return Baseline(files.get("Statistics", {}).get("S3Uri"), files["Constraints"]["S3Uri"])


def _folder(arguments: Mapping[str, Any], step: str) -> str:
    """Where the job leaves what it finds: its first output. Raises Unresolvable."""
    outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs") or []
    if not outputs:
        raise Unresolvable(f"step {step} has no output for its baseline")
    return str(outputs[0]["S3Output"]["S3Uri"]).rstrip("/")


def _supplied(asked: Mapping[str, Any]) -> Baseline | None:
    """What the step says itself goes before what a package has."""
    statistics, constraints = asked.get("SuppliedBaselineStatistics"), asked.get("SuppliedBaselineConstraints")
    return Baseline(statistics, constraints) if statistics or constraints else None


def _comparing(arguments: Mapping[str, Any], baseline: Mapping[str, str]) -> dict[str, Any]:
    """The job's arguments with the old baseline beside the data."""
    environment = {f"baseline_{file}": f"{_place(file)}/{PurePosixPath(uri).name}" for file, uri in baseline.items()}
    inputs = [
        {
            "InputName": f"baseline_{file}",
            "AppManaged": False,
            "S3Input": {
                "S3Uri": uri,
                "LocalPath": _place(file),
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }
        for file, uri in baseline.items()
    ]
    return {
        **arguments,
        "ProcessingInputs": [*(arguments.get("ProcessingInputs") or []), *inputs],
        "Environment": {**(arguments.get("Environment") or {}), **environment},
    }


def _place(file: str) -> str:
    """Where the job finds a file of the old baseline."""
    return f"/opt/ml/processing/baseline/{'stats' if file == 'statistics' else file}"


def _judge(run: StepRun, folder: str, fail: bool, record: WorkRecord) -> str | None:
    """Why the step fails although its job is completed: violations. None: it does not."""
    outcome = record.outcome if isinstance(record, JobRecord) else None
    message = (outcome.exit_message if outcome else None) or ""
    if not message.startswith(_VIOLATIONS) or run.metadata is None:
        return None
    report = f"{folder}/constraint_violations.json"
    run.metadata["QualityCheck"]["ViolationReport"] = report
    return f"ClientError: The quality check found violations. {message} See {report}" if fail else None
