"""What a domain has in the caller's VPC: real file systems, security groups and interfaces of this server.

The groups are named, described, tagged and bound to each other as on AWS (facts teardown 1.1, 1.21): the inbound one
lets NFS in from the outbound one, the outbound one lets NFS out to the inbound one, so neither can be deleted before
the rules are revoked. Nothing but a sweep finds what stays: by the tag, or by the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from localcloud import adapter
from localcloud.sagemaker.ports import Home, NetworkFailed, Scope

#: the tag that SageMaker puts on what it makes for a domain; its value is the domain's ARN
MANAGED_TAG = "ManagedByAmazonSageMakerResource"
#: NFS, and what Lustre and its clients need ([R] groups of newer domains)
_PORTS = ((2049, 2049), (988, 988), (1018, 1023))
_EC2_VERSION = "2016-11-15"
_EFS = "/2015-02-01"


class LiveNetwork:
    """Implements ``ports.Network`` inside the server process."""

    def check(self, scope: Scope, vpc: str, subnets: Sequence[str]) -> None:
        """The subnets exist and are in the VPC."""
        found = _ec2(scope, "DescribeSubnets", {f"SubnetId.{n}": name for n, name in enumerate(subnets, start=1)})
        elsewhere = sorted(
            _text(item, "subnetId") for item in _items(found, "subnetSet") if _text(item, "vpcId") != vpc
        )
        if elsewhere:
            raise NetworkFailed(f"Subnet {elsewhere[0]} is not in VPC {vpc}")

    def make_groups(self, scope: Scope, domain: str, vpc: str) -> Home:
        """The two groups for NFS, bound to each other."""
        inbound = self._make_group(scope, domain, vpc, "inbound")
        outbound = self._make_group(scope, domain, vpc, "outbound")
        _ec2(scope, "AuthorizeSecurityGroupIngress", {"GroupId": inbound, **_nfs(outbound)})
        _ec2(scope, "AuthorizeSecurityGroupEgress", {"GroupId": outbound, **_nfs(inbound)})
        return Home(None, inbound, outbound)

    def make_file_system(self, scope: Scope, domain: str, home: Home) -> Home:
        """A file system for a home that has none; its creation token is the domain's id ([K])."""
        tags = [{"Key": MANAGED_TAG, "Value": scope.arn("domain", domain)}]
        made = _efs(scope, "POST", "/file-systems", {"CreationToken": domain, "Encrypted": True, "Tags": tags})
        return replace(home, file_system=made["FileSystemId"])

    def add_mount_target(self, scope: Scope, home: Home, subnet: str) -> Home:
        """Its mount target in one more subnet, behind the inbound group."""
        target = {"FileSystemId": home.file_system, "SubnetId": subnet, "SecurityGroups": [home.inbound]}
        # a file system has one mount target in a zone: a second subnet there goes without ([K])
        _efs(scope, "POST", "/mount-targets", target, passing="MountTargetConflict")
        return replace(home, subnets=(*home.subnets, subnet))

    def file_system_exists(self, scope: Scope, file_system: str) -> bool:
        """Whether somebody has deleted it meanwhile."""
        with adapter.request_scope(scope.account, scope.region):
            status, _ = adapter.call_rest(
                "elasticfilesystem", "GET", f"{_EFS}/file-systems", query={"FileSystemId": file_system}
            )
        return status < 400

    def remove_file_system(self, scope: Scope, file_system: str) -> None:
        """Its mount targets and itself."""
        found = _efs(scope, "GET", "/mount-targets", query={"FileSystemId": file_system})
        for target in found["MountTargets"]:
            _efs(scope, "DELETE", f"/mount-targets/{target['MountTargetId']}")
        _efs(scope, "DELETE", f"/file-systems/{file_system}")

    def remove_groups(self, scope: Scope, home: Home) -> None:
        """The rules that bind the two groups to each other, and the groups; one that is gone is no error."""
        for group in home.groups:
            parameters = {"Filter.1.Name": "group-id", "Filter.1.Value.1": group}
            rules = _items(_ec2(scope, "DescribeSecurityGroupRules", parameters), "securityGroupRuleSet")
            for rule in rules:
                verb = "Egress" if _text(rule, "isEgress") == "true" else "Ingress"
                identifier = _text(rule, "securityGroupRuleId")
                named = {"GroupId": group, "SecurityGroupRuleId.1": identifier}
                _ec2(scope, f"RevokeSecurityGroup{verb}", named, gone="InvalidGroup.NotFound")
        for group in home.groups:
            _ec2(scope, "DeleteSecurityGroup", {"GroupId": group}, gone="InvalidGroup.NotFound")

    def hold(self, groups: Sequence[str]) -> None:
        """From now on EC2 refuses to delete these security groups: DependencyViolation."""
        adapter.hold_groups(groups)

    def release(self, groups: Sequence[str]) -> None:
        """End a hold."""
        adapter.release_groups(groups)

    def watch_file_systems(self, deleted: Callable[[str], None]) -> None:
        """``deleted(file system id)`` is called whenever any file system was deleted, by whomever."""
        adapter.watch_file_systems(deleted)

    def _make_group(self, scope: Scope, domain: str, vpc: str, way: str) -> str:
        made = _ec2(
            scope,
            "CreateSecurityGroup",
            {
                "GroupName": f"security-group-for-{way}-nfs-{domain}",
                "GroupDescription": f"[DO NOT DELETE] Security Group that allows {way} NFS traffic for "
                f"SageMaker Notebooks Domain [{domain}]",
                "VpcId": vpc,
                "TagSpecification.1.ResourceType": "security-group",
                "TagSpecification.1.Tag.1.Key": MANAGED_TAG,
                "TagSpecification.1.Tag.1.Value": scope.arn("domain", domain),
            },
        )
        group = _text(made, "groupId")
        everywhere = {"IpPermissions.1.IpProtocol": "-1", "IpPermissions.1.IpRanges.1.CidrIp": "0.0.0.0/0"}
        _ec2(scope, "RevokeSecurityGroupEgress", {"GroupId": group, **everywhere})
        return group


def _nfs(other: str) -> dict[str, str]:
    """IpPermissions of the NFS ports from or to another group."""
    parameters: dict[str, str] = {}
    for number, (first, last) in enumerate(_PORTS, start=1):
        permission = f"IpPermissions.{number}"
        parameters |= {
            f"{permission}.IpProtocol": "tcp",
            f"{permission}.FromPort": str(first),
            f"{permission}.ToPort": str(last),
            f"{permission}.Groups.1.GroupId": other,
        }
    return parameters


def _ec2(scope: Scope, action: str, parameters: Mapping[str, str], gone: str = "") -> ElementTree.Element:
    """One EC2 call, as the service. An error of code ``gone`` is none. Raises NetworkFailed."""
    with adapter.request_scope(scope.account, scope.region):
        status, text = adapter.call_query("ec2", {"Action": action, "Version": _EC2_VERSION, **parameters})
    document = ElementTree.fromstring(text)  # noqa: S314 - written by this process
    code = _text(document, "Code")
    if status >= 400 and code != gone:
        raise NetworkFailed(f"{_text(document, 'Message')} (Service: AmazonEC2; Error Code: {code})")
    return document


def _efs(
    scope: Scope,
    method: str,
    path: str,
    payload: Mapping[str, Any] | None = None,
    query: Mapping[str, str] | None = None,
    passing: str = "",
) -> dict[str, Any]:
    """One EFS call, as the service. An error of code ``passing`` is none. Raises NetworkFailed."""
    with adapter.request_scope(scope.account, scope.region):
        status, reply = adapter.call_rest("elasticfilesystem", method, _EFS + path, payload, query)
    if status >= 400 and reply.get("ErrorCode") != passing:
        raise NetworkFailed(f"{reply.get('Message')} (Service: AmazonElasticFileSystem; {reply.get('ErrorCode')})")
    return reply


def _items(document: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """The ``item`` elements of a set."""
    found = next((element for element in document.iter() if _local(element) == name), None)
    return [] if found is None else [item for item in found if _local(item) == "item"]


def _text(document: ElementTree.Element, name: str) -> str:
    """The text of the first element of this name."""
    return next((element.text or "" for element in document.iter() if _local(element) == name), "")


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
