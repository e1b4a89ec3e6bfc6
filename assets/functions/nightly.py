"""The night of an environment: stops what costs money while nobody is there, and wakes endpoints in the morning.

``{"do": "warn" | "stop" | "wake"}``; the answer is what was done, line by line, and the topic hears the same. One that
cannot be stopped keeps none of the others running.

A stopped endpoint is deleted: there is no other way not to pay for it. Its configuration and its model stay, and
CloudFormation goes on believing that it is there. Deleting the stack meanwhile works; changing it does not, so wake
it first. What costs nothing while nobody asks is left alone: serverless endpoints, and asynchronous ones that scale to
none. An endpoint that is scaled is scaled again when it is back, at the second ``wake`` of a morning, and what monitors
it goes on then; at night a schedule's job would be billed each hour, to find no endpoint.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws import client, code_of, text_of
from botocore.exceptions import ClientError
from environment_stacks import Stack, stacks_of
from messages import tell
from night import (
    DIMENSION,
    Served,
    apps,
    endpoints,
    notebooks,
    of_pipeline,
    resource_id,
    scalable_targets,
    served,
    tags_of,
)
from night_pipelines import start_schedule, stop_deployed, stop_schedule, stopped_by_us, watching
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
        names = self._endpoints()
        pipelines = {of_pipeline(stack) for stack in self._stacks()} if names else set()
        for name in names:
            for one in watching(sagemaker, name):
                self._do(f"monitoring schedule {one.name}", "stopped", stop_schedule, sagemaker=sagemaker, schedule=one)
            if name in pipelines:
                self._do(f"endpoint {name}", "stopped", stop_deployed, sagemaker=sagemaker, endpoint=name)
            else:
                self._do(f"endpoint {name}", "stopped", sagemaker.delete_endpoint, EndpointName=name)
        if self.lines:
            self._tell("stopped for the night")
        return self.lines or ["nothing ran"]

    def wake(self) -> list[str]:
        """Make the endpoints of stacks again that are not there; have those scaled and watched again that are back.

        Whether a variant can be registered for scaling before its endpoint is in service, nobody says; so an endpoint
        that is made now is scaled the next time. Raises ClientError when it cannot be found out what sleeps.
        """
        found = served(self._sagemaker, self._stacks())
        for one in found:
            if not one.status:
                self._do(
                    f"endpoint {one.name}",
                    "woken",
                    self._sagemaker.create_endpoint,
                    EndpointName=one.name,
                    EndpointConfigName=one.config,
                    Tags=tags_of(one.stack, self.environment),
                )
        back = [one for one in found if one.status == "InService"]
        self._scale([one for one in back if one.scaling])
        self._watch(back)
        if self.lines:
            self._tell("awake again")
        return self.lines or ["nothing slept"]

    def _scale(self, found: list[Served]) -> None:
        """Scale what is not scaled: with an endpoint that is deleted, SageMaker takes away what scales it."""
        if not found:
            return
        autoscaling = self.get_client("application-autoscaling")
        scaled = {target["ResourceId"] for target in scalable_targets(autoscaling)}
        for one in found:
            for resource in (resource_id(one.name, variant) for variant in one.variants):
                if resource not in scaled:
                    self._do(f"scaling of {resource}", "woken", _scaler(autoscaling, resource), **one.scaling)

    def _watch(self, found: list[Served]) -> None:
        """Start the monitoring schedules that a night stopped."""
        sagemaker = self._sagemaker
        for one in (schedule for back in found for schedule in stopped_by_us(sagemaker, back.name)):
            self._do(f"monitoring schedule {one.name}", "woken", start_schedule, sagemaker=sagemaker, schedule=one)

    @property
    def _sagemaker(self) -> Any:
        return self.get_client("sagemaker")

    @property
    def _ours(self) -> Ours:
        return Ours(self._sagemaker, self.environment)

    def _endpoints(self) -> list[str]:
        if not self.stops_endpoints:
            return []
        return endpoints(self._ours, self.get_client("application-autoscaling"))

    def _stacks(self) -> list[Stack]:
        return stacks_of(self.get_client("cloudformation"), self.environment)

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


def _scaler(autoscaling: Any, resource: str) -> Callable[..., None]:
    """Return what registers a variant and gives it its policy."""
    which = {"ServiceNamespace": "sagemaker", "ScalableDimension": DIMENSION, "ResourceId": resource}

    def scale(target: dict[str, Any], policy: dict[str, Any]) -> None:
        autoscaling.register_scalable_target(**which, **target)
        autoscaling.put_scaling_policy(**which, **policy)

    return scale


def _words(app: dict[str, str]) -> str:
    return f"{app['AppType']} of {app.get('SpaceName') or app['UserProfileName']}"
