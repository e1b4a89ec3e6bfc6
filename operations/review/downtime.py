"""What who uses a thing feels while it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from operations.review.change import Act, Change, Key

_UPDATED: Mapping[str, tuple[frozenset[str] | None, str]] = {
    "AWS::SageMaker::Endpoint": (
        frozenset({"EndpointConfigName", "DeploymentConfig"}),
        "rolls: new instances start beside the old ones, then requests go to them; no break, some minutes, and both "
        "are billed meanwhile",
    ),
    "AWS::SageMaker::NotebookInstance": (
        frozenset({"InstanceType", "VolumeSizeInGB", "RoleArn", "LifecycleConfigName", "RootAccess"}),
        "interrupted: it is stopped and started again; who works in it loses what is in memory",
    ),
    "AWS::SageMaker::Domain": (None, "running apps see it when they are started again; some settings wait for no app"),
    "AWS::SageMaker::UserProfile": (None, "running apps see it when they are started again"),
    "AWS::RDS::DBInstance": (frozenset({"DBInstanceClass", "EngineVersion"}), "interrupted: the database restarts"),
    "AWS::EC2::Instance": (frozenset({"InstanceType"}), "interrupted: it is stopped and started again"),
}
"""What an update in place does: the properties that it does it for (None: any), and what is felt."""

_NAMED: Mapping[str, str] = {
    "AWS::SageMaker::Endpoint": "who asks under the old name gets no answer when the old one is gone",
    "AWS::SageMaker::NotebookInstance": "who works in it loses it; the new one is another instance",
    "AWS::SageMaker::Domain": "every user's apps end; the new domain has another address",
    "AWS::SageMaker::UserProfile": "the user's apps end",
    "AWS::SageMaker::Space": "the space's app ends",
    "AWS::EC2::NatGateway": "connections through it break, and its address is another",
    "AWS::EC2::VPC": "everything in the network is replaced with it",
}
"""What is felt when the one that is used goes and another comes."""


def with_downtime(changes: Mapping[Key, Change]) -> dict[Key, Change]:
    """Return the changes, each with what who uses it feels."""
    return {key: replace(change, downtime=downtime(change)) for key, change in changes.items()}


def downtime(change: Change) -> str:
    """Return what is felt, in words; empty for nothing, or nothing that is known."""
    if change.act in (Act.REPLACE, Act.MOVED):
        return _NAMED.get(change.type, "")
    if change.act is Act.MAYBE:
        return f"if it is replaced: {_NAMED[change.type]}" if change.type in _NAMED else ""
    if change.act is Act.DELETE:
        return "requests to it fail from then on" if change.type == "AWS::SageMaker::Endpoint" else ""
    if change.act is Act.UPDATE and change.type in _UPDATED:
        only, words = _UPDATED[change.type]
        touched = {one.path.partition(".")[0].partition("[")[0] for one in change.properties}
        touched |= {one.rpartition(": ")[2] for one in change.because}
        return words if only is None or touched & only else ""
    return ""
