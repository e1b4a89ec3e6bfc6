"""Fn::GetAtt values of the resource reference that MiniStack's handlers lack; a template that reads one fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import Props
from localcloud.adapter.identity import region


def install() -> None:
    """Wrap the handlers."""
    _add("AWS::EC2::VPC", _vpc)
    _add("AWS::EC2::Subnet", _subnet)
    _add("AWS::S3::Bucket", _bucket)


def _add(type_name: str, more: Callable[[str, Props], dict[str, Any]]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[type_name]
    before_create, before_update = handlers["create"], handlers["update"]

    def create(logical_id: str, props: Props, stack: str) -> Any:
        physical_id, attributes = before_create(logical_id, props, stack)
        return physical_id, {**attributes, **more(physical_id, props)}

    def update(physical_id: str, old: Props, new: Props, *rest: Any) -> Any:
        updated_id, attributes = before_update(physical_id, old, new, *rest)
        return updated_id, {**attributes, **more(updated_id, new)}

    handlers["create"], handlers["update"] = create, update


def _vpc(physical_id: str, props: Props) -> dict[str, Any]:
    association = physical_id.replace("vpc-", "vpc-cidr-assoc-")
    return {"CidrBlock": props["CidrBlock"], "CidrBlockAssociations": [association], "Ipv6CidrBlocks": []}


def _subnet(physical_id: str, props: Props) -> dict[str, Any]:
    record = ec2._subnets[physical_id]
    return {
        "AvailabilityZoneId": record["AvailabilityZoneId"],
        "CidrBlock": props["CidrBlock"],
        "Ipv6CidrBlocks": [],
        "VpcId": props["VpcId"],
    }


def _bucket(physical_id: str, _props: Props) -> dict[str, Any]:
    return {"DualStackDomainName": f"{physical_id}.s3.dualstack.{region()}.amazonaws.com"}
