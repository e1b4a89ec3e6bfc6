"""The janitors of a Studio domain, each at its place in the order of deletion.

    StudioDrain    before the profiles and the domain go: what people made in it
    DomainDelete   when the profiles are gone, before CloudFormation looks for the domain: the domain, with its files
    DomainSweep    when the domain is gone, before the network goes: what it left there

Reasons: facts on teardown, 2.3. Who depends on whom is written in ``stacks/studio.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.janitor import Janitor
from sandcastle.permissions import ACCOUNT, GROUP_REASON, PARTITION, REGION, log_group_arn, sagemaker_arn
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import Statement
from sandcastle.user_permissions import STUDIO_LOGS

_OTHER_DOMAIN = "d-neighbour"
_INSIDE = "apps, spaces and profiles that people name; all of them in this domain"
_LISTS = "lists are no resources; the function asks for this domain's entries only"
_TAG = "aws:ResourceTag/ManagedByAmazonSageMakerResource"


def studio_drain(
    scope: Construct,
    construct_id: str,
    *,
    code: UploadedAsset,
    domain_id: str,
    profiles: Sequence[str],
    roles: Sequence[str],
    roles_arn: str,
    policy_arn: str,
) -> Janitor:
    """Make the janitor of what people make in the domain.

    ``profiles`` are those of the template. ``roles`` (names) lose the right to start anything by ``policy_arn``;
    ``roles_arn`` is the pattern of their ARNs.
    """
    exactly_this = {"ArnEquals": {"iam:PolicyARN": policy_arn}}
    administrator = {"iam__PolicyARN": f"arn:{PARTITION}:iam::aws:policy/AdministratorAccess"}
    return Janitor(
        scope,
        construct_id,
        kind="Custom::SandcastleStudioDrain",
        handler="studio_drain.handler",
        description="Deletes apps, spaces and profiles that people made in Studio",
        code=code,
        statements=[
            *_draining(domain_id),
            Statement(
                ["iam:AttachRolePolicy"],
                [roles_arn],
                exactly_this,
                reason="the roles of the environment's users; the condition bounds it to the policy that only denies",
            ),
        ],
        promises=[
            *_draining_promises(domain_id),
            may("iam:AttachRolePolicy", roles_arn, iam__PolicyARN=policy_arn),
            may_not("iam:AttachRolePolicy", "*", **administrator),
            may_not("iam:DetachRolePolicy", "*"),
            may_not("sagemaker:DeleteDomain", "*"),
        ],
        properties={
            "DomainId": domain_id,
            "Profiles": list(profiles),
            "PolicyArn": policy_arn,
            "Roles": list(roles),
        },
    )


def domain_delete(scope: Construct, construct_id: str, *, code: UploadedAsset, domain_id: str) -> Janitor:
    """Make the janitor that deletes the domain together with its file system."""
    domain, logs = sagemaker_arn("domain", domain_id), log_group_arn(STUDIO_LOGS)
    return Janitor(
        scope,
        construct_id,
        kind="Custom::SandcastleDomainDelete",
        handler="domain_delete.handler",
        description="Deletes the Studio domain with its home file system",
        code=code,
        statements=[
            *_draining(domain_id),
            Statement(["sagemaker:DescribeDomain", "sagemaker:DeleteDomain"], [domain]),
            Statement(["logs:DescribeLogStreams"], [f"{logs}:*"], reason=GROUP_REASON),
            Statement(
                ["logs:DeleteLogStream"],
                [f"{logs}:log-stream:{domain_id}/*"],
                reason="streams of this domain's apps; the rest of the name is the app's",
            ),
        ],
        promises=[
            *_draining_promises(domain_id),
            may("sagemaker:DeleteDomain", domain),
            may_not("sagemaker:DeleteDomain", sagemaker_arn("domain", _OTHER_DOMAIN)),
            may("logs:DeleteLogStream", f"{logs}:log-stream:{domain_id}/*"),
            may_not("logs:DeleteLogStream", f"{logs}:log-stream:{_OTHER_DOMAIN}/*"),
            may_not("logs:DeleteLogGroup", "*"),
            may_not("iam:AttachRolePolicy", "*"),
        ],
        properties={"DomainId": domain_id},
    )


def domain_sweep(scope: Construct, construct_id: str, *, code: UploadedAsset, vpc_id: str) -> Janitor:
    """Make the janitor of what deleted domains leave in the VPC.

    It must not name the domain, which depends on it. What it may delete carries SageMaker's own tag.
    """
    anywhere = "no resource: the service authorization reference names none for it"
    tagged = {"StringLike": {_TAG: sagemaker_arn("domain", "*")}}
    file_systems = f"arn:{PARTITION}:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/*"
    groups = f"arn:{PARTITION}:ec2:{REGION}:{ACCOUNT}:security-group/*"
    mine = {_TAG: sagemaker_arn("domain", "d-gone")}
    return Janitor(
        scope,
        construct_id,
        kind="Custom::SandcastleDomainSweep",
        handler="domain_sweep.handler",
        description="Removes from the network what a deleted Studio domain left there",
        code=code,
        statements=[
            Statement(["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"], ["*"], reason=anywhere),
            Statement(
                ["elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeMountTargets"],
                [file_systems],
                reason="what a domain left has a generated id; the function looks for SageMaker's tag",
            ),
            Statement(
                [
                    "elasticfilesystem:DeleteFileSystem",
                    "elasticfilesystem:DeleteFileSystemPolicy",
                    "elasticfilesystem:DeleteMountTarget",
                ],
                [file_systems],
                tagged,
                reason="what a domain left has a generated id; the condition asks for SageMaker's tag",
            ),
            Statement(
                [
                    "ec2:DeleteSecurityGroup",
                    "ec2:RevokeSecurityGroupEgress",
                    "ec2:RevokeSecurityGroupIngress",
                ],
                [groups],
                tagged,
                reason="what a domain left has a generated id; the condition asks for SageMaker's tag",
            ),
            Statement(
                ["ec2:DeleteNetworkInterface"],
                [f"arn:{PARTITION}:ec2:{REGION}:{ACCOUNT}:network-interface/*"],
                {"StringEquals": {"aws:CalledViaLast": "elasticfilesystem.amazonaws.com"}},
                reason="EFS deletes the interface of a mount target in the caller's name, and only so",
                unseen={"ec2:DeleteNetworkInterface": "AWS's EFS calls it while it deletes a mount target"},
            ),
            Statement(
                ["sagemaker:DescribeDomain"],
                [sagemaker_arn("domain", "*")],
                reason="whatever domain a tag names: it is deleted only after SageMaker said that it does not exist",
            ),
        ],
        promises=[
            may("elasticfilesystem:DeleteFileSystem", file_systems, **mine),
            may_not("elasticfilesystem:DeleteFileSystem", "*", **{_TAG: "somebody's"}),
            may("ec2:DeleteSecurityGroup", groups, **mine),
            may_not("ec2:DeleteSecurityGroup", "*", **{_TAG: "somebody's"}),
            may_not("sagemaker:DeleteDomain", "*"),
            may_not("ec2:DeleteVpc", "*"),
        ],
        properties={"VpcId": vpc_id},
    )


def _draining(domain_id: str) -> list[Statement]:
    return [
        Statement(["sagemaker:ListApps", "sagemaker:ListSpaces", "sagemaker:ListUserProfiles"], ["*"], reason=_LISTS),
        Statement(
            ["sagemaker:DeleteApp", "sagemaker:DeleteSpace", "sagemaker:DeleteUserProfile"],
            [sagemaker_arn(kind, f"{domain_id}/*") for kind in ("app", "space", "user-profile")],
            reason=_INSIDE,
        ),
    ]


def _draining_promises(domain_id: str) -> list[Promise]:
    return [
        may("sagemaker:DeleteApp", sagemaker_arn("app", f"{domain_id}/*")),
        may("sagemaker:DeleteSpace", sagemaker_arn("space", f"{domain_id}/*")),
        may_not("sagemaker:DeleteApp", sagemaker_arn("app", f"{_OTHER_DOMAIN}/*")),
        may_not("sagemaker:DeleteSpace", sagemaker_arn("space", f"{_OTHER_DOMAIN}/*")),
        may_not("sagemaker:CreateApp", "*"),
    ]
