"""AWS::EC2::SecurityGroupIngress and -Egress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.core.stacks import Resources, Stack, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud


def network(port: int = 443) -> Resources:
    """Two groups that name each other, which only separate rules can say."""

    def group() -> dict[str, Any]:
        properties = {
            "GroupDescription": "a group",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupEgress": [{"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "127.0.0.1/32"}],
        }
        return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}

    def rule(direction: str, mine: str, peer: str) -> dict[str, Any]:
        side = "Source" if direction == "Ingress" else "Destination"
        properties = {
            "GroupId": {"Fn::GetAtt": [mine, "GroupId"]},
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            f"{side}SecurityGroupId": {"Fn::GetAtt": [peer, "GroupId"]},
            "Description": "HTTPS",
        }
        return {"Type": f"AWS::EC2::SecurityGroup{direction}", "Properties": properties}

    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.3.0.0/16"}},
        "Apps": group(),
        "Endpoints": group(),
        "In": rule("Ingress", "Endpoints", "Apps"),
        "Out": rule("Egress", "Apps", "Endpoints"),
    }


def ports(server: Localcloud, group: str, key: str) -> list[tuple[int, str]]:
    (found,) = server.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return [(rule["FromPort"], pair["GroupId"]) for rule in found[key] for pair in rule.get("UserIdGroupPairs", [])]


def test_they_are_made_replaced_and_deleted(localcloud: Localcloud) -> None:
    stack = Stack(localcloud, unique("rules"))
    assert stack.create(network()) == "CREATE_COMPLETE", stack.reasons()
    apps, endpoints = stack.physical("Apps"), stack.physical("Endpoints")
    assert stack.physical("In").startswith("sgr-")
    assert ports(localcloud, endpoints, "IpPermissions") == [(443, apps)]
    assert ports(localcloud, apps, "IpPermissionsEgress") == [(443, endpoints)]
    assert stack.update(network(8443)) == "UPDATE_COMPLETE", stack.reasons()
    assert ports(localcloud, endpoints, "IpPermissions") == [(8443, apps)]
    assert ports(localcloud, apps, "IpPermissionsEgress") == [(8443, endpoints)]
    assert stack.delete() == "DELETE_COMPLETE", stack.reasons()


def test_what_ec2_refuses_fails_the_resource(localcloud: Localcloud) -> None:
    stack, resources = Stack(localcloud, unique("refused")), network()
    resources["In"]["Properties"]["GroupId"] = "sg-00000000000000000"
    assert stack.create(resources) == "ROLLBACK_COMPLETE"
    assert "InvalidGroup.NotFound" in stack.reasons()
