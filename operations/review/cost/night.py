"""The nightly stop: for which part of a day endpoints, and what watches them, are gone."""

from __future__ import annotations

from collections.abc import Iterator

from operations.review.assembly import Assembly, Stack
from operations.review.cost.reading import at, document, target, text
from operations.review.cost.times import daily_times

HANDLER = "nightly.handler"
"""The function that stops and wakes (``constructs/sandcastle/nightly.py``)."""

_DAY = 24 * 60


def asleep(assembly: Assembly) -> float:
    """Return the part of each day, 0 to 1: from the stop until the waking. Without a waking nothing is promised."""
    for stack in assembly.stacks.values():
        for name, function in stack.resources.items():
            properties = function.properties
            stops = at(properties, "Environment", "Variables", "ENDPOINTS") == "true"
            if function.type == "AWS::Lambda::Function" and properties.get("Handler") == HANDLER and stops:
                times = list(_times(stack, name))
                ends = [minute for do, minute in times if do == "stop"]
                gaps = [(minute - end) % _DAY for do, minute in times if do == "wake" for end in ends]
                return min(gaps) / _DAY if gaps else 0.0
    return 0.0


def _times(stack: Stack, function: str) -> Iterator[tuple[str, int]]:
    """Yield what the function is told to do each day, and in which minute of the day."""
    for one in stack.resources.values():
        if one.type != "AWS::Scheduler::Schedule" or target(at(one.properties, "Target", "Arn")) != function:
            continue
        do = document(at(one.properties, "Target", "Input")).get("do")
        for hour, minute in daily_times(text(one.properties.get("ScheduleExpression"))) or ():
            yield str(do), hour * 60 + minute
