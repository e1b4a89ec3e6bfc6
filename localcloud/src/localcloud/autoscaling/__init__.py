"""Application Auto Scaling for variants of SageMaker endpoints: targets, policies, their alarms, and what they do.

``service`` is the API, ``scaler`` what happens when an alarm rings, ``decision`` the arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.autoscaling.scaler import Scaler
    from localcloud.autoscaling.targets import ScalingTargets


def install(targets: ScalingTargets, scaler: Scaler) -> None:
    """Add the service and its CloudFormation types."""
    from localcloud.autoscaling import cfn, service

    service.install(targets, scaler)
    cfn.install()
