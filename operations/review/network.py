"""What changes in the network: who can reach what, by which way, and who is let in from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.review.assembly import Assembly, Resource
from operations.review.change import Act, Change, Concern, Key
from operations.review.values import listed, plain

ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})

_WAYS: Mapping[str, str] = {
    "AWS::EC2::NatGateway": "NAT gateway, through which private subnets reach the internet",
    "AWS::EC2::InternetGateway": "internet gateway",
    "AWS::EC2::EgressOnlyInternetGateway": "way out to the internet by IPv6",
    "AWS::EC2::VPCEndpoint": "VPC endpoint",
    "AWS::EC2::VPCPeeringConnection": "peering with another network",
    "AWS::EC2::TransitGatewayAttachment": "attachment to a transit gateway",
    "AWS::EC2::VPNGateway": "VPN gateway",
    "AWS::EC2::Route": "route",
    "AWS::EC2::VPC": "network",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::NetworkAclEntry": "rule of a network ACL",
    "AWS::EC2::EIP": "public address",
}

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "DirectInternetAccess": {"Enabled": "reaches the internet directly", "Disabled": "no direct way to the internet"},
    "AppNetworkAccessType": {
        "PublicInternetOnly": "apps reach the internet through SageMaker's network",
        "VpcOnly": "apps only through the VPC",
    },
    "EnableNetworkIsolation": {
        "True": "its container reaches no network",
        "False": "its container reaches the network",
    },
    "MapPublicIpOnLaunch": {"True": "what starts in it gets a public address", "False": "no public addresses"},
    "PubliclyAccessible": {"True": "reachable from the internet", "False": "not reachable from the internet"},
    "VpcConfig": {},
    "SecurityGroupIds": {},
    "SecurityGroups": {},
    "SubnetIds": {},
}
"""Properties that decide about a resource's network, with what their values mean."""

_GROUPS = ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")


@dataclass(frozen=True)
class NetworkChange:
    """One change of the network, in words."""

    stack: str
    path: str
    words: str


@dataclass(frozen=True)
class _Rule:
    """What a security group lets in or out."""

    direction: str
    protocol: str
    ports: str
    peer: str

    @property
    def words(self) -> str:
        way = "from" if self.direction == "in" else "to"
        return f"{self.direction}: {self.protocol} {self.ports} {way} {self.peer}".replace("  ", " ")

    @property
    def open(self) -> bool:
        return self.direction == "in" and self.peer in ANYWHERE


def network_changes(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> list[NetworkChange]:
    """Return what changes in the network, in the order of stacks and ids."""
    found = []
    for change in changes.values():
        old, new = _old(change, base), _new(change, head)
        found += [NetworkChange(change.stack, change.path, words) for words in _told(change, old, new)]
    return found


def network_concerns(changes: Mapping[Key, Change], base: Assembly, head: Assembly) -> Iterator[Concern]:
    """Yield what is open to the whole internet now and was not."""
    for change in changes.values():
        old, new = _old(change, base), _new(change, head)
        if new is None:
            continue
        before, after = set(_rules(old)), set(_rules(new))
        for rule in sorted(after - before, key=str):
            if rule.open:
                yield Concern("network-open", new.stack, new.path, f"open to the internet: {rule.words}", blocks=True)
        public = new.properties.get("PubliclyAccessible") in (True, "true")
        if public and not (old and old.properties.get("PubliclyAccessible") in (True, "true")):
            yield Concern("network-open", new.stack, new.path, "reachable from the internet", blocks=True)


def _old(change: Change, base: Assembly) -> Resource | None:
    stack, logical_id = change.moved_from or change.key
    return base.stacks[stack].resources.get(logical_id) if stack in base.stacks else None


def _new(change: Change, head: Assembly) -> Resource | None:
    return head.stacks[change.stack].resources.get(change.logical_id) if change.stack in head.stacks else None


def _told(change: Change, old: Resource | None, new: Resource | None) -> Iterator[str]:
    if change.type in _GROUPS:
        before, after = set(_rules(old)), set(_rules(new))
        yield from (f"allows {one.words}" for one in sorted(after - before, key=str))
        yield from (f"no longer allows {one.words}" for one in sorted(before - after, key=str))
    elif change.type in _WAYS and change.act not in (Act.TAGS, Act.NONE, Act.CODE, Act.MOVED):
        done = {Act.CREATE: "new", Act.DELETE: "removed", Act.UPDATE: "changed"}.get(change.act, "replaced")
        yield f"{done}: {_WAYS[change.type]}{_where(new or old)}"
    if old is not None and new is not None:
        for name, meanings in _SETTINGS.items():
            before_, after_ = old.properties.get(name), new.properties.get(name)
            if before_ != after_:
                told = meanings.get(str(after_), "")
                yield f"{name}: {plain(before_)} → {plain(after_)}" + (f" ({told})" if told else "")


def _where(one: Resource | None) -> str:
    properties = one.properties if one else {}
    to = properties.get("DestinationCidrBlock") or properties.get("ServiceName") or properties.get("CidrBlock")
    return f", {plain(to)}" if to else ""


def _rules(one: Resource | None) -> Iterator[_Rule]:
    if one is None or one.type not in _GROUPS:
        return
    if one.type == "AWS::EC2::SecurityGroup":
        for direction, name in (("in", "SecurityGroupIngress"), ("out", "SecurityGroupEgress")):
            for entry in listed(one.properties.get(name)):
                if isinstance(entry, Mapping):
                    yield _rule(direction, entry)
    else:
        yield _rule("in" if one.type.endswith("Ingress") else "out", one.properties)


_PEERS: Sequence[str] = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
    "SourceSecurityGroupName",
)


def _rule(direction: str, entry: Mapping[str, Any]) -> _Rule:
    protocol = str(entry.get("IpProtocol", "-1"))
    first, last = entry.get("FromPort"), entry.get("ToPort")
    ports = "" if protocol == "-1" or first is None else (f"{first}" if first == last else f"{first}-{last}")
    peer = next((str(plain(entry[name])) for name in _PEERS if name in entry), "nobody")
    return _Rule(direction, "everything" if protocol == "-1" else protocol, ports, peer)
