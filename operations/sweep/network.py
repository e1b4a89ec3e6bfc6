"""Removes what lies in a network: file systems with their mount targets, entangled security groups, interfaces."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from operations.audit.finding import Finding
from operations.sweep.turns import gone, insist
from operations.target import Target

FREE_MINUTES = 10
"""EC2 lets go of a group or an interface a minute or so after what used it went, at times later (facts, 1.21)."""


def file_system(target: Target, finding: Finding) -> None:
    """Delete a file system with all that is on it: its policy first, which may forbid the rest (facts, 1.21)."""
    client = target.client("efs")
    which = {"FileSystemId": finding.name}
    gone(lambda: str(client.delete_file_system_policy(**which) and ""))
    for point in client.describe_access_points(**which)["AccessPoints"]:
        client.delete_access_point(AccessPointId=point["AccessPointId"])

    def turn() -> str:
        mounts = client.describe_mount_targets(**which)["MountTargets"]
        for mount in mounts:
            if mount["LifeCycleState"] != "deleting":
                client.delete_mount_target(MountTargetId=mount["MountTargetId"])
        if mounts:
            return f"{len(mounts)} mount targets"
        state: str = client.describe_file_systems(**which)["FileSystems"][0]["LifeCycleState"]
        if state != "deleting":
            client.delete_file_system(**which)
        return f"it is {state}"

    insist(target, turn, 20)


def mount_target(target: Target, finding: Finding) -> None:
    """Wait for a mount target; its file system's removal has deleted it, unless that failed."""
    client = target.client("efs")
    which = {"MountTargetId": finding.name}

    def turn() -> str:
        state: str = client.describe_mount_targets(**which)["MountTargets"][0]["LifeCycleState"]
        if state != "deleting":
            client.delete_mount_target(**which)
        return f"it is {state}"

    insist(target, turn, 20)


def disentangle(target: Target, findings: Sequence[Finding]) -> None:
    """Revoke every rule of the security groups: two of Studio's name each other, so neither could go first."""
    client = target.client("ec2")
    for finding in findings:
        try:
            groups = client.describe_security_groups(GroupIds=[finding.name])["SecurityGroups"]
            for group in groups:
                if group.get("IpPermissions"):
                    client.revoke_security_group_ingress(GroupId=finding.name, IpPermissions=group["IpPermissions"])
                if group.get("IpPermissionsEgress"):
                    client.revoke_security_group_egress(
                        GroupId=finding.name, IpPermissions=group["IpPermissionsEgress"]
                    )
        except ClientError:
            continue  # whatever it is, it comes again, and is reported, when the group itself is removed


def interface(target: Target, finding: Finding) -> None:
    """Delete a network interface when it is free; one that is in use goes with what uses it."""
    client = target.client("ec2")

    def turn() -> str:
        found = client.describe_network_interfaces(NetworkInterfaceIds=[finding.name])["NetworkInterfaces"]
        if found and found[0]["Status"] == "available":
            client.delete_network_interface(NetworkInterfaceId=finding.name)
            return ""
        return f"it is {found[0]['Status']}: {found[0].get('Description', '')}" if found else ""

    insist(target, turn, FREE_MINUTES)
