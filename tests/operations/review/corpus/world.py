"""A small environment with one of everything that reviews are about: what BASE is in every pair."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

BASE, WORK, STUDIO, GUARD = "demo-foundation", "demo-workload", "demo-studio", "demo-guardrails"
DEPENDS = {WORK: [BASE, GUARD], STUDIO: [BASE], "demo-second": [BASE]}
"""Which stacks are deployed before which."""


def ref(logical_id: str) -> dict[str, str]:
    return {"Ref": logical_id}


def att(logical_id: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def join(*parts: Any) -> dict[str, Any]:
    return {"Fn::Join": ["", list(parts)]}


def imported(export: str) -> dict[str, str]:
    return {"Fn::ImportValue": export}


def resource(type_: str, *, keep: str | None = None, **properties: Any) -> dict[str, Any]:
    """Return a resource; ``keep`` is both its policies."""
    found: dict[str, Any] = {"Type": type_, "Properties": properties}
    if keep:
        found |= {"DeletionPolicy": keep, "UpdateReplacePolicy": keep}
    return found


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


BLOCKED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
TAGS = [{"Key": "sandcastle:environment", "Value": "demo"}]
DATA = att("Data", "Arn")
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "s3:*",
    "Resource": [DATA, join(DATA, "/*")],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
SERVICE = {"Service": "sagemaker.amazonaws.com"}
EXPORT_DATA = "demo-foundation:ExportsOutputRefData"
EXPORT_VPC = "demo-foundation:ExportsOutputRefVpc"


def bucket(**properties: Any) -> dict[str, Any]:
    return resource("AWS::S3::Bucket", keep="Delete", PublicAccessBlockConfiguration=dict(BLOCKED), **properties)


def emptied(logical_id: str) -> dict[str, Any]:
    return resource("Custom::SandcastleBucketContents", ServiceToken="arn:f", Bucket=ref(logical_id))


def trust(principal: Any = None, **more: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal or SERVICE, **more})


def request(instance: str = "ml.m5.large", fingerprint: str = "aaaa") -> dict[str, Any]:
    return join(
        '{"ResourceConfig":{"InstanceType":"', instance, '"},"OutputDataConfig":{"S3OutputPath":"s3://',
        imported(EXPORT_DATA), "/bank/", fingerprint, '"}}',
    )  # fmt: skip


def variant(**on: Any) -> dict[str, Any]:
    on = on or {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    return {"VariantName": "main", "ModelName": att("Model", "ModelName"), "InitialVariantWeight": 1, **on}


CAPTURE = {"EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://reports/capture"}


def foundation() -> dict[str, Any]:
    return {
        "Resources": {
            "Data": bucket(),
            "DataContents": emptied("Data"),
            "DataPolicy": resource("AWS::S3::BucketPolicy", Bucket=ref("Data"), PolicyDocument=policy(TLS_ONLY)),
            "Archive": resource("AWS::S3::Bucket", keep="Retain"),
            "Files": resource("AWS::EFS::FileSystem", keep="Retain", Encrypted=True),
            "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
            "Subnet": resource("AWS::EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.0.0/20"),
            "Members": resource(
                "AWS::EC2::SecurityGroup",
                GroupDescription="members",
                VpcId=ref("Vpc"),
                SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}],
            ),
        },
        "Outputs": {
            "ExportData": {"Value": ref("Data"), "Export": {"Name": EXPORT_DATA}},
            "ExportVpc": {"Value": ref("Vpc"), "Export": {"Name": EXPORT_VPC}},
            "DataBucket": {"Value": ref("Data")},
        },
    }


def workload() -> dict[str, Any]:
    return {
        "Resources": {
            "Dataset": resource(
                "Custom::SandcastleDataset", ServiceToken=att("Function", "Arn"), Fingerprint="dddd", Request="{}"
            ),
            "Trained": resource(
                "Custom::SandcastleTrainedModel",
                ServiceToken=att("Function", "Arn"),
                Fingerprint="aaaa",
                Request=request(),
            ),
            "Role": resource(
                "AWS::IAM::Role",
                AssumeRolePolicyDocument=trust(),
                PermissionsBoundary="arn:aws:iam::111122223333:policy/Boundary",
                Policies=[
                    {
                        "PolicyName": "reads",
                        "PolicyDocument": policy(
                            allow(
                                "s3:GetObject",
                                join("arn:aws:s3:::", imported(EXPORT_DATA), "/bank/*"),
                                Condition={"StringEquals": {"aws:ResourceAccount": ref("AWS::AccountId")}},
                            )
                        ),
                    }
                ],
            ),
            "Model": resource(
                "AWS::SageMaker::Model",
                ExecutionRoleArn=att("Role", "Arn"),
                EnableNetworkIsolation=True,
                PrimaryContainer={"Image": "image", "ModelDataUrl": att("Trained", "Result")},
                Tags=TAGS,
            ),
            "Config": resource(
                "AWS::SageMaker::EndpointConfig", ProductionVariants=[variant()], DataCaptureConfig=dict(CAPTURE)
            ),
            "Endpoint": resource(
                "AWS::SageMaker::Endpoint",
                EndpointName="demo-bank",
                EndpointConfigName=att("Config", "EndpointConfigName"),
                Tags=TAGS,
            ),
            "Drift": resource(
                "AWS::SageMaker::DataQualityJobDefinition",
                RoleArn=att("Role", "Arn"),
                DataQualityJobInput={"EndpointInput": {"EndpointName": att("Endpoint", "EndpointName")}},
            ),
            "Schedule": resource(
                "AWS::SageMaker::MonitoringSchedule",
                MonitoringScheduleName="demo-bank-drift",
                MonitoringScheduleConfig={
                    "MonitoringJobDefinitionName": {"Fn::Select": [1, {"Fn::Split": ["/", ref("Drift")]}]},
                    "MonitoringType": "DataQuality",
                },
            ),
            "Function": resource(
                "AWS::Lambda::Function",
                Code={"S3Bucket": "assets", "S3Key": f"{'a' * 64}.zip"},
                Role=att("Role", "Arn"),
                Handler="jobs.handler",
                Runtime="python3.13",
            ),
            "FunctionLogs": resource("AWS::Logs::LogGroup", keep="Delete", RetentionInDays=30),
        },
        "Outputs": {"EndpointName": {"Value": att("Endpoint", "EndpointName")}},
    }


def studio() -> dict[str, Any]:
    return {
        "Resources": {
            "UserRole": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust()),
            "Domain": resource(
                "AWS::SageMaker::Domain",
                keep="Delete",
                DomainName="demo",
                AuthMode="IAM",
                AppNetworkAccessType="PublicInternetOnly",
                VpcId=imported(EXPORT_VPC),
                DefaultUserSettings={"ExecutionRole": att("UserRole", "Arn")},
                Tags=TAGS,
            ),
            "DomainDelete": resource("Custom::SandcastleDomainDelete", ServiceToken="arn:f", DomainId=ref("Domain")),
            "Profile": resource(
                "AWS::SageMaker::UserProfile", DomainId=ref("Domain"), UserProfileName="ada", Tags=TAGS
            ),
            "Notebook": resource(
                "AWS::SageMaker::NotebookInstance",
                InstanceType="ml.t3.medium",
                RoleArn=att("UserRole", "Arn"),
                DirectInternetAccess="Enabled",
                VolumeSizeInGB=5,
            ),
            "NotebookRest": resource("Custom::SandcastleNotebookRest", ServiceToken="arn:f", Name=ref("Notebook")),
        }
    }


def guardrails() -> dict[str, Any]:
    return {
        "Resources": {
            "Topic": resource("AWS::SNS::Topic", DisplayName="alarms"),
            "Budget": resource("AWS::Budgets::Budget", Budget={"BudgetType": "COST", "TimeUnit": "MONTHLY"}),
        }
    }


def world() -> dict[str, Any]:
    """Return the templates by stack; the caller's own to change."""
    return deepcopy({BASE: foundation(), WORK: workload(), STUDIO: studio(), GUARD: guardrails()})
