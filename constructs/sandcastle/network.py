"""The network: private subnets, no way out but to S3, nothing that costs anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement
from sandcastle.resource import Resource

ZONES = 2
_CIDR = "10.42.0.0/16"
_SUBNET_BITS = 20
"""Network bits of a subnet: a /20 has 4091 usable addresses."""


class Network(Construct):
    """A VPC with two isolated subnets in two zones and a gateway endpoint to S3.

    No NAT gateway (it bills per hour) and no interface endpoint; a gateway endpoint is free. Built from single
    resources: the ready-made VPC construct adds an internet gateway, or a function that edits the default security
    group, and neither is wanted.

    Nothing is in the VPC yet. The endpoint's policy lets jobs use the environment's own buckets (find, read, write, and
    delete old checkpoints), and no other. Whoever puts something into the VPC widens it by what that needs, such as
    the bootstrap bucket with the code, public data sets, or the buckets that hold the layers of images.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket_arns: Sequence[str]) -> None:
        """``bucket_arns`` are the only buckets that can be reached from inside."""
        super().__init__(scope, construct_id)
        self.vpc = Resource(
            self, "Vpc", "AWS::EC2::VPC", CidrBlock=_CIDR, EnableDnsHostnames=True, EnableDnsSupport=True
        )
        vpc = self.vpc.ref
        routes = Resource(self, "Routes", "AWS::EC2::RouteTable", VpcId=vpc).ref
        blocks = ip_network(_CIDR).subnets(new_prefix=_SUBNET_BITS)
        self.subnets = [
            Resource(
                self,
                f"Subnet{zone}",
                "AWS::EC2::Subnet",
                VpcId=vpc,
                AvailabilityZone={"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
                CidrBlock=str(block),
                MapPublicIpOnLaunch=False,
            )
            for zone, block in zip(range(ZONES), blocks, strict=False)
        ]
        for zone, subnet in enumerate(self.subnets):
            Resource(
                self,
                f"Subnet{zone}Routes",
                "AWS::EC2::SubnetRouteTableAssociation",
                tagged=False,
                SubnetId=subnet.ref,
                RouteTableId=routes,
            )
        Resource(
            self,
            "S3",
            "AWS::EC2::VPCEndpoint",
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{cdk.Stack.of(self).region}.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=[routes],
            PolicyDocument=_only(bucket_arns),
        )

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """No flow logs."""
        yield Acknowledgement(
            self.vpc,
            "AwsSolutions-VPC7",
            "Flow logs are billed per gigabyte; nothing in this version has an interface in the VPC, and the only "
            "way out is the S3 gateway endpoint, whose requests the buckets' access logs record",
        )


def _only(bucket_arns: Sequence[str]) -> dict[str, Any]:
    """Return an endpoint policy: to the environment's buckets, for what jobs do with objects, and no further."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
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
        ],
    }
