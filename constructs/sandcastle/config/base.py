"""What all models of files share: the base class, names, hyperparameters."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Hyperparameter = Annotated[str, Field(pattern=r"\S")] | int | float | bool
"""One value for an algorithm. SageMaker passes all of them as text."""

Hyperparameters = dict[str, Hyperparameter]

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
"""Names of environments and workloads: never two dashes in a row, which part the two in the names of jobs."""


class Model(BaseModel):
    """Base of all file models: no unknown keys, no silent conversions, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=(), defer_build=True)


def text_of(value: Hyperparameter) -> str:
    """Return a hyperparameter as SageMaker takes it: ``true``, ``200``, ``0.2``, text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
