"""Network interfaces that a service puts into a customer's subnet, through EC2's own API.

They hold their subnet and their security groups until the service releases them; the customer can neither detach nor
delete them (``repairs.network_interfaces``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from ministack.services import ec2

from localcloud.adapter.calls import call_query

_VERSION = "2016-11-15"
#: security groups of one interface ([B] EC2: five by default)
_GROUPS = 5


class NetworkRefused(Exception):
    """EC2 refused; the text is EC2's."""


def attach_interface(subnet: str, groups: Sequence[str], description: str) -> str:
    """Put an interface into ``subnet`` and mark it in use; its id. Without groups it gets the VPC's default group.

    Raises NetworkRefused when the subnet or a group does not exist, or a group belongs to another VPC.
    """
    vpc = _one(_call("DescribeSubnets", {"SubnetId.1": subnet}), "vpcId")
    chosen = list(groups) or [_default_group(vpc)]
    for group in chosen:
        if _one(_call("DescribeSecurityGroups", {"GroupId.1": group}), "vpcId") != vpc:
            raise NetworkRefused(
                f"The security group '{group}' and the subnet '{subnet}' belong to different networks."
            )
    parameters = {f"SecurityGroupId.{number}": group for number, group in enumerate(chosen[:_GROUPS], start=1)}
    made = _call("CreateNetworkInterface", {"SubnetId": subnet, "Description": description, **parameters})
    interface = _one(made, "networkInterfaceId")
    # an attachment without an instance of the customer's: the instance is the service's
    _call("AttachNetworkInterface", {"NetworkInterfaceId": interface, "DeviceIndex": "1"})
    return interface


def release_interface(interface: str) -> None:
    """Remove an interface made by ``attach_interface``; nothing happens when it is gone already."""
    record = ec2._network_interfaces.get(interface)
    if record is None:
        return
    record["Attachment"] = None
    _call("DeleteNetworkInterface", {"NetworkInterfaceId": interface})


def _default_group(vpc: str) -> str:
    named = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc, "Filter.2.Name": "group-name"}
    return _one(_call("DescribeSecurityGroups", {**named, "Filter.2.Value.1": "default"}), "groupId")


def _call(action: str, parameters: dict[str, str]) -> str:
    status, reply = call_query("ec2", {"Action": action, "Version": _VERSION, **parameters})
    if status >= 400:
        text = re.search(r"<Message>([^<]*)", reply)
        raise NetworkRefused(text.group(1) if text else reply)
    return reply


def _one(reply: str, element: str) -> str:
    """The first element of this name."""
    for found in ElementTree.fromstring(reply).iter():  # noqa: S314 - our own server wrote it
        if found.tag.rpartition("}")[2] == element and found.text:
            return found.text
    raise NetworkRefused(f"[localcloud] no {element} in the answer of EC2")
