"""Custom::SandcastleDomainSweep: what a deleted Studio domain may leave in a VPC, and what then keeps the VPC.

A home file system with its mount targets, and two security groups for NFS that refer to each other (facts on teardown,
1.1 and 1.21). SageMaker tags them with the ARN of their domain. Whatever in this VPC carries that tag of a domain that
does not exist any more is removed; what belongs to a living domain, a neighbour's say, is spared. It runs when the
stack's own domain is gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from aws import client, code_of
from botocore.exceptions import ClientError
from domain_delete import describe
from janitor import run

TAG = "ManagedByAmazonSageMakerResource"

_DOMAIN_ID = re.compile(r"\bd-[a-z0-9]{8,}\b")
"""As it stands in the tag's ARN and in the descriptions of interfaces that SageMaker makes for apps."""

_GONE = {"FileSystemNotFound", "InvalidGroup.NotFound", "InvalidPermission.NotFound", "MountTargetNotFound"}
_NOT_YET = {"DependencyViolation", "FileSystemInUse", "IncorrectFileSystemLifeCycleState"}


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. Property: ``VpcId``."""
    sweep = Sweep(client("ec2"), client("efs"), client("sagemaker"), event["ResourceProperties"]["VpcId"])
    run(event, context, sweep.turn)


class Sweep:
    """Removes from one VPC what deleted domains left there."""

    def __init__(self, ec2: Any, efs: Any, sagemaker: Any, vpc_id: str) -> None:
        """Take the clients."""
        self._ec2, self._efs, self._sagemaker = ec2, efs, sagemaker
        self._vpc_id = vpc_id

    def turn(self) -> str:
        """Take one step for everything; return what is left in words."""
        gone: dict[str, bool] = {}
        groups = [group for group in self._groups() if self._is_gone(_domain(group), gone)]
        domains = {_domain(group) for group in groups}
        left: list[str] = []
        served: set[str] = set()
        for file_system in self._file_systems(domains):
            if self._is_gone(_domain(file_system), gone):
                self._delete_file_system(file_system["FileSystemId"])
                served.add(_domain(file_system))
                left.append(f"file system {file_system['FileSystemId']}")
        for group in groups:
            if _domain(group) not in served:  # mount targets use them
                self._revoke(group)
        for group in groups:
            left.append(f"security group {group['GroupId']}")
            if _domain(group) not in served:
                _quietly(self._ec2.delete_security_group, GroupId=group["GroupId"])
        left += [f"network interface {one}" for one in self._interfaces(gone)]
        return ", ".join(left)

    def _is_gone(self, domain_id: str, known: dict[str, bool]) -> bool:
        """Say whether there is no such domain; asked once a turn."""
        if domain_id not in known:
            known[domain_id] = bool(domain_id) and describe(self._sagemaker, domain_id) is None
        return known[domain_id]

    def _groups(self) -> Iterator[dict[str, Any]]:
        """Yield SageMaker's security groups in the VPC."""
        pages = self._ec2.get_paginator("describe_security_groups").paginate(Filters=[self._here(), _tagged()])
        for page in pages:
            yield from page["SecurityGroups"]

    def _file_systems(self, domains: set[str]) -> Iterator[dict[str, Any]]:
        """Yield file systems of domains: those with a mount target in the VPC, and those of the domains given.

        A file system without any mount target is in no VPC; then only a group of the same domain tells that it is ours.
        """
        for page in self._efs.get_paginator("describe_file_systems").paginate():
            for file_system in page["FileSystems"]:
                domain = _domain(file_system)
                if domain in domains or (domain and self._is_here(file_system["FileSystemId"])):
                    yield file_system

    def _is_here(self, file_system_id: str) -> bool:
        return any(target.get("VpcId") == self._vpc_id for target in self._mount_targets(file_system_id))

    def _mount_targets(self, file_system_id: str) -> list[dict[str, Any]]:
        try:
            pages = self._efs.get_paginator("describe_mount_targets").paginate(FileSystemId=file_system_id)
            return [target for page in pages for target in page["MountTargets"]]
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            return []

    def _delete_file_system(self, file_system_id: str) -> None:
        """Delete its policy, which may forbid the rest, then its mount targets, then itself."""
        _quietly(self._efs.delete_file_system_policy, FileSystemId=file_system_id)
        targets = self._mount_targets(file_system_id)
        for target in targets:
            if target["LifeCycleState"] not in {"deleting", "deleted"}:
                _quietly(self._efs.delete_mount_target, MountTargetId=target["MountTargetId"])
        if not targets:
            _quietly(self._efs.delete_file_system, FileSystemId=file_system_id)

    def _revoke(self, group: dict[str, Any]) -> None:
        """Take all rules from the group: the two refer to each other, and neither could be deleted."""
        if group["IpPermissions"]:
            _quietly(
                self._ec2.revoke_security_group_ingress,
                GroupId=group["GroupId"],
                IpPermissions=group["IpPermissions"],
            )
        if group["IpPermissionsEgress"]:
            _quietly(
                self._ec2.revoke_security_group_egress,
                GroupId=group["GroupId"],
                IpPermissions=group["IpPermissionsEgress"],
            )

    def _interfaces(self, gone: dict[str, bool]) -> list[str]:
        """Return the interfaces that SageMaker made for a deleted domain and still has to give back."""
        pages = self._ec2.get_paginator("describe_network_interfaces").paginate(Filters=[self._here()])
        found = [one for page in pages for one in page["NetworkInterfaces"]]
        named = [(one["NetworkInterfaceId"], _id_in(one.get("Description", ""))) for one in found]
        return [interface for interface, domain in named if self._is_gone(domain, gone)]

    def _here(self) -> dict[str, Any]:
        return {"Name": "vpc-id", "Values": [self._vpc_id]}


def _tagged() -> dict[str, Any]:
    return {"Name": "tag-key", "Values": [TAG]}


def _domain(tagged: dict[str, Any]) -> str:
    """Return the id of the domain that SageMaker made this for; empty when it made it for something else."""
    return _id_in(next((tag["Value"] for tag in tagged.get("Tags", []) if tag["Key"] == TAG), ""))


def _id_in(text: str) -> str:
    return next(iter(_DOMAIN_ID.findall(text)), "")


def _quietly(call: Callable[..., Any], **parameters: Any) -> None:
    """Do what may be done already, or may not be possible yet: the next turn finds what is left."""
    try:
        call(**parameters)
    except ClientError as error:
        if code_of(error) not in _GONE | _NOT_YET:
            raise
