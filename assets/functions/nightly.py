"""The night of an environment: stops what costs money while nobody is there, and wakes endpoints in the morning.

``{"do": "warn" | "stop" | "wake"}``; the answer is what was done, line by line, and the topic hears the same. One that
cannot be stopped keeps none of the others running.

A stopped endpoint is deleted: there is no other way not to pay for it. Its configuration and its model stay, and
CloudFormation goes on believing that it is there. Deleting the stack meanwhile works; changing it does not, so wake
it first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError
from environment_stacks import stacks_of
from messages import tell
from night import apps, asleep, endpoints, notebooks, tags_of
from ours import Ours


@dataclass
class Night:
    """One environment's: its Studio domain (id, or empty), whether endpoints stop too, when, and whom it tells."""

    environment: str
    domain_id: str
    stops_endpoints: bool
    when: str
    topic_arn: str
    get_client: Callable[[str], Any]
    lines: list[str] = field(default_factory=list)

    def warn(self) -> list[str]:
        """Say what will be stopped; nothing when nothing runs. Raises ClientError."""
        found = [f"notebook instance {name}" for name in notebooks(self._ours)]
        found += [f"app {_words(app)}" for app in apps(self._sagemaker, self.domain_id)]
        found += [f"endpoint {name}" for name in self._endpoints()]
        if found:
            self.lines = [f"will be stopped: {what}" for what in found]
            self._tell(f"what runs is stopped at {self.when}")
        return self.lines

    def stop(self) -> list[str]:
        """Stop it. Raises ClientError only when it cannot be found out what runs."""
        sagemaker = self._sagemaker
        for name in notebooks(self._ours):
            what = f"notebook instance {name}"
            self._do(what, "stopped", sagemaker.stop_notebook_instance, NotebookInstanceName=name)
        for app in apps(sagemaker, self.domain_id):
            self._do(f"app {_words(app)}", "stopped", sagemaker.delete_app, **app)
        for name in self._endpoints():
            self._do(f"endpoint {name}", "stopped", sagemaker.delete_endpoint, EndpointName=name)
        if self.lines:
            self._tell("stopped for the night")
        return self.lines or ["nothing ran"]

    def wake(self) -> list[str]:
        """Make the endpoints of stacks again that are not there. Raises ClientError when they cannot be found out."""
        stacks = stacks_of(self.get_client("cloudformation"), self.environment)
        for stack, name, config in asleep(self._sagemaker, stacks):
            self._do(
                f"endpoint {name}",
                "woken",
                self._sagemaker.create_endpoint,
                EndpointName=name,
                EndpointConfigName=config,
                Tags=tags_of(stack, self.environment),
            )
        if self.lines:
            self._tell("awake again")
        return self.lines or ["nothing slept"]

    @property
    def _sagemaker(self) -> Any:
        return self.get_client("sagemaker")

    @property
    def _ours(self) -> Ours:
        return Ours(self._sagemaker, self.environment)

    def _endpoints(self) -> list[str]:
        return endpoints(self._ours) if self.stops_endpoints else []

    def _do(self, what: str, done: str, call: Callable[..., Any], **parameters: Any) -> None:
        try:
            call(**parameters)
        except ClientError as error:
            self.lines.append(f"NOT {done}: {what}: {text_of(error) or code_of(error)}")
        else:
            self.lines.append(f"{done}: {what}")

    def _tell(self, subject: str) -> None:
        tell(self.get_client("sns"), self.topic_arn, self.environment, subject, "\n".join(self.lines))


def handler(event: dict[str, Any], context: Any) -> list[str]:
    """Lambda entry point."""
    del context
    variables = os.environ
    night = Night(
        environment=variables["ENVIRONMENT"],
        domain_id=variables["DOMAIN_ID"],
        stops_endpoints=variables["ENDPOINTS"] == "true",
        when=variables["WHEN"],
        topic_arn=variables["TOPIC_ARN"],
        get_client=client,
    )
    if event["do"] == "warn":
        return night.warn()
    return night.stop() if event["do"] == "stop" else night.wake()


def _words(app: dict[str, str]) -> str:
    return f"{app['AppType']} of {app.get('SpaceName') or app['UserProfileName']}"
