"""What Application Auto Scaling means for an endpoint: variants that are scalable targets."""

from __future__ import annotations

from localcloud.sagemaker import errors
from localcloud.sagemaker.core import Core, Request
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.ports import Scope

_DEREGISTER = "application-autoscaling:DeregisterScalableTarget"
_KEYS = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
}


def deregister(core: Core, request: Request, endpoint: str) -> None:
    """Deregister the endpoint's targets on behalf of who deletes it ([DG] endpoint-delete-with-scaling).

    Raises ValidationException ([R] text; nothing is deregistered) when the caller may not do that. Hold no lock.
    """
    targets = core.backend.scalable_targets(request.scope, endpoint)
    for arn in targets.values():
        if core.backend.denial(request.scope, request.headers, _DEREGISTER, arn, _KEYS):
            raise errors.validation(
                "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity "
                f"used to invoke DeleteEndpoint does not have {_DEREGISTER} permission to deregister the scalable "
                "target."
            )
    if targets:
        core.backend.deregister_targets(request.scope, endpoint)


def check_update(core: Core, scope: Scope, endpoint: str, old: Fleet, new: Fleet) -> None:
    """A variant that is a scalable target keeps its instance type ([DG] endpoint-scaling-update; text [K]).

    Raises ValidationException.
    """
    types = {variant.name: variant.instance_type for variant in new.variants}
    targets = core.backend.scalable_targets(scope, endpoint)
    for variant in old.variants:
        if variant.name in targets and types.get(variant.name) != variant.instance_type:
            raise errors.validation(
                f'The variant(s) "{variant.name}" must be deregistered as scalable target with AWS Auto Scaling before '
                "they can be removed or have their instance type updated."
            )
