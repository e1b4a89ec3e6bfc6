"""The network: private subnets, no way out but to S3, nothing that costs anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement

ZONES = 2
_CIDR = "10.42.0.0/16"
_SUBNET_MASK_BITS = 12
"""Host bits of a subnet: a /20, 4091 usable addresses."""


class Network(Construct):
    """A VPC with two isolated subnets in two zones and a gateway endpoint to S3.

    No NAT gateway (it bills per hour) and no interface endpoint; a gateway endpoint is free. Built from single
    resources: the ready-made VPC construct adds an internet gateway, or a function that edits the default security
    group, and neither is wanted.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket_arns: Sequence[str]) -> None:
        """``bucket_arns`` are the only buckets that can be reached from inside."""
        super().__init__(scope, construct_id)
        self.vpc = ec2.CfnVPC(self, "Vpc", cidr_block=_CIDR, enable_dns_hostnames=True, enable_dns_support=True)
        routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self.vpc.ref)
        blocks = list(ip_network(_CIDR).subnets(new_prefix=32 - _SUBNET_MASK_BITS))
        self.subnets: list[ec2.CfnSubnet] = []
        for zone in range(ZONES):
            subnet = ec2.CfnSubnet(
                self,
                f"Subnet{zone}",
                vpc_id=self.vpc.ref,
                availability_zone=cdk.Fn.select(zone, cdk.Fn.get_azs()),
                cidr_block=str(blocks[zone]),
                map_public_ip_on_launch=False,
            )
            ec2.CfnSubnetRouteTableAssociation(
                self, f"Subnet{zone}Routes", subnet_id=subnet.ref, route_table_id=routes.ref
            )
            self.subnets.append(subnet)
        ec2.CfnVPCEndpoint(
            self,
            "S3",
            vpc_id=self.vpc.ref,
            service_name=f"com.amazonaws.{cdk.Stack.of(self).region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.ref],
            policy_document=_only(bucket_arns),
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
    """Return an endpoint policy: to the environment's buckets, to read, write and list, and no further."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket"],
                "Resource": [arn for bucket in bucket_arns for arn in (bucket, f"{bucket}/*")],
            }
        ],
    }
