"""Whose things are brought to rest in the tests of the parts, and what they are called."""

from __future__ import annotations

from datetime import UTC, datetime

from ours import Ours

from tests.functions.conftest import Scripted

P = "sandcastle-a--"
T = Ours(None, "a").tuning_prefix
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}"


def ours(sagemaker: Scripted, *held: str) -> Ours:
    return Ours(sagemaker.client, "a", in_stacks=lambda: set(held))
