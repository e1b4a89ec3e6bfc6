"""What the deployed model of a workload is called: the outputs of its stack, or what its pipeline put in service."""

from __future__ import annotations

from operations.errors import OperationError
from operations.pipeline.last_run import without_endpoint
from operations.pipeline.place import Place
from operations.pipeline.versions import version_of
from operations.stacks import environment_stacks, with_pipeline, workload_outputs
from operations.target import Target


def model_outputs(target: Target, environment: str, workload: str) -> dict[str, str]:
    """Return the outputs of a deployed workload; where a pipeline deploys, the same ones for what serves now.

    Raises OperationError when it is not deployed, or its pipeline has deployed nothing yet.
    """
    stack = with_pipeline(environment_stacks(target, environment), environment).get(workload)
    if stack is None:
        return workload_outputs(target, environment, workload)
    return in_service(Place.of(target, environment, workload, stack.outputs), stack.outputs)


def endpoint_outputs(target: Target, environment: str, workload: str, *kinds: str) -> dict[str, str]:
    """Return the outputs of a deployed workload that has an endpoint of one of these kinds, of any if none is given.

    Raises OperationError where it has none, or one of another kind.
    """
    outputs = model_outputs(target, environment, workload)
    require_endpoint(outputs, environment, workload, *kinds)
    return outputs


def require_endpoint(outputs: dict[str, str], environment: str, workload: str, *kinds: str) -> None:
    """Raise OperationError unless these are outputs of a workload with an endpoint of one of these kinds, if any."""
    kind = outputs.get("EndpointKind", "real-time")  # stacks of before there were kinds
    if kind == "none":
        raise OperationError(
            f"Workload {workload} has no endpoint in environment {environment} (endpoint kind none), "
            "only a model for batch transform."
        )
    if kinds and kind not in kinds:
        raise OperationError(
            f"The endpoint of workload {workload} in environment {environment} is of kind {kind}; "
            f"this needs {' or '.join(kinds)}."
        )


def in_service(place: Place, outputs: dict[str, str]) -> dict[str, str]:
    """Return what a pipeline has put in service, under the names that a workload stack's outputs have.

    Raises OperationError when it has deployed nothing yet.
    """
    served = place.serving()
    if served is None or served.version is None:
        raise OperationError(without_endpoint(place))
    config = place.target.client("sagemaker").describe_endpoint_config(EndpointConfigName=served.config)
    return {
        "EndpointName": place.endpoint,
        "EndpointConfigName": served.config,
        "EndpointKind": "real-time",
        "ModelName": config["ProductionVariants"][0]["ModelName"],
        "DatasetUri": f"{outputs['DataUri']}/{version_of(place, served.version).data_version}",
        "ContentType": outputs["ContentType"],
        "Accept": outputs["Accept"],
    }
