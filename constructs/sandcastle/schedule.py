"""What EventBridge Scheduler needs to call something: a role for exactly that call."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from sandcastle.permissions import ACCOUNT, PARTITION, REGION
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import ServiceRole, Statement


def schedule_arn(group: str, name: str) -> str:
    """Return the ARN of a schedule in this account and region."""
    return f"arn:{PARTITION}:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}"


class ScheduleRole(ServiceRole):
    """The role under which Scheduler invokes one function."""

    def __init__(self, scope: Construct, construct_id: str, *, function_arn: str, description: str) -> None:
        """``function_arn`` is the one function that may be invoked."""
        super().__init__(
            scope,
            construct_id,
            service="scheduler.amazonaws.com",
            source_account=True,
            description=description,
            statements=[Statement(["lambda:InvokeFunction"], [function_arn])],
            promises=_promises(function_arn),
        )


def _promises(function_arn: str) -> Sequence[Promise]:
    other = f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:other"
    return [may("lambda:InvokeFunction", function_arn), may_not("lambda:InvokeFunction", other)]
