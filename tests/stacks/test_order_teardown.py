"""The teardown goes before every stack that anything runs in: its triggers first, then the janitor works."""

from __future__ import annotations

import json

from sandcastle.config import load_environment
from tests.stacks.graph import dependencies, references
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, resources, synthesise


def test_triggers_go_before_the_janitor_works(each: Synthesis) -> None:
    template = each.template("teardown")
    (janitor,) = resources(template, "Custom::SandcastleQuiesce")
    for trigger in resources(template, "AWS::Scheduler::Schedule"):
        before = dependencies(template, trigger)
        assert janitor in before
        assert set(resources(template, "AWS::Scheduler::ScheduleGroup")) <= before
        assert {key for key in resources(template, "AWS::IAM::Role") if "NightlyRole" in key} <= before
        assert {key for key in resources(template, "AWS::Lambda::Function") if "Nightly" in key} <= before


def test_the_janitor_keeps_its_function_and_permissions(each: Synthesis) -> None:
    template = each.template("teardown")
    (janitor,) = resources(template, "Custom::SandcastleQuiesce")
    before = dependencies(template, janitor)
    for kind in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Logs::LogGroup"):
        mine = {key for key in resources(template, kind) if key.startswith("Quiesce")}
        assert mine
        assert mine <= before


def test_the_janitor_goes_before_whatever_holds_what_it_needs(each: Synthesis) -> None:
    """Every stack but the guardrails goes after the teardown, and the guardrails go after the foundation."""
    manifest = json.loads((each.folder / "manifest.json").read_text())["artifacts"]
    name = f"sandcastle-{each.environment}"
    later = {other for other in each.templates if other not in (f"{name}-teardown", f"{name}-guardrails")}
    assert later <= set(manifest[f"{name}-teardown"]["dependencies"])


def test_a_night_has_the_times_of_its_environment_and_a_warning_before() -> None:
    found = 0
    for name in ENVIRONMENTS:
        stop, template = load_environment(name, ROOT).nightly_stop, synthesise(name).template("teardown")
        schedules = [one["Properties"] for one in resources(template, "AWS::Scheduler::Schedule").values()]
        if stop is None:
            assert schedules == []
            assert "NightlyFunction" not in template.get("Outputs", {})
            continue
        zones = {one["ScheduleExpressionTimezone"] for one in schedules}
        assert zones == {stop.timezone}
        times = sorted((json.loads(one["Target"]["Input"])["do"], one["ScheduleExpression"]) for one in schedules)
        assert times == [
            ("stop", "cron(0 20 * * ? *)"),
            ("wake", "cron(0 8 * * ? *)"),
            ("wake", "cron(20 8 * * ? *)"),  # then endpoints are back, and are scaled again
            ("warn", "cron(50 19 * * ? *)"),
        ]
        (function,) = (
            key
            for key, one in resources(template, "AWS::Lambda::Function").items()
            if one["Properties"]["Handler"] == "nightly.handler"
        )
        assert template["Outputs"]["NightlyFunction"]["Value"] == {"Ref": function}
        assert all(function in set(references(one["Target"])) for one in schedules)
        found += 1
    assert found


def test_waking_is_new_spending() -> None:
    for name in ENVIRONMENTS:
        stop, template = load_environment(name, ROOT).nightly_stop, synthesise(name).template("teardown")
        limited = [
            role["Ref"]
            for action in resources(template, "AWS::Budgets::BudgetsAction").values()
            for role in action["Properties"]["Definition"]["IamActionDefinition"]["Roles"]
        ]
        wakes = bool(stop and stop.wake)
        assert len(limited) == wakes
        assert all(role.startswith("NightlyFunctionRole") for role in limited)
