"""Application Auto Scaling for variants of SageMaker endpoints: targets, policies and the alarms that policies make.

What a teardown meets of it. Nothing scales here: no policy is evaluated and a target's bounds change no instance
count; the records, the alarms and the refusals are those of AWS.
"""

from __future__ import annotations

from localcloud.autoscaling import cfn, service
from localcloud.autoscaling.targets import ScalingTargets, VariantOf


def install(targets: ScalingTargets, variant_of: VariantOf) -> None:
    """Add the service and its CloudFormation types; ``variant_of`` finds the variants of endpoints."""
    service.install(targets, variant_of)
    cfn.install()
