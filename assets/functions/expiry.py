"""The end of an environment's time to live: warns of it, then destroys the environment and, last of all, itself.

Called by the schedules that ``expiry_schedule`` makes. A step looks at the stacks and begins what can be begun; it
waits for nothing, because in five minutes comes the next. So it survives whatever fails: a stack that refuses to go is
tried again, at every step, and is told about.

Never forced: CloudFormation would forget what it could not delete, and that would be billed on with nobody to say so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws import client
from environment_stacks import Stack, next_to_go, stacks_of
from messages import tell
from stack_failures import news

STEP = timedelta(minutes=5)
"""Between two steps."""


@dataclass(frozen=True)
class Expiry:
    """One environment's: its stacks in layers (names), the stack that this function is in, the schedules' group, and
    the topic that is told."""

    environment: str
    layers: Sequence[Sequence[str]]
    own_stack: str
    group: str
    topic_arn: str
    cloudformation: Any
    scheduler: Any
    sns: Any

    def warn(self) -> None:
        """Say what is destroyed when, and how to prevent it. Raises ClientError."""
        expiry = self.expiry()
        left = stacks_of(self.cloudformation, self.environment)
        self._tell(
            f"will be destroyed at {_words(expiry)}",
            f"At {_words(expiry)} environment {self.environment} is destroyed, with all data in it: "
            f"{', '.join(stack.name for stack in left)}.\n"
            f"To keep it longer: sandcastle extend 2d --environment {self.environment}\n"
            f"To keep it for good: set expires_after: never in its file and deploy it.",
        )

    def step(self, at: datetime) -> None:
        """Begin what can be begun now; ``at`` is when the step was due. Raises ClientError."""
        expiry = self.expiry()
        if at < expiry:  # extended after this step had been sent
            print(f"not before {_words(expiry)}")
            return
        if at < expiry + STEP:
            self._tell("is being destroyed", f"Environment {self.environment} has expired at {_words(expiry)}.")
        stacks = stacks_of(self.cloudformation, self.environment)
        busy = [stack.name for stack in stacks if stack.busy]
        if busy:
            print(f"waiting for {', '.join(busy)}")
            return
        for stack in stacks:
            if stack.refused:
                self._tell_failure(stack)
        others = [stack for stack in stacks if stack.name != self.own_stack]
        if not others and not any(stack.refused for stack in stacks):
            self._tell("is destroyed", "Nothing is left of it but this message's topic, which goes now.")
        for stack in next_to_go(others, self.layers) or stacks:
            print(f"deleting {stack.name}, which is {stack.status}")
            self.cloudformation.delete_stack(StackName=stack.stack_id)

    def expiry(self) -> datetime:
        """Return when the environment is to be destroyed: a person may have moved it. Raises ClientError."""
        found: datetime = self.scheduler.get_schedule(GroupName=self.group, Name="expire")["StartDate"]
        return found

    def _tell_failure(self, stack: Stack) -> None:
        reasons = news(self.cloudformation, stack.stack_id)
        if reasons:
            lines = "\n".join(f"- {reason}" for reason in reasons)
            self._tell(
                f"{stack.name} cannot be deleted",
                f"It is tried again every five minutes. CloudFormation says:\n{lines}\n"
                f"If it stays so: sandcastle destroy --environment {self.environment}",
            )

    def _tell(self, subject: str, text: str) -> None:
        tell(self.sns, self.topic_arn, self.environment, subject, text)


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point: ``{"do": "warn" | "expire", "at": when it was due}``."""
    del context
    variables = os.environ
    expiry = Expiry(
        environment=variables["ENVIRONMENT"],
        layers=json.loads(variables["LAYERS"]),
        own_stack=variables["OWN_STACK"],
        group=variables["GROUP"],
        topic_arn=variables["TOPIC_ARN"],
        cloudformation=client("cloudformation"),
        scheduler=client("scheduler"),
        sns=client("sns"),
    )
    if event["do"] == "warn":
        expiry.warn()
    else:
        expiry.step(datetime.fromisoformat(event["at"]))


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
