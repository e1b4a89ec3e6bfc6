"""Faults during a destruction: throttling, functions that die or run out of time, and things that cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lifecycle.conftest import Cloud, running_localcloud
from tests.lifecycle.environments import written
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.account import contents, more
from tests.lifecycle.matrix.situation import HOME, WHOLE
from tests.lifecycle.stand import Stand, stand

JANITORS = ("Quiesce", "StudioDrain", "DomainDelete", "DomainSweep", "Release", "Janitor", "JobLogs")
"""Parts of the names of the functions behind every janitor."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_localcloud(tmp_path_factory, LOCALCLOUD_SETTLE_MS="20") as running:
        yield running


@pytest.fixture
def place(cloud: Cloud, request: pytest.FixtureRequest) -> Stand:
    """A whole environment with a person at work in it."""
    cloud.reset()
    found = stand(cloud, written("faulty", **getattr(request, "param", HOME)))
    found.prepare()
    found.before = contents(cloud)
    statuses = found.deploy()
    assert set(statuses.values()) == {"CREATE_COMPLETE"}, statuses
    people.space(found, "notes")
    people.app(found, SpaceName="notes")
    people.processing(found, "running")
    return found


def ends_at_zero(place: Stand) -> dict[str, object]:
    report: dict[str, object] = place.destroy()
    place.faults()
    assert report["clean"] is True
    assert more(place.before, contents(place.cloud)) == {}
    assert place.cloud.running_meters() == []
    return report


@pytest.mark.exhaustive
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_throttled_calls(place: Stand, share: float) -> None:
    place.faults({"effect": "throttle", "probability": share, "seed": 7})
    ends_at_zero(place)


@pytest.mark.parametrize("when", [pytest.param("start", marks=pytest.mark.exhaustive), "end"])
@pytest.mark.parametrize("place", [WHOLE], indirect=True)
def test_every_janitor_dies_once(place: Stand, when: str) -> None:
    rules = [{"function": name, "effect": "crash", "when": when, "times": 1} for name in JANITORS]
    place.faults(*rules)
    ends_at_zero(place)
    told = place.cloud.admin("faults")["rules"]
    assert told == [] or all(rule["applied"] == 1 for rule in told), told


@pytest.mark.exhaustive
@pytest.mark.parametrize("janitor", ["StudioDrain", "Quiesce"])
def test_a_janitor_that_runs_out_of_time_once(place: Stand, janitor: str) -> None:
    place.faults({"function": janitor, "effect": "time-out", "times": 3})
    ends_at_zero(place)


@pytest.mark.exhaustive  # the usual run has it in tests/operations/test_destroy.py
def test_what_cannot_be_reached_is_told_with_its_cost_and_the_command_that_removes_it(place: Stand) -> None:
    """A notebook that was made in the console, which no janitor's stack holds, and which refuses to go."""
    sagemaker = place.client("sagemaker")
    sagemaker.create_notebook_instance(
        NotebookInstanceName="stays", InstanceType="ml.t3.medium", RoleArn=people.role(place), Tags=place.tag_list
    )
    place.faults(
        {"operation": "DeleteNotebookInstance", "effect": "fail", "code": "AccessDeniedException", "status": 400}
    )
    report = place.destroy(expect=1)
    (left,) = (one for one in report["audit"]["findings"] if one["billable"])
    assert (left["kind"], left["name"]) == ("notebook instance", "stays")
    assert left["monthly_usd"] > 0
    assert left["remove"].startswith("aws sagemaker delete-notebook-instance --notebook-instance-name stays")
    assert [one["name"] for one in report["refused"]] == ["stays"]
    place.faults()
    ends_at_zero(place)
