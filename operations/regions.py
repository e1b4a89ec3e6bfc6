"""In which region an environment is: buckets, roles and budgets are visible from all regions, stacks from their own."""

from __future__ import annotations

from dataclasses import replace

from botocore.exceptions import ClientError, EndpointConnectionError

from operations.errors import UsageError
from operations.stacks import environment_stacks
from operations.target import Target
from sandcastle.config.catalogue import regions

_CLOSED = ("InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired", "AccessDenied")
"""What AWS answers in a region that the account has not opened or may not use."""


def other_regions(target: Target, environment: str) -> list[str]:
    """Return the regions, other than the target's, in which the environment has stacks."""
    found = []
    for region in regions():
        if region == target.region or _partition(region) != _partition(target.region):
            continue
        try:
            if environment_stacks(replace(target, region=region), environment):
                found.append(region)
        except EndpointConnectionError:
            continue
        except ClientError as error:
            if error.response["Error"]["Code"] not in _CLOSED:
                raise
    return found


def refuse_if_elsewhere(target: Target, environment: str) -> None:
    """Raise UsageError when the environment lives in another region.

    Its buckets, roles and budget are visible from here too; removing them from here would take them away from
    endpoints that go on running there.
    """
    elsewhere = other_regions(target, environment)
    if elsewhere:
        raise UsageError(
            f"Environment {environment} is not in {target.region} but in {', '.join(elsewhere)}; nothing was removed. "
            f"Say --region {elsewhere[0]}, or set `region` in its file."
        )


def home_of(target: Target, environment: str) -> Target:
    """Return the target in the region that holds the environment's stacks: this one, or the only other one that does.

    Raises UsageError when several others do.
    """
    if environment_stacks(target, environment):
        return target
    elsewhere = other_regions(target, environment)
    if len(elsewhere) > 1:
        raise UsageError(f"Environment {environment} is in {', '.join(elsewhere)}: say which with --region.")
    return replace(target, region=elsewhere[0]) if elsewhere else target


def _partition(region: str) -> str:
    return next((prefix for prefix in ("cn-", "us-gov-") if region.startswith(prefix)), "")
