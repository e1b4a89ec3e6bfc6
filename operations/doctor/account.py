"""The account and the region: who is asking, whether the region is open, whether CDK has been prepared there."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from operations.doctor.finding import Case, Finding

_BOOTSTRAP, _LEAST_BOOTSTRAP = "CDKToolkit", 6
"""CDK's own stack, and the oldest version of it that today's templates accept (rule CheckBootstrapVersion in each)."""


def credentials(case: Case) -> Iterator[Finding]:
    """Who deploys."""
    me = case.target.client("sts").get_caller_identity()["Arn"]
    if me.endswith(":root") and case.target.name == "aws":
        yield Finding(
            "warning", "credentials", f"these are the credentials of the account's root user, {me}",
            "Make a role or a user for deploying: IAM Identity Center, or IAM > Users in the console.",
        )  # fmt: skip
    else:
        yield Finding("ok", "credentials", f"account {case.target.account} as {me}")


def region(case: Case) -> Iterator[Finding]:
    """Regions younger than 2019 must be opened by the account."""
    name = case.target.region
    found = case.target.client("ec2").describe_regions(RegionNames=[name], AllRegions=True)["Regions"]
    if found and found[0].get("OptInStatus") == "not-opted-in":
        yield Finding(
            "blocker", "region", f"{name} is not enabled in this account",
            f"aws account enable-region --region-name {name} (it takes minutes to hours)",
        )  # fmt: skip
    else:
        yield Finding("ok", "region", f"{name} is enabled")


def bootstrap(case: Case) -> Iterator[Finding]:
    """``cdk bootstrap`` makes the roles and the bucket that CDK deploys with."""
    where = f"aws://{case.target.account}/{case.target.region}"
    again = f"cdk bootstrap {where}"
    try:
        stack = case.target.client("cloudformation").describe_stacks(StackName=_BOOTSTRAP)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        yield Finding(
            "warning", "bootstrap", f"CDK is not prepared in {case.target.region}",
            f"`sandcastle deploy` does it; for `cdk deploy` by hand: {again}",
        )  # fmt: skip
        return
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    version = outputs.get("BootstrapVersion", "")
    if not stack["StackStatus"].endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")):
        yield Finding(
            "blocker", "bootstrap", f"stack {_BOOTSTRAP} is {stack['StackStatus']}",
            f"aws cloudformation delete-stack --stack-name {_BOOTSTRAP} --region {case.target.region}; then {again}",
        )  # fmt: skip
    elif not version.isdigit() or int(version) < _LEAST_BOOTSTRAP:
        yield Finding("blocker", "bootstrap", f"CDK's bootstrap has version {version or 'unknown'}", again)
    else:
        yield Finding("ok", "bootstrap", f"version {version}")
