"""The service models that botocore ships, loaded once and on first use (~0.2 s and ~30 MB each).

They are the single source of what an operation takes and returns: names, types, required members, enums,
lengths, ranges and patterns.
"""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape

from localcloud.sagemaker import errors


@cache
def service_model(name: str) -> ServiceModel:
    """The newest API version of ``name`` ("sagemaker", "sagemaker-runtime")."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def operation(name: str) -> OperationModel:
    """The SageMaker operation of this name. Raises UnknownOperationException."""
    model = service_model("sagemaker")
    if name not in model.operation_names:
        raise errors.unknown_operation(name)
    return model.operation_model(name)


def input_shape(name: str) -> StructureShape:
    """What the operation takes (every SageMaker operation takes a structure)."""
    shape = operation(name).input_shape
    if shape is None:
        raise TypeError(f"{name} takes no input")
    return shape
