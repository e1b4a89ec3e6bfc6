"""The network: opened, closed, another way out."""

from __future__ import annotations

from typing import Any

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import BASE, STUDIO, att, ref, resource


def _members(templates: Templates) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = templates[BASE]["Resources"]["Members"]["Properties"]["SecurityGroupIngress"]
    return found


def _opened(templates: Templates) -> None:
    _members(templates).append({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"})


def _opened_apart(templates: Templates) -> None:
    templates[BASE]["Resources"]["Ssh"] = resource(
        "AWS::EC2::SecurityGroupIngress",
        GroupId=att("Members", "GroupId"),
        IpProtocol="-1",
        CidrIpv6="::/0",
    )


def _narrower(templates: Templates) -> None:
    _members(templates)[0]["CidrIp"] = "10.0.0.0/20"


def _described(templates: Templates) -> None:
    templates[BASE]["Resources"]["Members"]["Properties"]["GroupDescription"] = "another text"


def _nat(templates: Templates) -> None:
    templates[BASE]["Resources"] |= {
        "Nat": resource("AWS::EC2::NatGateway", SubnetId=ref("Subnet"), AllocationId="eipalloc-1"),
        "Out": resource(
            "AWS::EC2::Route", RouteTableId="rtb-1", DestinationCidrBlock="0.0.0.0/0", NatGatewayId=ref("Nat")
        ),
    }


def _vpc_only(templates: Templates) -> None:
    templates[STUDIO]["Resources"]["Domain"]["Properties"]["AppNetworkAccessType"] = "VpcOnly"


def _other_range(templates: Templates) -> None:
    templates[BASE]["Resources"]["Vpc"]["Properties"]["CidrBlock"] = "10.1.0.0/16"


PAIRS = (
    Pair(
        "security group opened",
        _opened,
        "blocked",
        frozenset({"network-open Members"}),
        {"demo-foundation/Members": "update"},
        says=("tcp 22 from 0.0.0.0/0",),
    ),
    Pair("security group opened by a rule apart", _opened_apart, "blocked", frozenset({"network-open Ssh"})),
    Pair(
        "security group narrowed",
        _narrower,
        "clean",
        acts={"demo-foundation/Members": "update"},
        says=("no longer allows",),
    ),
    Pair("security group replaced", _described, "clean", acts={"demo-foundation/Members": "replace"}, only=True),
    Pair("NAT added", _nat, "clean", acts={"demo-foundation/Nat": "create"}, says=("NAT gateway", "route, 0.0.0.0/0")),
    Pair("apps only through the VPC", _vpc_only, "clean", says=("apps only through the VPC",)),
    Pair(
        "network replaced while others hold on to it",
        _other_range,
        "blocked",
        frozenset({"deploy-fails", "data-lost Domain", "data-lost Profile"}),
        {"demo-foundation/Vpc": "replace", "demo-foundation/Subnet": "replace", "demo-studio/Domain": "maybe-replace"},
        says=("demo-studio imports it",),
    ),
)
