"""A workload's pipeline in one line: what ran last, which version serves, and which waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from operations.pipeline.place import Place
from operations.pipeline.versions import APPROVED, PENDING, versions
from operations.words import count


@dataclass(frozen=True)
class LastRun:
    """The newest execution, empty where there was none; the version that serves; the versions that wait."""

    execution: str
    status: str
    serves: int | None
    waiting: tuple[int, ...]

    @property
    def words(self) -> str:
        """The same for a person: ``pipeline: 4f1c... Succeeded, version 3 serves``."""
        if not self.execution:
            return "pipeline: never run"
        told = [f"pipeline: {self.execution} {self.status}"]
        told += [f"version {self.serves} serves"] if self.serves else []
        told += [f"{count(len(self.waiting), 'version')} to approve"] if self.waiting else []
        return ", ".join(told)


def last_run(place: Place) -> LastRun:
    """Return what there is to say."""
    arn, served = place.newest(*place.pipelines.values()), place.serving()
    status = ""
    if arn:
        described = place.target.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
        status = described["PipelineExecutionStatus"]
    waiting = tuple(version.number for version in versions(place) if version.approval == PENDING)
    return LastRun(arn.rpartition("/")[2] if arn else "", status, served.version if served else None, waiting)


def without_endpoint(place: Place) -> str:
    """Return why there is no endpoint, and what to do: nothing was registered, approved, or it was deleted."""
    known = versions(place)
    has = f"{place.workload} has a pipeline in environment {place.environment}"
    for version in known:
        if version.approval == APPROVED:
            again = place.command(f"approve {version.number}")
            return f"{has} and no endpoint now. Version {version.number} is approved; deploy it with: {again}"
    for version in known:
        if version.approval == PENDING:
            approve = place.command(f"approve {version.number}")
            return f"{has} and no endpoint yet. Version {version.number} waits for approval: {approve}"
    return f"{has} and no endpoint yet. Train, judge and deploy a model with: {place.command('run')}"
