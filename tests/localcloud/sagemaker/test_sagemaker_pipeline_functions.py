"""Lambda steps of a pipeline: invoked as its role, their output parameters, failures, and what cannot be stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.sagemaker.ports import FunctionReply
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.pipeline_parts import FUNCTION, PIPELINE_ROLE, get
from tests.localcloud.sagemaker.pipeline_runs import describe, start, step, steps, stop, wait_for, wait_for_end
from tests.localcloud.sagemaker.scripted_backend import World

_TYPES = {"name": "String", "count": "Integer", "score": "Float", "good": "Boolean"}


def answers(world: World, value: Any, error: bool = False) -> None:
    world.backend.functions[FUNCTION] = FunctionReply(json.dumps(value).encode(), error)


def test_what_a_function_gets_and_what_it_gives(world: World) -> None:
    joined = {"Std:Join": {"On": "/", "Values": ["s3:/", get("Execution.PipelineName")]}}
    text = [get(f"Steps.f.OutputParameters['{name}']") for name in _TYPES]
    enough = {"Type": "GreaterThan", "LeftValue": text[2], "RightValue": 0.4}
    message = {"Std:Join": {"On": " ", "Values": text}}
    parts.create(
        world,
        parts.function("f", {"place": joined, "number": 3}, **_TYPES),
        parts.condition("c", [enough], [parts.fail("told", message)], []),
    )
    answers(world, {"name": {"a": 1}, "count": 3, "score": 0.5, "good": True, "more": "x"})
    arn = start(world)
    wait_for_end(world, arn)
    assert world.backend.invoked == [(FUNCTION, {"place": "s3://pipeline", "number": 3}, PIPELINE_ROLE)]
    assert steps(world, arn) == {"f": "Succeeded", "c": "Succeeded", "told": "Failed"}
    # a nested value is one text; what the step does not declare is not there
    assert step(world, arn, "told")["FailureReason"] == '{"a": 1} 3 0.5 true'
    assert step(world, arn, "f")["Metadata"]["Lambda"] == {
        "Arn": FUNCTION,
        "OutputParameters": [
            {"Name": "name", "Value": '{"a": 1}'},
            {"Name": "count", "Value": "3"},
            {"Name": "score", "Value": "0.5"},
            {"Name": "good", "Value": "true"},
        ],
    }


@pytest.mark.parametrize(
    ("value", "error", "reason"),
    [
        ({"errorType": "ValueError", "errorMessage": "row 3"}, True, f"function {FUNCTION} failed: ValueError: row 3"),
        ("Task timed out", True, f'function {FUNCTION} failed: "Task timed out"'),
        ([1], False, "returned no object, but the step has output parameters."),
        ({"name": "n"}, False, "did not return output parameter count."),
        ({"name": "n", "count": "many"}, False, "output parameter count: 'many' is not of type Integer"),
        ({"name": "n" * 1025, "count": 1}, False, "output parameter name has 1025 characters, and at most 1024"),
    ],
)
def test_a_function_that_does_not_do_what_the_step_says(world: World, value: Any, error: bool, reason: str) -> None:
    parts.create(world, parts.function("f", {}, name="String", count="Integer"))
    answers(world, value, error)
    arn = start(world)
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
    found = step(world, arn, "f")["FailureReason"]
    assert found.startswith("ClientError: ")
    assert reason in found


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (RuntimeError("User is not authorized"), "lambda:InvokeFunction on " + FUNCTION),
        (TimeoutError(), "did not end within 600 seconds."),
    ],
)
def test_a_function_that_cannot_be_invoked(world: World, raised: Exception, reason: str) -> None:
    parts.create(world, parts.function("f", {}))
    world.backend.functions[FUNCTION] = raised
    arn = start(world)
    wait_for_end(world, arn)
    assert reason in step(world, arn, "f")["FailureReason"]


def test_a_stop_waits_for_the_function(world: World) -> None:
    after = {**parts.function("after", {}), "DependsOn": ["f"]}
    parts.create(world, parts.function("f", {}), after)
    answers(world, None)
    world.backend.functions_free.clear()
    arn = start(world)
    wait_for(world, arn, f="Executing")
    stop(world, arn)
    assert describe(world, arn)["PipelineExecutionStatus"] == "Stopping"
    world.backend.functions_free.set()
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Stopped"
    assert steps(world, arn) == {"f": "Succeeded"}


def test_a_function_that_takes_too_long_while_the_execution_stops_fails_it(world: World) -> None:
    parts.create(world, parts.function("f", {}))
    world.backend.functions[FUNCTION] = TimeoutError()
    world.backend.functions_free.clear()
    arn = start(world)
    wait_for(world, arn, f="Executing")
    stop(world, arn)
    world.backend.functions_free.set()
    assert wait_for_end(world, arn)["PipelineExecutionStatus"] == "Failed"
