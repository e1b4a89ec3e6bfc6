"""The check at synth: no change of a valid pipeline goes unseen, wherever it is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandcastle.pipeline import training_pipeline
from sandcastle.pipeline.checks import problems
from sandcastle.pipeline.expressions import is_expression, references
from sandcastle.pipeline.flow import all_steps
from tests.constructs.pipeline.recipes import FINGERPRINT, parts, workload

Path = tuple[str | int, ...]

FREE = {"Environment", "HyperParameters", "StaticHyperParameters", "CustomerMetadataProperties"}
"""Maps of one's own keys."""


def training(name: str) -> dict[str, Any]:
    made = training_pipeline(workload(name), parts(name), fingerprint=FINGERPRINT, approve=0.7, review=0.5)
    return made.to_json()


def walk(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield every place in the value; an expression is one."""
    yield path
    if is_expression(value):
        return
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from walk(inner, (*path, key))


DIGITS = training("digits")
REQUESTS = [one for one in all_steps(DIGITS["Steps"]) if one["Type"] not in ("Condition", "Fail", "Lambda")]
PLACES = [(one["Name"], path) for one in REQUESTS for path in walk(one["Arguments"]) if path]
MEMBERS = [(name, path) for name, path in PLACES if isinstance(path[-1], str) and not FREE & set(path[:-1])]
REFERENCES = sorted({reference for one in all_steps(DIGITS["Steps"]) for reference in references(one)})


def opened(place: tuple[str, Path]) -> tuple[dict[str, Any], Any]:
    """Return a copy of the pipeline, and in it what directly holds the place."""
    document, (name, path) = copy.deepcopy(DIGITS), place
    inside = next(one for one in all_steps(document["Steps"]) if one["Name"] == name)["Arguments"]
    for part in path[:-1]:
        inside = inside[part]
    return document, inside


@given(st.sampled_from(MEMBERS))
def test_a_member_of_another_name_is_found(place: tuple[str, Path]) -> None:
    document, inside = opened(place)
    inside["Unknown"] = inside.pop(place[1][-1])
    lines = list(problems(document))
    assert any(line.startswith(f"{place[0]}.") and ".Unknown: " in f".{line}" for line in lines), lines


@given(st.sampled_from(PLACES))
def test_a_value_of_another_kind_is_found(place: tuple[str, Path]) -> None:
    document, inside = opened(place)
    last = place[1][-1]
    inside[last] = 3.5 if isinstance(inside[last], str | dict | list) else "three"
    lines = list(problems(document))
    assert any(line.startswith(f"{place[0]}.") and str(last) in line for line in lines), lines


@given(st.sampled_from(REFERENCES))
def test_a_reference_that_leads_nowhere_is_found(reference: str) -> None:
    wrong = reference.replace("['", "['x") if "['" in reference else f"{reference}x"

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: wrong if (key, inner) == ("Get", reference) else changed(inner) for key, inner in value.items()
            }
        return [changed(inner) for inner in value] if isinstance(value, list) else value

    lines = list(problems(changed(DIGITS)))
    assert any(wrong in line for line in lines), lines


@pytest.mark.parametrize("name", ["bank", "digits", "fraud", "penguins"])
def test_a_step_that_is_left_out_is_missed(name: str) -> None:
    """By the steps that refer to it: all but those that nothing follows."""
    original = training(name)
    last = {"Schedules", "RegisterPending", "TooWeak", "GoodEnough", "GoodEnoughToDeploy", "GoodEnoughToReview"}
    for one in all_steps(original["Steps"]):
        if one["Name"] in last:
            continue
        document = copy.deepcopy(original)
        for steps in _lists(document["Steps"]):
            steps[:] = [kept for kept in steps if kept["Name"] != one["Name"]]
        assert any(f"no step {one['Name']}" in line for line in problems(document)), one["Name"]


def _lists(steps: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the list of steps, and those of the branches in it."""
    yield steps
    for one in steps:
        if one["Type"] == "Condition":
            yield from _lists(one["Arguments"]["IfSteps"])
            yield from _lists(one["Arguments"]["ElseSteps"])
