"""The order of deletion around the notebook instance, and what an update does before and after it changes."""

from __future__ import annotations

import pytest

from tests.stacks.graph import dependencies, keeps_its_tools, matching, without_each_dependency
from tests.synthesis import Synthesis, Template, resources

INSTANCE = "Instance[0-9A-F]{8}"
NOTEBOOK = [
    # goes first, goes later, why; ids of resources, or patterns of ids
    ("DailyStop", INSTANCE, "a schedule without its instance fails every day"),
    ("DailyStop", "DailyStopRole", "the schedule's role"),
    ("DailyStop", "DailyStopGroup", "the schedule's group"),
    ("NotebookRest", INSTANCE, "an instance that is on its way somewhere is not deleted"),
    (INSTANCE, "InstanceConfig", "a script that an instance refers to is not deleted"),
    (INSTANCE, "WorkerRole", "SageMaker works as the role until the instance is gone"),
    (INSTANCE, "WorkerOwnJobs", "and so with its permissions"),
    (INSTANCE, "NotebookLogs", "it logs until it is gone"),
    ("WorkerRole", "NotebookLogs", "and late lines are written as the role"),
    ("WorkerOwnJobs", "WorkerRole", "the policy is the role's"),
    (INSTANCE, "SpendingLimitRelease", "what a budget denied stays denied while anything could start"),
    ("SpendingLimitAction", "SpendingLimitRelease", "a budget could deny it again"),
    ("SpendingLimitRelease", "WorkerRole", "a role with a policy attached is not deleted"),
    ("SpendingLimitRelease", "SpendingLimitPolicy", "nor a policy that is attached"),
    # deployed in the other direction
    (INSTANCE, "InstanceBefore", "its state is noted before it is changed"),
    ("InstanceAfter", INSTANCE, "and compared after it"),
]
"""Facts on teardown, 1.6, 1.7 and 2.1."""

JANITORS = ("NotebookRest", "NotebookLogs", "SpendingLimitRelease")


@pytest.fixture
def template(local: Synthesis) -> Template:
    return local.template("notebook")


def goes_first(template: Template, first: str, later: str) -> bool:
    firsts, laters = matching(template, first), matching(template, later)
    assert len(firsts) == len(laters) == 1
    return all(laters <= dependencies(template, one) for one in firsts)


@pytest.mark.parametrize(("first", "later", "why"), NOTEBOOK, ids=[f"{one[0]}-{one[1]}" for one in NOTEBOOK])
def test_notebook(template: Template, first: str, later: str, why: str) -> None:
    assert goes_first(template, first, later), why


@pytest.mark.parametrize("janitor", JANITORS)
def test_every_janitor_keeps_what_it_works_with(template: Template, janitor: str) -> None:
    assert keeps_its_tools(template, janitor)


def test_each_dependency_that_is_written_down_is_one_that_these_tests_ask_for(template: Template) -> None:
    """The tables are complete: take any one away, and a line of them is broken."""
    number = 0
    for edge, without in without_each_dependency(template):
        kept = all(goes_first(without, first, later) for first, later, _ in NOTEBOOK)
        assert not (kept and all(keeps_its_tools(without, janitor) for janitor in JANITORS)), edge
        number += 1
    assert number > 8


def test_the_janitor_of_logs_does_not_need_the_instance(template: Template) -> None:
    (logs,) = matching(template, "NotebookLogs")
    assert not set(resources(template, "AWS::SageMaker::*")) & dependencies(template, logs)
