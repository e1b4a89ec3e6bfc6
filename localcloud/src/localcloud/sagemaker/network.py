"""Network interfaces of SageMaker in a customer's VPC: of notebook instances in a subnet and of VpcOnly Studio apps.

An interface exists from ``attach`` to ``detach`` and holds its subnet and groups all that time: whoever deletes them
gets DependencyViolation. Both talk to EC2, so hold no lock of the store around them.
"""

from __future__ import annotations

from collections.abc import Sequence

from localcloud import adapter
from localcloud.sagemaker import errors
from localcloud.sagemaker.ports import Scope


def attach(scope: Scope, subnet: str, groups: Sequence[str], description: str) -> str:
    """Put an interface into ``subnet``; its id. Without groups it gets the default group of the subnet's VPC.

    Raises ValidationException with EC2's text when the subnet or a group does not exist or they do not fit.
    """
    with adapter.request_scope(scope.account, scope.region):
        try:
            return adapter.attach_interface(subnet, groups, description)
        except adapter.NetworkRefused as reason:
            raise errors.validation(str(reason)) from None


def detach(scope: Scope, interface: str) -> None:
    """Remove it; nothing happens when it is gone already."""
    with adapter.request_scope(scope.account, scope.region):
        adapter.release_interface(interface)
