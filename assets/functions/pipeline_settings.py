"""What the stack tells the functions of a pipeline, and the names of what they make.

Variables of the functions:

    ENDPOINT            the endpoint's name
    TAGS                the tags of what is made at run time, a JSON object
    INSTANCE, INSTANCES the type of the endpoint's instances, and how many there are
    CAPTURE_PERCENT     how much of the requests is captured, 0 to 100; none is needed without monitoring
    CAPTURE_URI         the folder in S3 that they are captured to
    SERVING_ROLE        the role that the models work as
    ALARMS              the alarms that send an update back, a JSON list of names; may be left out

``pipeline_monitors`` and ``pipeline_approved`` have further ones of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_NAME = 63
"""Characters that SageMaker takes in the name of an endpoint, a configuration, a schedule or a job definition."""

_DIGITS = 4
"""Of each hash in the name of a configuration."""

VARIANT = "main"
"""The endpoint's only variant, named as that of the endpoints of stacks."""


@dataclass(frozen=True)
class Settings:
    """How the endpoint of a pipeline is to be."""

    endpoint: str
    tags: Mapping[str, str]
    instance: str
    instances: int
    capture_percent: int
    capture_uri: str
    serving_role: str
    alarms: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Settings:
        """Read the function's variables. Raises KeyError for one that is missing."""
        return cls(
            endpoint=variables["ENDPOINT"],
            tags=json.loads(variables["TAGS"]),
            instance=variables["INSTANCE"],
            instances=int(variables["INSTANCES"]),
            capture_percent=int(variables["CAPTURE_PERCENT"]),
            capture_uri=variables["CAPTURE_URI"],
            serving_role=variables["SERVING_ROLE"],
            alarms=tuple(json.loads(variables.get("ALARMS") or "[]")),
        )

    def config_name(self, version: int, model: str) -> str:
        """Return the name of the configuration that serves a version by this model with these settings.

        Asked again it is the same, and what exists under it is what is wanted. Another execution that deploys the same
        version has another model and so another configuration: neither deletes what the other is about to use.
        """
        shown = [self.instance, self.instances, self.capture_percent, self.capture_uri, self.serving_role]
        return f"{self.endpoint}-{version}-{digest(shown)[:_DIGITS]}{digest(model)[:_DIGITS]}"

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The tags as SageMaker takes them."""
        return tag_list(self.tags)


def version_of_package(arn: str) -> int:
    """Return the version at the end of a package's ARN. Raises ValueError when there is none."""
    last = arn.rsplit("/", 1)[-1]
    if ":model-package/" not in arn or not last.isdecimal():
        raise ValueError(f"{arn!r} is not the ARN of a version of a model package group")
    return int(last)


def version_of_config(name: str) -> int | None:
    """Return the version that a configuration serves by its name; None for somebody else's configuration."""
    parts = name.rsplit("-", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else None


def same_service(one: str, other: str) -> bool:
    """Say whether two configurations serve the same version in the same way, be it by models of different names."""
    return one[:-_DIGITS] == other[:-_DIGITS]


def digest(content: Any) -> str:
    """Return hexadecimal digits that stand for this content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as SageMaker takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
