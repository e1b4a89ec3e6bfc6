"""Where a run goes on: conditions and their branches, the failure that says why, all steps in order. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sandcastle.pipeline.steps import Step
from sandcastle.processing_request import Value


def at_least(value: Value | float, limit: Value | float) -> dict[str, Any]:
    """Return a condition: a number is as large as another, or larger."""
    return {"Type": "GreaterThanOrEqualTo", "LeftValue": value, "RightValue": limit}


def below(value: Value | float, limit: Value | float) -> dict[str, Any]:
    """Return a condition: a number is smaller than another."""
    return {"Type": "LessThan", "LeftValue": value, "RightValue": limit}


def condition(name: str, conditions: Sequence[dict[str, Any]], then: Sequence[Step], otherwise: Sequence[Step]) -> Step:
    """Return a step after which either the one steps run or the others; all conditions must hold for the former.

    No condition stands in a branch of another: AWS's guide says that this is not supported (SageMaker developer guide,
    "Condition step"), although its SDK writes such definitions.
    """
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": list(conditions), "IfSteps": list(then), "ElseSteps": list(otherwise)},
    }


def fail(name: str, message: Value) -> Step:
    """Return a step that ends the run as failed, with the message as its reason."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps and those in their branches, in the order of the definition."""
    for step in steps:
        yield step
        if step.get("Type") == "Condition":
            arguments = step["Arguments"]
            yield from all_steps(arguments.get("IfSteps") or ())
            yield from all_steps(arguments.get("ElseSteps") or ())
