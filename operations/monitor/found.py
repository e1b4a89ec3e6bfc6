"""Everything that there is to say about one run: its files, its baseline's, and the runs before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from operations.errors import OperationError
from operations.evaluation import EvaluationError, read_test_split
from operations.monitor.findings import Column, Reports, columns
from operations.monitor.marks import Mark, marks
from operations.monitor.monitors import Watched
from operations.monitor.runs import Folders, Run, folders_of, runs

TREND = 24
"""Runs of a trend: a day of hourly ones."""


@dataclass(frozen=True)
class Found:
    """One run that has judged something."""

    watched: Watched
    run: Run
    folders: Folders
    reports: Reports
    before: Sequence[tuple[Run, Reports | None]]
    """The newest runs, this one among them, the oldest first; None for one that has judged nothing."""
    labels: Mapping[str, str]
    """What the workload calls its classes, by the number that stands in the data."""

    @cached_property
    def columns(self) -> list[Column]:
        """Of a run about data: its columns, the worst first."""
        return columns(self.reports)

    @cached_property
    def marks(self) -> list[Mark]:
        """Of a run about a model: its metrics, the worst first."""
        return marks(self.reports)

    @classmethod
    def of(cls, watched: Watched, run: Run) -> Found:
        """Read it. Raises OperationError when the run's report is not in S3 any more."""
        folders = folders_of(watched, run)
        reports = read_reports(watched, folders)
        if reports is None:
            raise OperationError(f"The run of {run.moment:%Y-%m-%d %H:%M} has left no report in {folders.report}/.")
        newest = [one for one in reversed(runs(watched, run.monitor, TREND)) if one.job != run.job]
        every = [*newest, run]
        every.sort(key=lambda one: one.moment)
        before = [(one, reports if one is run else judged(watched, one)) for one in every]
        return cls(watched, run, folders, reports, before, _labels(watched))


def judged(watched: Watched, run: Run) -> Reports | None:
    """Return the files of a run; None for one that has judged nothing, or looked at nothing."""
    reports = read_reports(watched, folders_of(watched, run)) if run.analysed else None
    return reports if reports and not reports.empty else None


def read_reports(watched: Watched, folders: Folders, *, baseline: bool = True) -> Reports | None:
    """Return the files of a run, and of its baseline if asked for; None when the run has left none."""
    statistics = _read(watched, f"{folders.report}/statistics.json")
    if statistics is None:
        return None
    violations = _read(watched, f"{folders.report}/constraint_violations.json") or {}
    held_against = folders.baseline if baseline else {}
    expected = {name: _read(watched, uri) or {} for name, uri in held_against.items()}
    return Reports(
        statistics=statistics,
        violations=violations.get("violations", []),
        baseline=expected.get("statistics", {}),
        constraints=expected.get("constraints", {}),
    )


def _read(watched: Watched, uri: str) -> dict[str, Any] | None:
    """Return a JSON object from S3; None when there is no such file."""
    parts = urlsplit(uri)
    try:
        body = watched.target.client("s3").get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    try:
        document = json.loads(body)
    except ValueError as error:
        raise OperationError(f"{uri} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise OperationError(f"{uri} holds no JSON object.")
    return document


def _labels(watched: Watched) -> dict[str, str]:
    """Return the names of the classes, none where the workload's data names none."""
    try:
        about = read_test_split(watched.target.client("s3"), watched.outputs["DatasetUri"]).about
    except EvaluationError:
        return {}
    return {str(place): name for place, name in enumerate(about.classes)}
