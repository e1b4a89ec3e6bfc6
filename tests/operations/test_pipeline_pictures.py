"""How a pipeline looks: as an outline, as a tree on a terminal, as an SVG."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import timedelta

from rich.console import Console

from operations.pipeline.drawing import draw
from operations.pipeline.execution import Execution, State
from operations.pipeline.outline import Item, outline
from operations.pipeline.plan import Plan
from operations.pipeline.tree import show, summary
from operations.project import ROOT
from tests.operations import training_plan

PLAN = Plan.read(training_plan.definition())
NOW = training_plan.START + timedelta(minutes=9.3)


def printed(execution: Execution, notes: dict[str, str] | None = None) -> str:
    console = Console(width=100, record=True, file=None, force_terminal=False)
    with console.capture() as caught:
        console.print(show(execution, "digits training", notes or {}, NOW))
    return "\n".join(line.rstrip() for line in caught.get().splitlines())


def shape(items: list[Item]) -> list[object]:
    """The outline as lists in lists."""
    found: list[object] = []
    for item in items:
        found.append(item.name if item.outcome is None else item.outcome)
        if item.inside:
            found.append(shape(item.inside))
    return found


def plan(*steps: tuple[str, str]) -> Plan:
    """Steps that wait for others: ("c", "a b")."""
    entries = [{"Name": name, "Type": "Training", "DependsOn": after.split()} for name, after in steps]
    return Plan.read(json.dumps({"Steps": entries}))


def test_a_step_waits_for_what_it_refers_to_and_lines_say_nothing_twice() -> None:
    assert PLAN.steps["EvaluateTop1"].after == {"Prepare", "Tune"}
    assert PLAN.direct["EvaluateTop1"] == ("Tune",)  # which waits for Prepare itself
    assert set(PLAN.direct["RegisterApproved"]) == {"DataQualityBaseline", "ModelQualityBaseline"}
    assert PLAN.parameters["ApproveAccuracy"].default == 0.7


def test_from_a_step_on_is_everything_that_waits_for_it_in_every_branch() -> None:
    after = PLAN.from_step("ChooseBest")
    assert after[0] == "ChooseBest"
    assert {"GoodEnough", "TooWeak", "RegisterPending", "Schedules"} <= set(after)
    assert not {"Prepare", "Train", "DataQualityBaseline"} & set(after)


def test_the_outline_puts_what_runs_side_by_side_below_what_it_waits_for() -> None:
    deployment = ["RegisterApproved", "CreateModel", "SmokeTest", "Deploy", "Confirm", "Schedules"]
    to_deploy = ["GoodEnoughToDeploy", [True, deployment], "GoodEnoughToReview", [True, ["RegisterPending"]]]
    beside = ["DataQualityBaseline", "Train", ["EvaluatePlain"], "Tune", ["EvaluateTop1", "EvaluateTop2"]]
    assert shape(outline(PLAN)) == [
        "Prepare", beside, "ChooseBest", ["ModelQualityBaseline", "GoodEnough", [False, ["TooWeak"]], *to_deploy],
    ]  # fmt: skip


def test_outlines_of_other_shapes() -> None:
    assert shape(outline(plan(("a", ""), ("b", "a"), ("c", "b")))) == ["a", "b", "c"]
    assert shape(outline(plan(("a", ""), ("b", ""), ("c", "a b")))) == ["a", "b", "c"]
    assert shape(outline(plan(("a", ""), ("b", "a"), ("c", "a"), ("d", "b c"), ("e", "d")))) == [
        "a", ["b", "c"], "d", "e",
    ]  # fmt: skip


def test_a_running_execution_on_a_terminal() -> None:
    text = printed(training_plan.running(), {"Tune": "1 of 3 trials"})
    assert "digits training  abc123def456  Executing  9 min 18 s" in text
    assert "✔ Prepare                  Processing                 cached" in text
    assert "└─ ● Tune                  Tuning         9 min 18 s  1 of 3 trials" in text
    assert "│  └─ ● EvaluatePlain      Processing      5 min 6 s" in text
    assert "│     ○ Deploy             Lambda" in text
    assert text.endswith("20 steps: 15 waiting, 2 running, 2 succeeded, 1 cached")


def test_a_failed_execution_hides_what_was_not_taken() -> None:
    text = printed(training_plan.weak(), {"TooWeak": "Top1 has 0.41"})
    assert "│  └─ yes  not taken (6 steps)" in text
    assert "│     ✘ TooWeak                 Fail                  1 s  Top1 has 0.41" in text
    assert "RegisterApproved" not in text


def test_a_small_terminal_shows_what_happens_and_folds_what_is_to_come() -> None:
    picture = show(training_plan.running(), "digits training", {}, NOW, 24)
    console = Console(width=80)
    with console.capture() as caught:
        console.print(picture)
    assert len(caught.get().splitlines()) < 24
    assert "│  └─ yes  waiting (6 steps)" in caught.get()
    assert "● Tune" in caught.get()


def test_what_ended_early_waits_no_more() -> None:
    stopped = training_plan.execution("Stopped", [("Prepare", State.STOPPED, 0, 1)])
    assert summary(stopped) == "20 steps: 1 stopped, 19 not reached"


def test_the_picture_is_whole_needs_nothing_and_has_the_colours() -> None:
    svg = draw(PLAN, "digits: <training>", training_plan.weak(), {"ChooseBest": "Top1 & 0.41"}, NOW)
    root = ET.fromstring(svg)  # noqa: S314  # our own
    titles = {one.text for one in root.iter("{http://www.w3.org/2000/svg}title")}
    assert set(PLAN.steps) <= titles
    assert "digits: &lt;training&gt;" in svg
    assert "Top1 &amp; 0.41" in svg
    for state in ("cached", "failed", "not taken"):
        assert state in svg
    assert {"#b42318", "#2e7d32", "#0f7b8a"} <= {one.get("stroke") for one in root.iter()}
    assert "http" not in svg.replace("http://www.w3.org/", "")


def test_the_picture_in_the_documentation_has_the_steps_that_there_are() -> None:
    root = ET.parse(ROOT / "docs" / "pipeline.svg").getroot()  # noqa: S314  # our own
    titles = {one.text for one in root.iter("{http://www.w3.org/2000/svg}title")}
    assert {one for one in titles if one and "->" not in one} == {*PLAN.steps, "pipeline"}


def test_a_definition_that_never_ran_has_no_colours() -> None:
    svg = draw(PLAN, "digits", None, {}, None)
    assert "as defined; it has never run" in svg
    assert "waiting" not in svg
