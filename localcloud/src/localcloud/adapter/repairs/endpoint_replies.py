"""DescribeVpcEndpoints: filters, pages and every member of an endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

from localcloud.adapter.repairs.network import endpoint_interface

#: the filters that are known here, and the member each looks at
_FILTERS = {
    "vpc-id": "VpcId",
    "vpc-endpoint-id": "VpcEndpointId",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-endpoint-state": "State",
    "service-name": "ServiceName",
}


def described(parameters: dict[str, list[str]]) -> Any:
    """The API action."""
    asked = ec2._parse_member_list(parameters, "VpcEndpointId")
    for identifier in asked:
        if ec2._vpc_endpoints.get(identifier) is None:
            text = f"The Vpc Endpoint Id '{identifier}' does not exist"
            return ec2._error("InvalidVpcEndpointId.NotFound", text, 400)
    filters = ec2._parse_filters(parameters)
    unknown = [name for name in filters if name not in _FILTERS and not name.startswith(("tag:", "tag-key"))]
    if unknown:
        return ec2._error("InvalidParameterValue", f"The filter '{unknown[0]}' is invalid", 400)
    found = [
        endpoint
        for identifier, endpoint in sorted(ec2._vpc_endpoints.items())
        if (not asked or identifier in asked)
        and all(_matches(_values(endpoint, name), patterns) for name, patterns in filters.items())
    ]
    start = int(ec2._p(parameters, "NextToken") or 0)
    end = start + int(ec2._p(parameters, "MaxResults") or len(found) or 1)
    token = f"<nextToken>{end}</nextToken>" if end < len(found) else ""
    items = "".join(shown(endpoint, "item") for endpoint in found[start:end])
    return ec2._xml(200, "DescribeVpcEndpointsResponse", f"<vpcEndpointSet>{items}</vpcEndpointSet>{token}")


def shown(endpoint: dict[str, Any], element: str) -> str:
    """One endpoint as XML."""
    identifier = endpoint["VpcEndpointId"]
    groups = ""
    for group in endpoint.get("SecurityGroupIds") or []:
        name = escape((ec2._security_groups.get(group) or {}).get("GroupName", group))
        groups += f"<item><groupId>{group}</groupId><groupName>{name}</groupName></item>"
    subnets = endpoint.get("SubnetIds") or []
    interfaces = [endpoint_interface(identifier, subnet) for subnet in subnets]
    policy = endpoint.get("PolicyDocument")
    return (
        f"<{element}><vpcEndpointId>{identifier}</vpcEndpointId>"
        f"<vpcEndpointType>{endpoint['VpcEndpointType']}</vpcEndpointType><vpcId>{endpoint['VpcId']}</vpcId>"
        f"<serviceName>{escape(endpoint['ServiceName'])}</serviceName><state>{endpoint['State']}</state>"
        + (f"<policyDocument>{escape(policy)}</policyDocument>" if policy else "")
        + f"<routeTableIdSet>{_items(endpoint.get('RouteTableIds') or [])}</routeTableIdSet>"
        f"<subnetIdSet>{_items(subnets)}</subnetIdSet><groupSet>{groups}</groupSet>"
        f"<privateDnsEnabled>{str(bool(endpoint.get('PrivateDnsEnabled'))).lower()}</privateDnsEnabled>"
        f"<requesterManaged>false</requesterManaged>"
        f"<networkInterfaceIdSet>{_items(interfaces)}</networkInterfaceIdSet><dnsEntrySet/>"
        f"<creationTimestamp>{endpoint['CreationTimestamp']}</creationTimestamp>"
        f"<ownerId>{endpoint['OwnerId']}</ownerId>{ec2._tag_set_xml(identifier)}</{element}>"
    )


def _items(values: Iterable[str]) -> str:
    return "".join(f"<item>{value}</item>" for value in values)


def _values(endpoint: dict[str, Any], name: str) -> list[str]:
    tags = ec2._tags.get(endpoint["VpcEndpointId"]) or []
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags if f"tag:{tag['Key']}" == name]
    return [str(endpoint[_FILTERS[name]])]


def _matches(values: list[str], patterns: list[str]) -> bool:
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)
