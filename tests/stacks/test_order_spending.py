"""The order of deletion around spending limits and the time to live."""

from __future__ import annotations

import json

from sandcastle.config import load_environment
from sandcastle.naming import stack_layers
from tests.stacks.graph import dependencies
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, resources, synthesise


def test_a_limit_is_lifted_when_its_action_is_gone_and_before_policy_and_roles_go(each: Synthesis) -> None:
    found = 0
    for template in each.templates.values():
        for key, action in resources(template, "AWS::Budgets::BudgetsAction").items():
            definition = action["Properties"]["Definition"]["IamActionDefinition"]
            (release,) = (
                one
                for one, resource in resources(template, "Custom::SandcastleSpendingRelease").items()
                if resource["Properties"]["PolicyArn"] == definition["PolicyArn"]
            )
            assert release in dependencies(template, key)
            kept = {definition["PolicyArn"]["Ref"], *(role["Ref"] for role in definition["Roles"])}
            assert kept <= dependencies(template, release)
            found += 1
    assert found >= len(each.workloads)


def test_every_function_that_starts_jobs_is_under_the_limit(each: Synthesis) -> None:
    for template in each.workloads:
        starts = {
            function["Properties"]["Role"]["Fn::GetAtt"][0]
            for function in resources(template, "AWS::Lambda::Function").values()
            if function["Properties"]["Handler"] in ("jobs.on_event", "monitor_run.handler")
        }
        (action,) = resources(template, "AWS::Budgets::BudgetsAction").values()
        assert {one["Ref"] for one in action["Properties"]["Definition"]["IamActionDefinition"]["Roles"]} == starts


def test_budgets_go_before_what_ends_the_environment() -> None:
    """If one cannot be deleted, the schedules that try again are still there."""
    found = 0
    for synthesis in map(synthesise, ENVIRONMENTS):
        template = synthesis.template("guardrails")
        for ending in resources(template, "Custom::SandcastleExpiry"):
            for budget in resources(template, "AWS::Budgets::Budget"):
                assert ending in dependencies(template, budget)
            before = dependencies(template, ending)
            assert set(resources(template, "AWS::Scheduler::ScheduleGroup")) <= before
            assert {key for key in resources(template, "AWS::Lambda::Function") if "Expiry" in key} <= before
            assert set(resources(template, "AWS::SNS::Topic")) <= before
            found += 1
    assert found


def test_only_an_environment_that_ends_has_what_ends_it() -> None:
    for name in ENVIRONMENTS:
        template, minutes = synthesise(name).template("guardrails"), load_environment(name, ROOT).expires_after_minutes
        endings = resources(template, "Custom::SandcastleExpiry")
        assert [one["Properties"]["ExpiresAfterMinutes"] for one in endings.values()] == ([minutes] if minutes else [])
        assert ("ExpiryGroup" in template["Outputs"]) is bool(minutes)
        assert bool(resources(template, "AWS::Scheduler::ScheduleGroup")) is bool(minutes)


def test_layers_are_those_of_the_app(each: Synthesis) -> None:
    """Every stack but the guardrails is in one layer, and rests only on stacks of later ones."""
    layers = stack_layers(load_environment(each.environment, ROOT))
    place = {name: number for number, layer in enumerate(layers) for name in layer}
    guardrails = f"sandcastle-{each.environment}-guardrails"
    assert set(each.templates) <= set(place) | {guardrails}
    manifest = json.loads((each.folder / "manifest.json").read_text())["artifacts"]
    for name in each.templates:
        for other in set(manifest[name].get("dependencies", [])) & set(each.templates) - {guardrails}:
            assert place[other] > place[name]
