"""Waiting for a resource to leave a state that ends by itself, in virtual time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from localcloud.adapter import CfnError
from localcloud.sagemaker.cfn.api import Api
from localcloud.sagemaker.core import Core


def settled(
    core: Core, api: Api, arn: str, in_progress: Collection[str], timeout: float, status: str = ""
) -> dict[str, Any]:
    """The resource's description once its status is none of ``in_progress``; ``timeout`` in virtual seconds.

    ``status`` is the member with the status, ``<Kind>Status`` when not given. Raises CfnError with the service's text
    when the resource is gone, and when the time is over.
    """
    member = status or f"{api.kind}Status"
    deadline = core.clock.now() + timeout
    while True:
        description = api.describe(arn)
        if description[member] not in in_progress:
            return description
        if core.clock.now() > deadline:
            raise CfnError(f"Exceeded attempts to wait: {arn} is {description[member]}")
        core.store.wait_until(lambda: _is_settled(core, arn, in_progress), timeout=1.0)


def _is_settled(core: Core, arn: str, in_progress: Collection[str]) -> bool:
    record = core.store.by_arn(arn)
    return record is None or record.status not in in_progress
