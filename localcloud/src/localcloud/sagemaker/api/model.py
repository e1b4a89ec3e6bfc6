"""SageMaker's API as botocore's model has it.

It is the single source of what an operation takes and returns: names, types, required members, enums,
lengths, ranges and patterns.
"""

from __future__ import annotations

from botocore.model import OperationModel, StructureShape

from localcloud.botocore_models import service_model
from localcloud.sagemaker import errors


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
