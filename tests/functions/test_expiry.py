"""One step of an environment's end: what it begins, what it waits for, whom it tells, and that it goes last itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import expiry
import pytest
from environment_stacks import Stack

from tests.functions.conftest import Context, Scripted

END = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)
NAMES = {part: f"sandcastle-a-{part}" for part in ("teardown", "studio", "foundation", "guardrails")}
LAYERS = [[NAMES["teardown"]], [NAMES["studio"]], [NAMES["foundation"]]]


@dataclass
class World:
    """An environment's stacks by part and status, and what a step does with them."""

    monkeypatch: pytest.MonkeyPatch
    stacks: Scripted
    scheduler: Scripted
    sns: Scripted
    messages: list[tuple[str, str]] = field(default_factory=list)

    def expiry(self) -> expiry.Expiry:
        return expiry.Expiry(
            environment="a",
            layers=LAYERS,
            own_stack=NAMES["guardrails"],
            group="group",
            topic_arn="topic",
            cloudformation=self.stacks.client,
            scheduler=self.scheduler.client,
            sns=self.sns.client,
        )

    def has(self, **statuses: str) -> None:
        found = [Stack(NAMES[part], f"id-{part}", status, {}) for part, status in statuses.items()]
        self.monkeypatch.setattr(expiry, "stacks_of", lambda _client, _environment: found)

    def end_is(self, moment: datetime) -> None:
        self.scheduler.reply("get_schedule", {"GroupName": "group", "Name": "expire"}, {"StartDate": moment})

    def step(self, at: datetime = END + timedelta(hours=1), deleted: Sequence[str] = ()) -> None:
        self.end_is(END)
        for part in deleted:
            self.stacks.reply("delete_stack", {"StackName": f"id-{part}"})
        self.expiry().step(at)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, stacks: Scripted, scheduler: Scripted, sns: Scripted) -> World:
    made = World(monkeypatch, stacks, scheduler, sns)

    def tell(_sns: Any, topic: str, environment: str, subject: str, text: str) -> None:
        assert (topic, environment) == ("topic", "a")
        made.messages.append((subject, text))

    monkeypatch.setattr(expiry, "tell", tell)
    monkeypatch.setattr(expiry, "news", lambda _client, stack_id: [f"{stack_id} is in use"])
    return made


def test_a_warning_says_what_goes_when_and_how_to_keep_it(world: World) -> None:
    world.end_is(END)
    world.has(studio="CREATE_COMPLETE", guardrails="CREATE_COMPLETE")
    world.expiry().warn()
    ((subject, text),) = world.messages
    assert subject == "will be destroyed at 2026-11-26 20:00 UTC"
    assert "sandcastle-a-studio, sandcastle-a-guardrails" in text
    assert "sandcastle extend 2d --environment a" in text


def test_the_first_step_says_that_it_begins(world: World) -> None:
    world.has(teardown="CREATE_COMPLETE", studio="CREATE_COMPLETE", guardrails="CREATE_COMPLETE")
    world.step(at=END, deleted=["teardown"])
    assert [subject for subject, _ in world.messages] == ["is being destroyed"]


def test_a_later_step_goes_on_in_silence(world: World) -> None:
    world.has(studio="CREATE_COMPLETE", foundation="CREATE_COMPLETE", guardrails="CREATE_COMPLETE")
    world.step(deleted=["studio"])
    assert world.messages == []


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"])
def test_nothing_is_begun_while_anything_is_in_progress(world: World, status: str) -> None:
    world.has(studio=status, foundation="DELETE_FAILED", guardrails="CREATE_COMPLETE")
    world.step()
    assert world.messages == []


def test_a_step_that_was_sent_before_an_extension_does_nothing(world: World) -> None:
    world.has(studio="CREATE_COMPLETE", guardrails="CREATE_COMPLETE")
    world.end_is(END + timedelta(days=2))
    world.expiry().step(END)
    assert world.messages == []


def test_what_refused_to_go_is_told_and_tried_again(world: World) -> None:
    world.has(foundation="CREATE_COMPLETE", studio="DELETE_FAILED", guardrails="CREATE_COMPLETE")
    world.step(deleted=["studio", "foundation"])
    ((subject, text),) = world.messages
    assert subject == "sandcastle-a-studio cannot be deleted"
    assert "id-studio is in use" in text


def test_a_failure_that_is_no_news_is_tried_again_in_silence(world: World) -> None:
    world.monkeypatch.setattr(expiry, "news", lambda *_: [])
    world.has(studio="DELETE_FAILED", guardrails="CREATE_COMPLETE")
    world.step(deleted=["studio"])
    assert world.messages == []


def test_its_own_stack_goes_last_and_alone(world: World) -> None:
    world.has(foundation="CREATE_COMPLETE", guardrails="CREATE_COMPLETE")
    world.step(deleted=["foundation"])
    assert world.messages == []
    world.has(guardrails="CREATE_COMPLETE")
    world.step(deleted=["guardrails"])
    assert [subject for subject, _ in world.messages] == ["is destroyed"]


def test_its_own_stack_is_tried_again_too(world: World) -> None:
    world.has(guardrails="DELETE_FAILED")
    world.step(deleted=["guardrails"])
    assert [subject for subject, _ in world.messages] == ["sandcastle-a-guardrails cannot be deleted"]


@pytest.mark.parametrize(("event", "done"), [({"do": "warn", "at": "x"}, "warn"), ({"do": "expire"}, "step")])
def test_handler_reads_its_surroundings(monkeypatch: pytest.MonkeyPatch, event: dict[str, str], done: str) -> None:
    called: list[tuple[str, expiry.Expiry, datetime | None]] = []
    monkeypatch.setattr(expiry, "client", lambda service: service)
    monkeypatch.setattr(expiry.Expiry, "warn", lambda self: called.append(("warn", self, None)))
    monkeypatch.setattr(expiry.Expiry, "step", lambda self, at: called.append(("step", self, at)))
    for name, value in {
        "ENVIRONMENT": "a", "LAYERS": '[["x"],["y"]]', "OWN_STACK": "g", "GROUP": "group", "TOPIC_ARN": "topic"
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    expiry.handler({"at": "2026-11-26T20:00:00Z", **event}, Context())
    ((what, made, at),) = called
    assert what == done
    assert made == expiry.Expiry("a", [["x"], ["y"]], "g", "group", "topic", "cloudformation", "scheduler", "sns")
    assert at in (None, END)


def test_a_message_is_published_with_its_environment(sns: Scripted) -> None:
    from messages import tell

    sns.reply(
        "publish",
        {
            "TopicArn": "topic",
            "Subject": "Sandcastle a: hello",
            "Message": "text",
            "MessageAttributes": {"sandcastle": {"DataType": "String", "StringValue": "a"}},
        },
    )
    tell(sns.client, "topic", "a", "hello", "text")
