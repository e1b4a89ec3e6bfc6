"""What the prover costs: questions about roles, each for every object at once, and what a change does to access.

Beside it stands what deciding single requests costs, one object each, with regular expressions: a lower bound of what
trying objects one by one would take.
"""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable
from typing import Any

from operations.review.access import World, changes
from operations.review.assembly import Assembly, read_assembly
from tests.benchmarks.measure import line
from tests.operations.review.access.brute import allowed
from tests.synthesis import synthesise

QUESTIONS = 1_000


def run() -> None:
    """Print the figures of the default environment."""
    print(f"access: {QUESTIONS:,} questions about the roles of environment local; CPU seconds")
    assembly = read_assembly(synthesise("local").folder)
    base = _seconds(_single_requests)
    line("deciding as many single requests, one role", base)
    world = World.of(assembly)
    line("reading all policies", _seconds(lambda: World.of(assembly)))
    line("questions about all objects, all roles in turn", _seconds(lambda: _questions(world)), base=base)
    head = _retrained(assembly)
    line("what a change of every training role does", _seconds(lambda: changes(assembly, head)))


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _questions(world: World) -> None:
    roles = sorted(world.principals)
    (data,) = (one for one in world.assembly.resources() if one.path == "Data")
    bucket = world.values.arn(data.stack, data.logical_id)
    for at in range(QUESTIONS):
        world.answer(roles[at % len(roles)], "s3:GetObject", f"{bucket}/bank/{at}/*", {"aws:SecureTransport": "true"})


def _single_requests() -> None:
    read = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/bank/*"]}
    others = [{**read, "Resource": [f"arn:aws:s3:::other/{at}/*"]} for at in range(20)]
    for at in range(QUESTIONS):
        allowed([read, *others], None, [], False, ("s3:getobject", f"arn:aws:s3:::data/bank/{at}/x", {}))


def _retrained(assembly: Assembly) -> Assembly:
    """Return the assembly with a role in each workload that may read more."""
    stacks = dict(assembly.stacks)
    for name, stack in stacks.items():
        template: Any = copy.deepcopy(dict(stack.template))
        for key, one in template["Resources"].items():
            if key.startswith("TrainedModelRole"):
                one["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] = "arn:aws:s3:::*/*"
        stacks[name] = dataclasses.replace(stack, template=template)
    return Assembly(assembly.folder, stacks)
