"""Condition keys that belong to a session of a role, such as the Studio user for whom a service assumed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator, router
from ministack.services import sts

#: where MiniStack's record of a session keeps them
FIELD = "LocalcloudConditionKeys"


def install() -> None:
    """Let policies see them: the caller's keys are collected by name at each request."""
    before = iam_evaluator._principal_keys

    def principal_keys(credential: Any) -> dict[str, Any]:
        found: dict[str, Any] = before(credential)
        more = _of(credential.access_key_id)
        return {**found, **{name.lower(): value for name, value in more.items()}}

    iam_evaluator._principal_keys = principal_keys


def session_keys(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The keys of the session that a request (lower-case header names) or credentials belong to; none for others."""
    key = headers.get("AccessKeyId") or router.extract_access_key_id(dict(headers))
    return _of(key)


def _of(access_key: str) -> Mapping[str, str]:
    session = sts._sessions.get(access_key) or {}
    keys: Mapping[str, str] = session.get(FIELD) or {}
    return keys
