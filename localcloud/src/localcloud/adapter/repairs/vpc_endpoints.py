"""VPC endpoints as EC2 keeps them: checked, in states, with their interfaces and groups, filtered and paged.

MiniStack accepts any subnet and group, ignores filters, shows neither groups nor interfaces and forgets an endpoint
at once. On AWS an interface endpoint takes a while to come and to go, and holds its subnets and groups until it is
gone; CloudFormation waits for both (AWSEC2/latest/APIReference: CreateVpcEndpoint, API_VpcEndpoint). How long is
inferred. An interface endpoint is on the meter, once for each of its subnets.
"""

from __future__ import annotations

import json
import random
import string
import time
from typing import Any

from ministack.services import ec2

from localcloud.adapter.cfn import CfnError, Props, Provisioned, register_cfn_type
from localcloud.adapter.identity import account_id, region, request_scope
from localcloud.adapter.repairs.endpoint_replies import described, shown
from localcloud.adapter.repairs.network import endpoint_interface
from localcloud.clock import default_clock
from localcloud.meter import default_meter

#: virtual seconds until an interface endpoint is available, and until a deleted one is gone
SECONDS = 60.0
#: real seconds between two looks of CloudFormation
_POLL = 0.02
#: members of a request, by their kind
_LISTS = {"RouteTableIds": "RouteTableId", "SubnetIds": "SubnetId", "SecurityGroupIds": "SecurityGroupId"}

Endpoint = dict[str, Any]


class Refused(Exception):
    """EC2's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def install() -> None:
    """Replace the API actions and the resource type."""
    actions = {"CreateVpcEndpoint": _api_create, "ModifyVpcEndpoint": _api_modify, "DeleteVpcEndpoints": _api_delete}
    for name, act in actions.items():
        ec2._ACTION_MAP[name] = _answering(act)
    ec2._ACTION_MAP["DescribeVpcEndpoints"] = described
    register_cfn_type(
        "AWS::EC2::VPCEndpoint",
        create=_cfn_create,
        update=_cfn_update,
        delete=_cfn_delete,
        replacing=("ServiceName", "VpcEndpointType", "VpcId"),
        tag_property="Tags",
    )


def create(asked: Props) -> Endpoint:
    """Make an endpoint of CloudFormation's properties. Raises Refused."""
    kind = asked.get("VpcEndpointType") or "Gateway"
    if kind not in ("Gateway", "Interface"):
        raise Refused("InvalidParameter", f"[localcloud] VPC endpoints of type {kind} are not supported yet")
    vpc = asked.get("VpcId", "")
    if ec2._vpcs.get(vpc) is None:
        raise Refused("InvalidVpcId.NotFound", f"The Vpc Id {vpc} does not exist")
    identifier = "vpce-" + "".join(random.choices(string.hexdigits[:16], k=17))  # noqa: S311 - a name
    endpoint: Endpoint = {
        "VpcEndpointId": identifier,
        "VpcEndpointType": kind,
        "VpcId": vpc,
        "ServiceName": asked["ServiceName"],
        "State": "pending" if kind == "Interface" else "available",
        "OwnerId": account_id(),
        "CreationTimestamp": _stamp(),
    }
    endpoint.update(_checked(endpoint, asked))
    ec2._vpc_endpoints[identifier] = endpoint
    _tag(identifier, asked.get("Tags"))
    if kind == "Interface":
        _later(endpoint, _available)
        _meter(endpoint)
    return endpoint


def change(endpoint: Endpoint, asked: Props) -> None:
    """Bring an endpoint to the properties that may change. Raises Refused."""
    endpoint.update(_checked(endpoint, asked))
    if endpoint["VpcEndpointType"] == "Interface":
        _meter(endpoint)


def delete(identifier: str) -> None:
    """Start a deletion; nothing happens when it runs already. Raises Refused."""
    endpoint = ec2._vpc_endpoints.get(identifier)
    if endpoint is None:
        raise Refused("InvalidVpcEndpoint.NotFound", f"The Vpc Endpoint Id '{identifier}' does not exist")
    if endpoint["VpcEndpointType"] == "Gateway":
        _forget(endpoint)
    elif endpoint["State"] != "deleting":
        endpoint["State"] = "deleting"
        default_meter().stop(_arn(endpoint))
        _later(endpoint, _forget)


def _checked(endpoint: Endpoint, asked: Props) -> dict[str, Any]:
    """The members that a request sets, complete. Raises Refused."""
    vpc, interface = endpoint["VpcId"], endpoint["VpcEndpointType"] == "Interface"
    routes, subnets = list(asked.get("RouteTableIds") or []), list(asked.get("SubnetIds") or [])
    groups = list(asked.get("SecurityGroupIds") or [])
    for table in routes:
        if ec2._route_tables.get(table) is None:
            raise Refused("InvalidRouteTableId.NotFound", f"The routeTable ID '{table}' does not exist")
    zones: set[str] = set()
    for subnet in subnets:
        record = ec2._subnets.get(subnet)
        if record is None or record["VpcId"] != vpc:
            raise Refused("InvalidSubnetId.NotFound", f"The subnet ID '{subnet}' does not exist")
        if record["AvailabilityZone"] in zones:
            raise Refused(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet}. VPC endpoint subnets should "
                "be in different availability zones supported by the VPC endpoint service.",
            )
        zones.add(record["AvailabilityZone"])
    for group in groups:
        if (ec2._security_groups.get(group) or {}).get("VpcId") != vpc:
            raise Refused("InvalidSecurityGroupId.NotFound", f"The security group ID '{group}' does not exist")
    private = _bool(asked.get("PrivateDnsEnabled", False))
    if private:
        _check_private_dns(endpoint)
    policy = asked.get("PolicyDocument")
    return {
        "RouteTableIds": routes,
        "SubnetIds": subnets,
        "SecurityGroupIds": groups or ([_default_group(vpc)] if interface else []),
        "PrivateDnsEnabled": private,
        "PolicyDocument": policy if isinstance(policy, str) or policy is None else json.dumps(policy),
    }


def _check_private_dns(endpoint: Endpoint) -> None:
    vpc = endpoint["VpcId"]
    record = ec2._vpcs[vpc]
    if not (_bool(record.get("EnableDnsSupport", True)) and _bool(record.get("EnableDnsHostnames", False))):
        raise Refused(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
            f"for {vpc}",
        )
    for other in ec2._vpc_endpoints.values():
        same = (other["VpcId"], other["ServiceName"]) == (vpc, endpoint["ServiceName"])
        if same and other.get("PrivateDnsEnabled") and other["VpcEndpointId"] != endpoint["VpcEndpointId"]:
            raise Refused(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{endpoint['ServiceName']} in the VPC {vpc}",
            )


def _default_group(vpc: str) -> str:
    for identifier, record in ec2._security_groups.items():
        if record["VpcId"] == vpc and record["GroupName"] == "default":
            return str(identifier)
    raise Refused("InvalidGroup.NotFound", f"The VPC {vpc} has no default security group")


def _later(endpoint: Endpoint, act: Any) -> None:
    account, where = account_id(), region()

    def due() -> None:
        with request_scope(account, where):
            if ec2._vpc_endpoints.get(endpoint["VpcEndpointId"]) is endpoint:
                act(endpoint)

    default_clock().call_later(SECONDS, due, kind="settle")


def _available(endpoint: Endpoint) -> None:
    if endpoint["State"] == "pending":
        endpoint["State"] = "available"


def _forget(endpoint: Endpoint) -> None:
    identifier = endpoint["VpcEndpointId"]
    ec2._vpc_endpoints.pop(identifier, None)
    ec2._tags.pop(identifier, None)


def _tag(identifier: str, tags: Any) -> None:
    ec2._tags[identifier] = [{"Key": tag["Key"], "Value": str(tag.get("Value", ""))} for tag in tags or []]


def _meter(endpoint: Endpoint) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in ec2._tags.get(endpoint["VpcEndpointId"]) or []}
    zones = len(endpoint["SubnetIds"])
    default_meter().start(_arn(endpoint), "vpc-endpoint", "hour", "interface endpoint", tags, zones)


def _arn(endpoint: Endpoint) -> str:
    return f"arn:aws:ec2:{region()}:{account_id()}:vpc-endpoint/{endpoint['VpcEndpointId']}"


def _answering(act: Any) -> Any:
    """An API action whose refusals are EC2's error replies."""

    def answer(parameters: dict[str, list[str]]) -> Any:
        try:
            return act(parameters)
        except Refused as error:
            return ec2._error(error.code, error.message, 400)

    return answer


def _api_create(parameters: dict[str, list[str]]) -> Any:
    asked: Props = {name: ec2._parse_member_list(parameters, member) for name, member in _LISTS.items()}
    for name in ("VpcEndpointType", "VpcId", "ServiceName", "PolicyDocument"):
        if ec2._p(parameters, name):
            asked[name] = ec2._p(parameters, name)
    # only interface endpoints have private names, and the API's default is to have them
    default = "true" if asked.get("VpcEndpointType") == "Interface" else "false"
    asked["PrivateDnsEnabled"] = ec2._p(parameters, "PrivateDnsEnabled") or default
    endpoint = create(asked)
    ec2._parse_tag_specs(parameters, "vpc-endpoint", endpoint["VpcEndpointId"])
    if endpoint["VpcEndpointType"] == "Interface":
        _meter(endpoint)  # with its tags
    return ec2._xml(200, "CreateVpcEndpointResponse", shown(endpoint, "vpcEndpoint"))


def _api_modify(parameters: dict[str, list[str]]) -> Any:
    identifier = ec2._p(parameters, "VpcEndpointId")
    endpoint = ec2._vpc_endpoints.get(identifier)
    if endpoint is None:
        raise Refused("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{identifier}' does not exist")
    asked: Props = {name: endpoint[name] for name in (*_LISTS, "PrivateDnsEnabled", "PolicyDocument")}
    for name, member in _LISTS.items():
        added = ec2._parse_member_list(parameters, f"Add{member}")
        gone = set(ec2._parse_member_list(parameters, f"Remove{member}"))
        asked[name] = [item for item in endpoint[name] if item not in gone] + added
    for name in ("PrivateDnsEnabled", "PolicyDocument"):
        if ec2._p(parameters, name):
            asked[name] = ec2._p(parameters, name)
    change(endpoint, asked)
    return ec2._xml(200, "ModifyVpcEndpointResponse", "<return>true</return>")


def _api_delete(parameters: dict[str, list[str]]) -> Any:
    failed = ""
    for identifier in ec2._parse_member_list(parameters, "VpcEndpointId"):
        try:
            delete(identifier)
        except Refused as error:
            failed += (
                f"<item><resourceId>{identifier}</resourceId><error><code>{error.code}</code>"
                f"<message>{error.message}</message></error></item>"
            )
    return ec2._xml(200, "DeleteVpcEndpointsResponse", f"<unsuccessful>{failed}</unsuccessful>")


def _cfn_create(_logical_id: str, props: Props, _stack: str) -> Provisioned:
    try:
        endpoint = create(props)
    except Refused as error:
        raise _failure(error) from error
    _wait_while(endpoint["VpcEndpointId"], "pending")
    return endpoint["VpcEndpointId"], _attributes(endpoint)


def _cfn_update(physical_id: str, _old: Props, new: Props, _stack: str) -> Provisioned:
    endpoint = ec2._vpc_endpoints.get(physical_id)
    if endpoint is None:
        raise CfnError(f"The Vpc Endpoint Id '{physical_id}' does not exist (Service: Ec2, Status Code: 400)")
    try:
        change(endpoint, new)
    except Refused as error:
        raise _failure(error) from error
    _tag(physical_id, new.get("Tags"))
    return physical_id, _attributes(endpoint)


def _cfn_delete(physical_id: str, _props: Props) -> None:
    try:
        delete(physical_id)
    except Refused:
        return  # it is gone
    _wait_while(physical_id, "deleting")


def _wait_while(identifier: str, state: str) -> None:
    while (ec2._vpc_endpoints.get(identifier) or {}).get("State") == state:
        time.sleep(_POLL)


def _attributes(endpoint: Endpoint) -> dict[str, Any]:
    identifier = endpoint["VpcEndpointId"]
    return {
        "Id": identifier,
        "CreationTimestamp": endpoint["CreationTimestamp"],
        "NetworkInterfaceIds": [endpoint_interface(identifier, subnet) for subnet in endpoint["SubnetIds"]],
        "DnsEntries": [],
    }


def _failure(error: Refused) -> CfnError:
    return CfnError(f"{error.message} (Service: Ec2, Status Code: 400, Error Code: {error.code})")


def _bool(value: Any) -> bool:
    return str(value).lower() == "true"


def _stamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(default_clock().now()))
