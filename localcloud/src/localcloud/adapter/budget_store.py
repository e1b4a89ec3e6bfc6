"""MiniStack's Budgets: its operations and what it keeps, for the service that adds actions and spending to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import budgets


def reset() -> None:
    """Forget every budget: MiniStack's own reset asks only the services that it serves itself."""
    budgets.reset()


def operations() -> frozenset[str]:
    """What MiniStack's Budgets serves."""
    return frozenset(budgets._DISPATCH)


def serve(operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Run one of them: status and reply."""
    status, _, body = budgets._DISPATCH[operation](dict(request))
    return status, json.loads(body or b"{}")


def all_budgets() -> list[dict[str, Any]]:
    """The budgets of the account in scope, as they are kept: changes to them stay."""
    return list(budgets._budgets.values())


def find(name: str) -> dict[str, Any] | None:
    """One of them."""
    found: dict[str, Any] | None = budgets._budgets.get(name)
    return found


def notifications(name: str) -> list[dict[str, Any]]:
    """``[{"notification": {...}, "subscribers": [...]}]`` of one budget, as they are kept."""
    return list(budgets._notification_store.get(name, []))


def tags(arn: str) -> dict[str, str]:
    """The tags of a resource of Budgets, to read and to change."""
    found: dict[str, str] = budgets._tags.setdefault(arn, {})
    return found


def forget_tags(arn: str) -> None:
    """The resource is gone."""
    budgets._tags.pop(arn, None)
