"""The bill of each environment, from its templates: the same figures as the check of its budget."""

from __future__ import annotations

import json

import pytest

from operations.review.assembly import read_assembly
from operations.review.cost import Estimate, estimate
from sandcastle.config import Environment, load_environment
from sandcastle.config.catalogue import item_price
from sandcastle.config.idle import standing_of
from tests.stacks.monitored import ENGINES, monitored
from tests.synthesis import ROOT, Synthesis

_WITH_NIGHT = {"team": 12 / 24, "classroom": 12 / 24}
"""Environments whose endpoints sleep, and for how much of a day."""


def reckoned(environment: Environment) -> tuple[float, set[str]]:
    """Return what the check of the budget comes to, and what it has no price for."""
    region = environment.region or ""
    found = [(one, one.price(region)) for one in standing_of(environment)]
    return sum(price.usd * one.units for one, price in found if price), {one.name for one, price in found if not price}


def night(found: Estimate) -> float:
    """Return what the night saves."""
    return -sum(one.monthly or 0.0 for one in found.lines if one.part.startswith("night "))


def test_fixed_total_is_what_the_check_of_the_budget_reckons_with(each: Synthesis) -> None:
    """Only the night makes a difference: a budget must last also while somebody keeps the endpoints awake."""
    found, environment = estimate(read_assembly(each.folder)), load_environment(each.environment, ROOT)
    total, unknown = reckoned(environment)
    assert found.monthly + night(found) == pytest.approx(total)
    assert bool(unknown) == bool(found.total("fixed").unpriced)
    endpoints = sum(one.units for one in standing_of(environment) if one.use == "hosting") * 0.115
    share = _WITH_NIGHT.get(each.environment, 0.0) if not unknown else 0.0
    assert night(found) == pytest.approx(endpoints * share)


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_monitors_cost_the_same_with_either_engine(engine: str) -> None:
    synthesis = monitored(engine)
    found = estimate(read_assembly(synthesis.folder))
    looks = [one for one in found.lines if one.part == "looks"]
    # bank: two hourly; penguins: one a day, and one every six hours; mnist-kmeans: one hourly
    assert sum(one.monthly or 0.0 for one in looks) == pytest.approx(0.115 / 6 * (3 * 730 + 730 / 24 + 730 / 6))
    assert {one.workload for one in looks} == {"bank", "penguins", "mnist-kmeans"}
    assert {one.kind for one in looks} == {"fixed"}


def test_all_that_an_environment_of_us_east_1_holds_is_known(each: Synthesis) -> None:
    """Every type is reckoned or free; without a price are the disks of jobs, and transforms on an ml.m5.large."""
    found = estimate(read_assembly(each.folder))
    assert not [one for one in found.lines if "nothing is known" in one.assumption or "only known" in one.assumption]
    if found.region == "us-east-1":
        assert {one.assumption for one in found.unpriced} <= {
            "no price for processing storage in us-east-1",
            "no price for training storage in us-east-1",
            "no price for ml.m5.large transform in us-east-1",
        }
        assert found.total("fixed").unpriced == ()
    else:
        assert item_price("alarm", str(found.region)) is None
        assert "no price for alarm" in {one.assumption.partition(" in ")[0] for one in found.unpriced}


def test_everything_is_saved_by_a_destroy_and_told_to_machines(each: Synthesis) -> None:
    found = estimate(read_assembly(each.folder))
    assert found.left_by_destroy == ()
    assert found.saved_by_destroy.known == pytest.approx(found.total("fixed", "storage").known)
    document = json.loads(json.dumps(found.document()))
    environment = load_environment(each.environment, ROOT)
    users = environment.studio.users if environment.studio else ()
    assert set(document["users"]) == {one.name for one in users}
    assert set(document["workloads"]) == {one.name for one in environment.workloads}
    assert document["lives_minutes"] == environment.expires_after_minutes
    assert estimate(read_assembly(each.folder)) == found
