"""Handlers that pass on the verb and hide the cause.

The published handlers of schedules, job definitions and package groups turn every error of the service into
``Error occurred during operation 'CREATE'.`` without its text ([H] their exception mappers; [R] aws-cdk issue 12208).
The cause is added here behind ``[localcloud]``: on AWS it is in CloudTrail alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from localcloud.adapter import CfnError

T = TypeVar("T")


def hiding(action: str, call: Callable[[], T]) -> T:
    """Run a call of the API for CREATE, UPDATE or DELETE; its failure is told as the handler tells it."""
    try:
        return call()
    except CfnError as error:
        raise CfnError(
            f"Error occurred during operation '{action}'. [localcloud] AWS does not show the cause: {error}",
            error.physical_id,
        ) from None


def creating(type_name: str, name: str, call: Callable[[], T]) -> T:
    """``hiding`` for a create; a name that is taken is said plainly, as AlreadyExists."""
    try:
        return call()
    except CfnError as error:
        if "Error Code: ResourceInUse)" in str(error) or "already exists" in str(error):
            raise CfnError(f"Resource of type '{type_name}' with identifier '{name}' already exists.") from None
        text = str(error)

    def failed() -> T:
        raise CfnError(text)

    return hiding("CREATE", failed)
