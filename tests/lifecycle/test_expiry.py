"""A time to live: the environment warns, destroys itself stack by stack, survives a failure, and goes last itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.environments import written
from tests.lifecycle.stand import stand
from tests.lifecycle.topic import Listener

STEP = 300
"""Virtual seconds between two steps."""


@dataclass
class Ending:
    """A deployed environment that has two hours to live."""

    cloud: Cloud
    name: str
    file: str
    group: str
    listener: Listener

    def expiry(self) -> datetime:
        """When it is to be destroyed."""
        found: datetime = self.cloud.client("scheduler").get_schedule(GroupName=self.group, Name="expire")["StartDate"]
        return found

    def left(self) -> float:
        """Virtual seconds until then."""
        now: float = self.cloud.admin("clock")["now"]
        return self.expiry().timestamp() - now

    def steps_until(self, happened: Callable[[], bool], what: str) -> None:
        """Let five minutes pass again and again, and what each step begins come to its end."""
        for _ in range(12):
            before = self.cloud.stacks()
            self.cloud.advance(STEP)
            deadline = time.monotonic() + 5
            while self.cloud.stacks() == before and time.monotonic() < deadline:  # a step runs beside the clock
                time.sleep(0.1)
            self.cloud.until(self._quiet, "what the step began")
            if happened():
                return
        raise AssertionError(f"twelve steps and not: {what}; {self.cloud.stacks()} {self.listener.subjects()}")

    def _quiet(self) -> bool:
        return not any(status.endswith("_IN_PROGRESS") for status in self.cloud.stacks().values())


@pytest.fixture
def ending(cloud: Cloud) -> Iterator[Ending]:
    name = "ending"
    place = stand(cloud, written(name, expires_after="2h", workloads={"bank": {}})).up()
    described = cloud.client("cloudformation").describe_stacks(StackName=f"sandcastle-{name}-guardrails")["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    listener = Listener(cloud, outputs["AlarmTopicArn"])
    yield Ending(cloud, name, place.file, outputs["ExpiryGroup"], listener)
    listener.close()


def test_an_environment_ends_by_itself_and_survives_a_stack_that_refuses_to_go(ending: Ending) -> None:
    cloud, before = ending.cloud, ending.expiry()
    stand(cloud, written(ending.name, expires_after="2h", workloads={"bank": {}}, monthly_budget_usd=600)).up()
    assert ending.expiry() == before  # deploying a change is no reason to live longer

    cloud.advance(ending.left() - 3600 - 60)
    assert ending.listener.subjects() == []
    cloud.advance(120)
    (warning,) = cloud.until(ending.listener.subjects, "the warning")
    assert warning == f"Sandcastle ending: will be destroyed at {before:%Y-%m-%d %H:%M} UTC"
    assert "sandcastle extend 2d --environment ending" in ending.listener.heard[0][1]
    deployed = cloud.stacks()
    cloud.advance(ending.left() - 60)
    assert cloud.stacks() == deployed

    interface = _interface_in_the_network(cloud)
    alone = {"sandcastle-ending-foundation": "DELETE_FAILED", "sandcastle-ending-guardrails": "UPDATE_COMPLETE"}
    ending.steps_until(lambda: cloud.stacks() == alone, "the foundation refuses to go")
    news = "Sandcastle ending: sandcastle-ending-foundation cannot be deleted"
    ending.steps_until(lambda: news in ending.listener.subjects(), "the next step tells it")
    assert any("has dependencies and cannot be deleted" in text for _, text in ending.listener.heard)

    cloud.client("ec2").delete_network_interface(NetworkInterfaceId=interface)
    ending.steps_until(lambda: not cloud.stacks(), "everything is gone")
    subjects = ending.listener.subjects()
    assert "Sandcastle ending: is being destroyed" in subjects
    assert subjects[-1] == "Sandcastle ending: is destroyed"
    reasons = [text for subject, text in ending.listener.heard if "cannot be deleted" in subject]
    assert len(reasons) == len(set(reasons))  # none is told again within the hour
    cloud.assert_nothing_left(ending.file)


def _interface_in_the_network(cloud: Cloud) -> str:
    """Put an interface where the foundation's subnets are: they cannot be deleted while it is there."""
    ec2 = cloud.client("ec2")
    tag = {"Name": "tag:sandcastle:environment", "Values": ["ending"]}
    subnet = ec2.describe_subnets(Filters=[tag])["Subnets"][0]["SubnetId"]
    made: dict[str, Any] = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    return str(made["NetworkInterfaceId"])
