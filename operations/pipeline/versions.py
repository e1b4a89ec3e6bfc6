"""The versions of a workload's model in the registry: accuracy, approval, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from operations.errors import UsageError
from operations.pipeline.place import Place

PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
"""AWS's words for what somebody thinks of a version."""

WORDS = {PENDING: "waits for approval", APPROVED: "approved", REJECTED: "rejected"}
"""The same for a person."""


@dataclass(frozen=True)
class Version:
    """One version. What the pipeline noted when it registered it is empty for a version that came another way."""

    arn: str
    number: int
    approval: str
    created: datetime
    accuracy: str = ""
    candidate: str = ""
    data_version: str = ""
    execution: str = ""
    folder: str = ""

    @property
    def words(self) -> str:
        """What a person should know of it before judging it: ``version 3: accuracy 0.6213, candidate Top1``."""
        told = [f"accuracy {self.accuracy}" if self.accuracy else "of unknown accuracy"]
        told += [f"candidate {self.candidate}"] if self.candidate else []
        return f"version {self.number}: {', '.join(told)}"


def versions(place: Place) -> list[Version]:
    """Return all versions, the newest first."""
    sagemaker = place.target.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=place.group)
    found = [described(place, one["ModelPackageArn"]) for page in pages for one in page["ModelPackageSummaryList"]]
    return sorted(found, key=lambda version: -version.number)


def version_of(place: Place, number: int) -> Version:
    """Return one version. Raises UsageError, with those that there are, when it does not exist."""
    known = versions(place)
    for version in known:
        if version.number == number:
            return version
    there = ", ".join(str(version.number) for version in known) or "none yet"
    raise UsageError(
        f"{place.workload} has no version {number} in environment {place.environment}. There are: {there}."
    )


def described(place: Place, arn: str) -> Version:
    """Return the version with this ARN."""
    found = place.target.client("sagemaker").describe_model_package(ModelPackageName=arn)
    noted = found.get("CustomerMetadataProperties") or {}
    return Version(
        arn=arn,
        number=found["ModelPackageVersion"],
        approval=found["ModelApprovalStatus"],
        created=found["CreationTime"],
        accuracy=noted.get("accuracy", ""),
        candidate=noted.get("candidate", ""),
        data_version=noted.get("data_version", ""),
        execution=noted.get("execution", ""),
        folder=noted.get("folder", ""),
    )
