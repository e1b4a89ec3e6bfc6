"""A rule of EventBridge is authorised by its ARN and its tags.

MiniStack authorises what names a rule of the default bus on ``rule/default/NAME``, an ARN that no rule has, and does
not look at its tags, so that a permission with a condition on ``aws:ResourceTag`` denies everything. AWS: such a rule
is ``rule/NAME`` and its tags count (eventbridge/latest/userguide/eb-tag-policies.html;
service-authorization/latest/reference/list_amazoneventbridge.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from ministack.services import eventbridge

from localcloud.adapter.authorised_on import Request, correct
from localcloud.adapter.services import register_tag_collector

_MADE_UP = ":rule/default/"


def install() -> None:
    """Register the tags and correct what requests of EventBridge are authorised on."""
    register_tag_collector("events", _tags)
    correct("events", _rule)


def _rule(_: Request, arn: str) -> str:
    return arn.replace(_MADE_UP, ":rule/", 1)


def _tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for arn, tags in eventbridge._tags.items():
        yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]
