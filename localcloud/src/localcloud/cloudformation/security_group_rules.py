"""AWS::EC2::SecurityGroupIngress and -Egress, on the EC2 API (registry schemas of 2026-10-20).

Every property but Description is create-only; a changed description replaces the rule here too.
"""

from __future__ import annotations

import secrets
from typing import Any
from xml.etree import ElementTree

from localcloud import adapter

_VERSION = "2016-11-15"
#: property -> (list of the rule in the API, member of its elements); for ingress and egress alike
_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("Groups", "GroupId"),
    "DestinationSecurityGroupId": ("Groups", "GroupId"),
}
_PLAIN = {"GroupId", "IpProtocol", "FromPort", "ToPort", "Description"}


def install() -> None:
    """Register both types."""
    for direction in ("Ingress", "Egress"):
        rules = _Rules(direction)
        peers = [name for name in _PEERS if name.startswith(("Cidr", rules.side))]
        adapter.register_cfn_type(
            f"AWS::EC2::SecurityGroup{direction}",
            create=rules.create,
            delete=rules.delete,
            replacing=(*sorted(_PLAIN), *peers),
        )


class _Rules:
    """One direction."""

    def __init__(self, direction: str) -> None:
        self.side = "Source" if direction == "Ingress" else "Destination"
        self._direction = direction
        self._known = _PLAIN | {name for name in _PEERS if name.startswith(("Cidr", self.side))}

    def create(self, _logical_id: str, props: dict[str, Any], _stack: str) -> adapter.Provisioned:
        unknown = sorted(set(props) - self._known)
        if unknown:
            raise adapter.CfnError(
                f"localcloud does not model these properties of AWS::EC2::SecurityGroup{self._direction}: "
                f"{', '.join(unknown)}"
            )
        self._call(f"AuthorizeSecurityGroup{self._direction}", props)
        identifier = f"sgr-{secrets.token_hex(8)}0"
        return identifier, {"Id": identifier}

    def delete(self, _physical_id: str, props: dict[str, Any]) -> None:
        try:
            self._call(f"RevokeSecurityGroup{self._direction}", props)
        except adapter.CfnError as error:
            if "NotFound" not in str(error):
                raise

    def _call(self, action: str, props: dict[str, Any]) -> None:
        rule = {"IpPermissions.1.IpProtocol": str(props["IpProtocol"])}
        for name in ("FromPort", "ToPort"):
            if name in props:
                rule[f"IpPermissions.1.{name}"] = str(props[name])
        for name, (group, member) in _PEERS.items():
            if name in props:
                rule[f"IpPermissions.1.{group}.1.{member}"] = str(props[name])
                if props.get("Description"):
                    rule[f"IpPermissions.1.{group}.1.Description"] = props["Description"]
        parameters = {"Action": action, "Version": _VERSION, "GroupId": props["GroupId"], **rule}
        status, reply = adapter.call_query("ec2", parameters)
        if status >= 400:
            found = {node.tag.rpartition("}")[2]: node.text for node in ElementTree.fromstring(reply).iter()}  # noqa: S314 - our own reply
            raise adapter.CfnError(
                f"{found.get('Message')} (Service: Ec2, Status Code: {status}, Error Code: {found.get('Code')})"
            )
