"""Tutorials for people: each workload's folder, and what everyone is told, as zip files in the bootstrap bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk

from sandcastle.assets import Assets
from sandcastle.code import code_asset
from sandcastle.config import Workload
from sandcastle.permissions import PARTITION

NOT_FOR_PEOPLE = ("__pycache__", "*.pyc", ".*")
"""What a workload's folder may hold that nobody wants to read."""


@dataclass(frozen=True)
class Tutorial:
    """A zip file and the folder below ``~/tutorials`` that it is for; ``digest`` changes with its content."""

    folder: str
    bucket: str
    key: str
    digest: str

    @property
    def object_arn(self) -> str:
        """The ARN of exactly this object."""
        return f"arn:{PARTITION}:s3:::{self.bucket}/{self.key}"


def tutorials(stack: cdk.Stack, assets: Assets, workloads: Sequence[Workload]) -> dict[str, Tutorial]:
    """Make the tutorials assets of the stack and return them by folder.

    ``.`` is for everyone: where one is, what one may do, what it costs. ``shared`` holds the modules that all
    workloads' code imports. Each is addressed by its content, so that a role can be given one version and no other.
    """
    folders = {".": assets.tutorials, "shared": assets.shared}
    folders |= {workload.name: workload.folder for workload in workloads}
    found = {}
    for name, folder in folders.items():
        asset = code_asset(stack, folder, NOT_FOR_PEOPLE)
        found[name] = Tutorial(name, asset.bucket, asset.key, asset.digest)
    return found
