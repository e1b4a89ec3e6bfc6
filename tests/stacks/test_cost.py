"""The bill of each environment, from its templates: the same figures as the check of its budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations import cli
from operations.review.assembly import read_assembly
from operations.review.cost import Estimate, estimate
from sandcastle.config import Environment, load_environment
from sandcastle.config.catalogue import item_price
from sandcastle.config.idle import standing_of
from tests.stacks.monitored import ENGINES, file_of, monitored
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_monitors_cost_the_same_with_either_engine(engine: str) -> None:
    synthesis = monitored(engine)
    found, environment = estimate(read_assembly(synthesis.folder)), load_environment(file_of(engine), ROOT)
    looks = [one for one in found.lines if one.part == "looks"]
    gaps = {(one.name, look.kind): look.hours for one in environment.workloads for look in one.monitors}
    assert sum(one.monthly or 0.0 for one in looks) == pytest.approx(
        sum(0.115 / 6 * 730 / gap for gap in gaps.values())
    )
    assert sorted(str(one.workload) for one in looks) == sorted(name for name, _ in gaps)
    assert {one.kind for one in looks} == {"fixed"}
    assert found.monthly == pytest.approx(reckoned(environment)[0])


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


def test_the_table_says_what_is_billed_whose_it_is_and_what_has_no_price(
    local: Synthesis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["cost", "--assembly", str(local.folder)]) == 0
    said = capsys.readouterr().out
    for expected in (
        "us-east-1",
        "83.95   bank ",
        "endpoint, 1 x ml.m5.large",
        "730 h of each",
        "0.115 / hour",
        "169.00   in all",
        "user ada ",
        "processing storage in us-east-1: disks of processing jobs (bank, mnist-linear)",
        "A destroy saves",
        "Not reckoned: taxes",
    ):
        assert expected in said, expected
    assert "sandcastle-local" not in said


def test_other_amounts_and_machines(local: Synthesis, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(local.folder)
    assert cli.main(["cost", "--assembly", folder, "--json", "--assume", "app_hours=100"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["users"]["ada"]["use"]["monthly_usd"] == pytest.approx(5.0)
    assert document["totals"]["fixed"] == {"monthly_usd": 169.0, "no_price": []}
    assert {line["kind"] for line in document["lines"]} == {"fixed", "storage", "use"}
    assert cli.main(["cost", "--assembly", folder, "--assume", "ap_hours=1"]) == 2
    assert "did you mean app_hours?" in capsys.readouterr().err
    assert cli.main(["cost", "local", "--assembly", folder]) == 2


def test_an_environment_is_synthesised_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "priced.yaml"
    file.write_text(
        "name: priced\nregion: us-east-1\nmonthly_budget_usd: 9\nexpires_after: 2d\nstudio: {users: [ada]}\n",
        encoding="utf-8",
    )
    assert cli.main(["cost", str(file)]) == 0
    said = capsys.readouterr().out
    assert "environment priced, us-east-1" in said
    assert "It ends by itself after 2 d" in said
    assert cli.main(["cost", "prized"]) == 2
