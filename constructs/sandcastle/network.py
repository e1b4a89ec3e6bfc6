"""The network: private subnets, no way out but to S3 and, where it is asked for, to the AWS services named here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement
from sandcastle.config import INTERFACE_ENDPOINTS, ZONES
from sandcastle.permissions import ACCOUNT
from sandcastle.resource import Resource

_CIDR = "10.42.0.0/16"
_SUBNET_BITS = 20
"""Network bits of a subnet: a /20 has 4091 usable addresses."""

_APP_PORTS = (8192, 65535)
"""What Studio's apps use among themselves (SageMaker developer guide, "Connect Studio in a VPC to external
resources": TCP within the security group, at least these ports)."""

_HTTPS, _NFS = 443, 2049


class Network(Construct):
    """A VPC with two isolated subnets in two zones, a gateway endpoint to S3, and a security group for what is inside.

    No NAT gateway (it bills per hour); a gateway endpoint is free. Built from single resources: the ready-made VPC
    construct adds an internet gateway, or a function that edits the default security group, and neither is wanted.

    What runs inside without internet (``interface_endpoints``) reaches SageMaker, its runtime, STS and CloudWatch Logs
    through interface endpoints, which are billed by the hour and zone. Nothing else is reachable from the subnets: they
    have no other route.

    The S3 endpoint's policy lets jobs and people use the environment's own buckets (find, read, write, and delete), and
    read ``readable_objects``. Whoever needs more widens it by exactly that.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_arns: Sequence[str],
        readable_objects: Sequence[str] = (),
        interface_endpoints: bool = False,
        nfs: bool = False,
    ) -> None:
        """``bucket_arns`` are the only buckets reached from inside; ``nfs`` is for a home file system of Studio."""
        super().__init__(scope, construct_id)
        self.vpc = Resource(
            self, "Vpc", "AWS::EC2::VPC", CidrBlock=_CIDR, EnableDnsHostnames=True, EnableDnsSupport=True
        )
        self.vpc_id: str = self.vpc.ref
        routes = Resource(self, "Routes", "AWS::EC2::RouteTable", VpcId=self.vpc_id).ref
        blocks = ip_network(_CIDR).subnets(new_prefix=_SUBNET_BITS)
        subnets = [
            Resource(
                self,
                f"Subnet{zone}",
                "AWS::EC2::Subnet",
                VpcId=self.vpc_id,
                AvailabilityZone={"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
                CidrBlock=str(block),
                MapPublicIpOnLaunch=False,
            )
            for zone, block in zip(range(ZONES), blocks, strict=False)
        ]
        self.subnet_ids: list[str] = [subnet.ref for subnet in subnets]
        for zone, subnet in enumerate(self.subnet_ids):
            Resource(
                self,
                f"Subnet{zone}Routes",
                "AWS::EC2::SubnetRouteTableAssociation",
                tagged=False,
                SubnetId=subnet,
                RouteTableId=routes,
            )
        Resource(
            self,
            "S3",
            "AWS::EC2::VPCEndpoint",
            VpcId=self.vpc_id,
            ServiceName=self._service("s3"),
            VpcEndpointType="Gateway",
            RouteTableIds=[routes],
            PolicyDocument=_only(bucket_arns, readable_objects),
        )
        self.security_group_id: str = self._members(nfs)
        if interface_endpoints:
            self._interface_endpoints()

    def _members(self, nfs: bool) -> str:
        """Make the group of what is inside and return its id.

        Its members reach each other and nobody else reaches them. HTTPS may go anywhere: S3's addresses are a list that
        CloudFormation cannot name, and the routes lead to nothing but S3 and the subnets.
        """
        egress = [_rule("0.0.0.0/0", _HTTPS, "AWS services: the routes lead to S3 and into this network only")]
        if nfs:
            egress.append(_rule(_CIDR, _NFS, "Home file system of Studio"))
        group = Resource(
            self,
            "Members",
            "AWS::EC2::SecurityGroup",
            GroupDescription="What runs in the network of the environment",
            VpcId=self.vpc_id,
            SecurityGroupEgress=egress,
        )
        group_id: str = group.attribute("GroupId")
        first, last = _APP_PORTS
        for way in ("Ingress", "Egress"):
            Resource(
                self,
                f"Members{way}",
                f"AWS::EC2::SecurityGroup{way}",
                tagged=False,
                GroupId=group_id,
                IpProtocol="tcp",
                FromPort=first,
                ToPort=last,
                Description="Apps among themselves",
                SourceSecurityGroupId=group_id if way == "Ingress" else None,
                DestinationSecurityGroupId=group_id if way == "Egress" else None,
            )
        return group_id

    def _interface_endpoints(self) -> None:
        """Make an endpoint to each service, with an interface in every subnet and the service's usual name."""
        group = Resource(
            self,
            "Endpoints",
            "AWS::EC2::SecurityGroup",
            GroupDescription="Interface endpoints of the network",
            VpcId=self.vpc_id,
            SecurityGroupIngress=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": _HTTPS,
                    "ToPort": _HTTPS,
                    "SourceSecurityGroupId": self.security_group_id,
                    "Description": "What runs in the network",
                }
            ],
            # An endpoint only answers. Without any rule EC2 would let everything out: this one leads nowhere.
            SecurityGroupEgress=[_rule("127.0.0.1/32", _HTTPS, "Nothing: endpoints open no connections")],
        )
        for service in INTERFACE_ENDPOINTS:
            Resource(
                self,
                "Endpoint" + "".join(part.capitalize() for part in service.split(".")),
                "AWS::EC2::VPCEndpoint",
                VpcId=self.vpc_id,
                ServiceName=self._service(service),
                VpcEndpointType="Interface",
                PrivateDnsEnabled=True,
                SubnetIds=self.subnet_ids,
                SecurityGroupIds=[group.attribute("GroupId")],
                PolicyDocument=_OWN_ACCOUNT,
            )

    def _service(self, name: str) -> str:
        return f"com.amazonaws.{cdk.Stack.of(self).region}.{name}"

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """No flow logs."""
        yield Acknowledgement(
            self.vpc,
            "AwsSolutions-VPC7",
            "Flow logs are billed per gigabyte; the only ways out are endpoints to AWS's own services, whose calls "
            "CloudTrail and the buckets' access logs record",
        )


def _rule(cidr: str, port: int, description: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr, "Description": description}


_OWN_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            # An endpoint's policy gives nothing: it bounds what the callers' own policies give, here to this account's
            # identities, so that nobody carries data out with credentials of another one.
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        }
    ],
}


def _only(bucket_arns: Sequence[str], readable_objects: Sequence[str]) -> dict[str, Any]:
    """Return an endpoint policy: to the environment's buckets for what is done with objects, and no further."""
    own = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetBucketLocation",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
        ],
        "Resource": [arn for bucket in bucket_arns for arn in (bucket, f"{bucket}/*")],
    }
    readable = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": list(readable_objects)}
    return {"Version": "2012-10-17", "Statement": [own, readable] if readable_objects else [own]}
