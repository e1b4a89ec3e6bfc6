"""A turn of bringing an environment to rest: everything is tried, in an order that lets nothing start again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import quiesce
from botocore.exceptions import ClientError
from ours import Ours

from tests.functions.conftest import CloudFormation, Context

Parts = dict[str, list[str]]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """What each part of a turn leaves, to be set; every call is noted under ``called``."""
    left: Parts = {"called": []}

    def part(name: str) -> Callable[..., list[str]]:
        def take(*_: Any) -> list[str]:
            left["called"].append(name)
            return list(left.get(name, []))

        return take

    for name in (
        "stop_pipelines", "stop_jobs", "give_up_warm_pools", "delete_endpoints",
        "delete_definitions", "empty_registry", "delete_parts", "delete_job_logs", "jobs_of", "delete_monitor_logs",
        "disable_rules", "stacks_of",
    ):  # fmt: skip
        monkeypatch.setattr(quiesce, name, part(name))
    stop = part("stop_schedules")
    monkeypatch.setattr(quiesce, "stop_schedules", lambda _: (stop(), dict.fromkeys(left.get("watches", []), "e")))
    monkeypatch.setattr(quiesce, "held_by", lambda *_: {})
    monkeypatch.setattr(quiesce, "endpoints_of", lambda _: (dict.fromkeys(left.get("endpoints", []), "InService"), []))
    monkeypatch.setattr(quiesce.EndpointLogs, "delete", lambda *_: [])
    return left


def turn() -> str:
    return quiesce.turns("a", "", 30.0, lambda _service: None)()


def test_at_rest_nothing_is_left_and_what_jobs_logged_goes_last(parts: Parts) -> None:
    assert turn() == ""
    assert parts["called"][-3:] == ["delete_job_logs", "jobs_of", "delete_monitor_logs"]


def test_what_starts_other_things_comes_first(parts: Parts) -> None:
    turn()
    assert parts["called"][:4] == ["stacks_of", "disable_rules", "stop_pipelines", "stop_schedules"]


def test_logs_of_schedules_that_went_in_an_earlier_turn_go_too(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []
    monkeypatch.setattr(quiesce, "jobs_of", lambda _, schedules: asked.append(set(schedules)) or set())
    take = quiesce.turns("a", "", 30.0, lambda _service: None)
    parts["stop_schedules"] = ["1 monitoring schedule (any)"]
    parts["watches"] = ["any"]
    assert take()
    parts["stop_schedules"], parts["watches"] = [], []
    assert take() == ""
    assert asked == [{"any"}]


@pytest.mark.parametrize(
    ("busy", "waits"),
    [
        ("stop_pipelines", {"empty_registry"}),
        ("stop_schedules", {"delete_definitions"}),
        ("stop_jobs", {"delete_parts"}),
        ("endpoints", {"delete_parts"}),
    ],
)
def test_what_something_else_still_uses_waits(parts: Parts, busy: str, waits: set[str]) -> None:
    parts[busy] = ["something"]
    parts["delete_endpoints"] = ["something"]
    assert "something" in turn()
    every = {"delete_definitions", "empty_registry", "delete_parts"}
    assert every - set(parts["called"]) == waits
    assert "delete_job_logs" not in parts["called"]


def test_a_lasting_refusal_is_raised_after_everything_was_tried(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StopTrainingJob")

    def stop(mine: Ours) -> list[str]:
        mine.refused = refusal
        return ["1 training job"]

    monkeypatch.setattr(quiesce, "stop_jobs", stop)
    with pytest.raises(ClientError, match="AccessDenied"):
        turn()
    assert {"delete_endpoints", "empty_registry"} <= set(parts["called"])
    assert "1 training job" in capsys.readouterr().out


@pytest.mark.usefixtures("parts")
def test_handler_answers(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiesce, "client", lambda _service: None)
    event = cloudformation.event("Delete", Environment="a", DomainArn="", LateLogSeconds="30", WaitSeconds="3300")
    quiesce.handler(event, Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]
