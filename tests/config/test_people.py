"""Studio, the notebook and the times at which things stop: what a right file becomes, and each kind of mistake."""

from __future__ import annotations

import pytest

from sandcastle.config import NightlyStop, Notebook, Studio, User
from sandcastle.config.durations import minutes_of
from tests.config.conftest import VALID, Project

PEOPLE = (
    VALID.replace("never", "3d")
    + """\
nightly_stop: {at: "20:00", timezone: Europe/Berlin, endpoints: true, wake: "08:00"}
studio:
  network: public
  instances: [ml.t3.medium, ml.m5.large]
  storage_gb: 5
  max_storage_gb: 20
  users:
    - ada
    - {name: alan, workloads: [plain], monthly_budget_usd: 20}
notebook: {instance: ml.t3.medium, stop_at: "19:30"}
"""
)


def test_people_and_times(project: Project) -> None:
    environment = project.load(PEOPLE)
    assert environment.expires_after_minutes == 3 * 24 * 60
    assert environment.nightly_stop == NightlyStop("20:00", "Europe/Berlin", True, "08:00")
    users = (User("ada", ("plain", "spotty"), None), User("alan", ("plain",), 20.0))
    assert environment.studio == Studio("public", 60, ("ml.t3.medium", "ml.m5.large"), 5, 20, False, users)
    assert environment.notebook == Notebook("ml.t3.medium", "notebook-al2023-v1", 5, 60, "public", "19:30", "UTC")
    assert not environment.vpc_only


def test_an_environment_may_be_people_alone(project: Project) -> None:
    start, _, rest = PEOPLE.partition("workloads:\n")
    text = start + rest[rest.index("expires_after") :]
    environment = project.load(text.replace(", workloads: [plain]", ""))
    assert environment.workloads == ()
    (problem,) = project.refuse(start + "expires_after: never\n").problems
    assert (problem.key, problem.message[:9]) == ("workloads", "needs at ")


def test_nobody_is_called_what_the_notebook_instance_is_called(project: Project) -> None:
    from sandcastle.config import NOTEBOOK_USER

    (problem,) = project.refuse(PEOPLE.replace("- ada", f"- {NOTEBOOK_USER}")).problems
    assert (problem.key, problem.message) == ("studio.users[0]", "the notebook instance works under this name")


@pytest.mark.parametrize("name", ["users", "users-ada"])
def test_no_workload_is_named_like_what_users_make(project: Project, name: str) -> None:
    folder = project.root / "assets" / "workloads"
    (folder / "plain").rename(folder / name)
    (problem,) = project.refuse(VALID.replace("  plain:", f"  {name}:")).problems
    assert problem.key == f"workloads.{name}"
    assert "belong to users of Studio" in problem.message


def test_never_is_said_and_never_is_meant(project: Project) -> None:
    assert project.load(VALID).expires_after_minutes is None
    (problem,) = project.refuse(VALID.replace("expires_after: never\n", "")).problems
    assert problem.key == "expires_after"
    assert "required" in problem.message
    assert "never" in problem.allowed


@pytest.mark.parametrize(
    ("text", "minutes"), [("30m", 30), ("2h", 120), ("3d", 4320), ("0d", None), ("3 d", None), ("d", None)]
)
def test_lengths_of_time(text: str, minutes: int | None) -> None:
    assert minutes_of(text) == minutes


def test_a_network_without_internet_costs_its_interface_endpoints(project: Project) -> None:
    """Four endpoints in two zones at a cent an hour, two of a model, four alarms, a disk: 58.4 + 167.9 + 0.4 + 0.7."""
    text = PEOPLE.replace("network: public", "network: vpc-only")
    assert project.load(text.replace("usd: 200", "usd: 228")).vpc_only
    (problem,) = project.refuse(text.replace("usd: 200", "usd: 227")).problems
    assert problem.allowed.startswith("at least 228")
    ireland = project.load(text.replace("us-east-1", "eu-west-1"))
    assert any("interface endpoints in eu-west-1" in note for note in ireland.notes)


MISTAKES = [
    # what is replaced, by what, key, words of the message, words of what is allowed
    ("3d", "3w", "expires_after", "right form", "30m to 365d"),
    ("3d", "29m", "expires_after", "out of range", "30m to 365d"),
    ("3d", "366d", "expires_after", "out of range", "or never"),
    ("- ada", "- Ada", "studio.users[0]", "right form", "lower-case"),
    ("- ada", "- 7", "studio.users[0]", "must be a map", "at most 40 names"),
    ("- ada", "- a", "studio.users[0]", "at least 2", "2 to 20"),
    ("- ada", "- alan", "studio.users[1]", "twice", "once"),
    ("[plain]", "[plan]", "studio.users[1].workloads[0]", "did you mean plain?", "plain, spotty"),
    ("budget_usd: 20}", "budget_usd: 0}", "studio.users[1].monthly_budget_usd", "greater than 0", "US dollars"),
    ("name: alan,", "name: alan, workload: [],", "studio.users[1].workload", "did you mean workloads?", "name"),
    ("network: public", "network: private", "studio.network", "not a valid value", "vpc-only"),
    ("ml.m5.large]", "ml.m5.lrge]", "studio.instances[1]", "did you mean ml.m5.large?", "more"),
    ("[ml.t3.medium, ml.m5.large]", "[]", "studio.instances", "at least 1", "instance types"),
    ("storage_gb: 5\n", "storage_gb: 21\n", "studio.storage_gb", "more than max_storage_gb", "at most 20"),
    ("storage_gb: 5\n", "storage_gb: 4\n", "studio.storage_gb", "5", "5 to 16384"),
    ("network: public", "idle_minutes: 59", "studio.idle_minutes", "60", "60 to 525600"),
    ("k: {instance: ml.t3.medium", "k: {instance: ml.t3.mediun", "notebook.instance", "for notebooks", "more"),
    ("k: {instance", "k: {platform: notebook-al1-v1, instance", "notebook.platform", "not a valid", "al2023"),
    ('"19:30"', "19:30", "notebook.stop_at", "text needs quotes", ""),
    ('"19:30"', '"24:30"', "notebook.stop_at", "right form", "23:59"),
    ("Europe/Berlin", "Europe/Berlim", "nightly_stop.timezone", "did you mean Europe/Berlin?", "IANA"),
    ("endpoints: true", "endpoints: false", "nightly_stop.wake", "only endpoints", "endpoints: true"),
    ('wake: "08:00"', 'wake: "20:00"', "nightly_stop.wake", "the same time", "another"),
    ("{at: \"20:00\", ", "{", "nightly_stop.at", "required", "time of day"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "message", "allowed"), MISTAKES)
def test_mistake(project: Project, old: str, new: str, key: str, message: str, allowed: str) -> None:
    assert old in PEOPLE
    error = project.refuse(PEOPLE.replace(old, new, 1))
    found = [problem for problem in error.problems if problem.key == key]
    assert any(message in problem.message and allowed in problem.allowed for problem in found), str(error)
    assert len(error.problems) == 1, str(error)
