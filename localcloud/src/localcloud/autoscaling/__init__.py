"""Application Auto Scaling for variants of SageMaker endpoints: targets, policies, their alarms, and what they do.

``service`` is the API, ``scaler`` what happens when an alarm rings (``localcloud.alarms``), ``decision`` the arithmetic.
"""

from __future__ import annotations

from localcloud.autoscaling import cfn, service
from localcloud.autoscaling.scaler import Scaler
from localcloud.autoscaling.targets import ScalingTargets


def install(targets: ScalingTargets, scaler: Scaler) -> None:
    """Add the service and its CloudFormation types."""
    service.install(targets, scaler)
    cfn.install()
