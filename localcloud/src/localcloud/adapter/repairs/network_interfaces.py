"""DescribeNetworkInterfaces lists what EFS mount targets and interface endpoints put into a subnet, and filters.

An interface that is attached cannot be deleted, and one that a service attached cannot be detached by its customer.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from ministack.services import ec2

from localcloud.adapter.identity import account_id
from localcloud.adapter.repairs.network import Use, interfaces

#: an id that no interface has: MiniStack takes no ids for "all of them"
_NOBODY = "eni-none"


def install() -> None:
    """Wrap the API actions."""
    _describe()
    before_delete, before_detach = ec2._ACTION_MAP["DeleteNetworkInterface"], ec2._ACTION_MAP["DetachNetworkInterface"]

    def delete(parameters: dict[str, list[str]]) -> Any:
        interface = ec2._p(parameters, "NetworkInterfaceId")
        used = next((use for use in interfaces() if use.interface == interface), None)
        record = ec2._network_interfaces.get(interface)
        if used and (record is None or record.get("Attachment")):
            text = f"Network interface '{interface}' is currently in use."
            return ec2._error("InvalidParameterValue", text, 400)
        return before_delete(parameters)

    def detach(parameters: dict[str, list[str]]) -> Any:
        attachment = ec2._p(parameters, "AttachmentId")
        for record in ec2._network_interfaces.values():
            held = record.get("Attachment") or {}
            if held.get("AttachmentId") == attachment and not held.get("InstanceId"):
                # the text that EC2 has for attachments of other services
                return ec2._error("AuthFailure", "You do not have permission to access the specified resource.", 403)
        return before_detach(parameters)

    ec2._ACTION_MAP["DeleteNetworkInterface"] = delete
    ec2._ACTION_MAP["DetachNetworkInterface"] = detach


def _describe() -> None:
    before = ec2._ACTION_MAP["DescribeNetworkInterfaces"]

    def describe(parameters: dict[str, list[str]]) -> Any:
        # EC2 actions run on the event loop one at a time, so nobody sees the table between these lines
        shown = [use for use in interfaces() if use.interface not in ec2._network_interfaces]
        for use in shown:
            ec2._network_interfaces[use.interface] = _record(use)
        try:
            return before(_with_filters(parameters))
        except UnknownFilter as unknown:
            return ec2._error("InvalidParameterValue", f"The filter '{unknown}' is invalid", 400)
        finally:
            for use in shown:
                ec2._network_interfaces.pop(use.interface, None)

    ec2._ACTION_MAP["DescribeNetworkInterfaces"] = describe


class UnknownFilter(Exception):
    """A filter that EC2 may know and this repair does not."""


def _with_filters(parameters: dict[str, list[str]]) -> dict[str, list[str]]:
    """The request with its filters turned into interface ids, which MiniStack understands."""
    filters = ec2._parse_filters(parameters)
    if not filters:
        return parameters
    asked = set(ec2._parse_member_list(parameters, "NetworkInterfaceId"))
    found = [
        name
        for name, record in ec2._network_interfaces.items()
        if (not asked or name in asked)
        and all(_matches(_values(record, key), patterns) for key, patterns in filters.items())
    ]
    rest = {key: value for key, value in parameters.items() if not key.startswith(("Filter.", "NetworkInterfaceId"))}
    return rest | {f"NetworkInterfaceId.{n}": [name] for n, name in enumerate(found or [_NOBODY], start=1)}


def _matches(values: list[str], patterns: list[str]) -> bool:
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _values(record: dict[str, Any], name: str) -> list[str]:
    """What an interface has for a filter of DescribeNetworkInterfaces."""
    attachment = record.get("Attachment") or {}
    known: dict[str, list[str]] = {
        "network-interface-id": [record["NetworkInterfaceId"]],
        "subnet-id": [record["SubnetId"]],
        "vpc-id": [record["VpcId"]],
        "group-id": [group["GroupId"] for group in record["Groups"]],
        "group-name": [group["GroupName"] for group in record["Groups"]],
        "description": [record["Description"]],
        "status": [record["Status"]],
        "availability-zone": [record["AvailabilityZone"]],
        "interface-type": [record["InterfaceType"]],
        "attachment.attachment-id": [attachment.get("AttachmentId", "")],
    }
    if name.startswith("tag:"):
        tags = ec2._tags.get(record["NetworkInterfaceId"]) or []
        return [tag["Value"] for tag in tags if f"tag:{tag['Key']}" == name]
    if name not in known:
        raise UnknownFilter(name)
    return known[name]


def _record(use: Use) -> dict[str, Any]:
    subnet = ec2._subnets.get(use.subnet) or {}
    names = {group: (ec2._security_groups.get(group) or {}).get("GroupName", group) for group in use.groups}
    return {
        "NetworkInterfaceId": use.interface,
        "SubnetId": use.subnet,
        "VpcId": subnet.get("VpcId", ""),
        "AvailabilityZone": subnet.get("AvailabilityZone", ""),
        "Description": use.description,
        "Status": "in-use",
        "InterfaceType": "interface",
        "OwnerId": account_id(),
        "PrivateIpAddress": subnet.get("CidrBlock", "10.0.0.0/24").split("/")[0],
        "SourceDestCheck": True,
        "MacAddress": "02:00:00:00:00:01",
        "Attachment": None,
        "Groups": [{"GroupId": group, "GroupName": name} for group, name in names.items()],
    }
