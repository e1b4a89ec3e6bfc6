"""Promises: what a role may and may not do, written beside the role and proved elsewhere.

A promise is data. It travels in the role's own template metadata, so that a test can enumerate all promises of a
stack, prove them on the template, and try them against a deployed environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METADATA_KEY = "sandcastle:promises"


@dataclass(frozen=True)
class Promise:
    """The role may (``allowed``), or may not, do the action on every resource that the pattern matches.

    ``resource`` is an ARN, ``*`` in it for any text. ``context`` holds the condition keys of the request, such as
    ``{"s3:prefix": "bank/"}``: what is promised holds for requests with exactly these.
    """

    action: str
    resource: Any
    allowed: bool
    context: Mapping[str, str]

    def to_metadata(self) -> dict[str, Any]:
        """Return the promise as it stands in a template."""
        return {
            "may" if self.allowed else "may not": self.action,
            "on": self.resource,
            **({"when": dict(self.context)} if self.context else {}),
        }

    @classmethod
    def from_metadata(cls, entry: Mapping[str, Any]) -> Promise:
        """Read a promise back from a template; its resource may still hold CloudFormation functions."""
        allowed = "may" in entry
        return cls(entry["may" if allowed else "may not"], entry["on"], allowed, dict(entry.get("when", {})))


def may(action: str, resource: str, **context: str) -> Promise:
    """Promise that the role can do this. Condition keys are written with ``__`` for the colon: ``s3__prefix``."""
    return Promise(action, resource, True, _keys(context))


def may_not(action: str, resource: str, **context: str) -> Promise:
    """Promise that the role cannot do this on anything that the pattern matches."""
    return Promise(action, resource, False, _keys(context))


def promises_of(template: Mapping[str, Any]) -> Iterator[tuple[str, Promise]]:
    """Yield every promise of a template with its role's logical id.

    A promise about something that is made after the role stands beside the policy that is added to the role then.
    """
    for logical_id, resource in template.get("Resources", {}).items():
        added = resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for entry in resource.get("Metadata", {}).get(METADATA_KEY, ()):
            yield resource["Properties"]["Roles"][0]["Ref"] if added else logical_id, Promise.from_metadata(entry)


def _keys(context: Mapping[str, str]) -> dict[str, str]:
    return {key.replace("__", ":"): value for key, value in context.items()}
