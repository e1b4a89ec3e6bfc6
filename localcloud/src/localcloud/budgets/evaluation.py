"""Compares spending with every budget: calculated spend, notifications, actions.

On AWS this happens some hours after the costs arose; here when they are posted. A notification is sent when its
threshold is first exceeded, not again while it stays exceeded. The end of a month, which puts notifications and
actions back, is not modelled.
"""

from __future__ import annotations

import logging
import operator
import threading
from collections.abc import Callable, Mapping
from typing import Any

from localcloud import adapter
from localcloud.adapter import budget_store
from localcloud.budgets.actions import Action, Actions
from localcloud.budgets.spend import Amounts, Ledger
from localcloud.clock import Clock

logger = logging.getLogger("localcloud.budgets")

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "EQUAL_TO": operator.eq,
}


class Evaluation:
    """What happens when costs are posted."""

    def __init__(self, clock: Clock, ledger: Ledger, actions: Actions) -> None:
        """Nothing posted, nothing sent."""
        self._clock = clock
        self._ledger = ledger
        self._actions = actions
        self._lock = threading.Lock()
        self._sent: list[dict[str, Any]] = []
        actions.announce = self._announce

    def spend(self, request: dict[str, Any]) -> None:
        """``POST /_localcloud/spend``. Raises KeyError, ValueError."""
        unknown = sorted(set(request) - {"usd", "forecast_usd", "tags"})
        if unknown:
            raise ValueError(f"no {unknown[0]!r}; there are usd, forecast_usd and tags")
        forecast = request.get("forecast_usd")
        amounts = Amounts(_dollars(request["usd"]), None if forecast is None else _dollars(forecast))
        tags = request.get("tags") or {}
        if not isinstance(tags, dict):
            raise ValueError("tags is an object of keys and values")
        self._ledger.post(amounts, {str(key): str(value) for key, value in tags.items()})
        self.evaluate()

    def report(self) -> dict[str, Any]:
        """What was posted, and every notification with how it went, oldest first."""
        with self._lock:
            return {"posted": self._ledger.snapshot(), "sent": list(self._sent)}

    def evaluate(self) -> None:
        """Look at every budget of the account in scope."""
        for budget in budget_store.all_budgets():
            amounts = self._ledger.of(budget)
            unit = (budget.get("BudgetLimit") or {}).get("Unit", "USD")
            spent = {"ActualSpend": {"Amount": f"{amounts.actual:.2f}", "Unit": unit}}
            if amounts.forecast is not None:
                spent["ForecastedSpend"] = {"Amount": f"{amounts.forecast:.2f}", "Unit": unit}
            budget["CalculatedSpend"] = spent
            budget["LastUpdatedTime"] = self._clock.now()
            self._notify(budget, amounts)
            for action in self._actions.all(budget["BudgetName"]):
                threshold = action.settings["ActionThreshold"]
                limit = _limit(budget, threshold["ActionThresholdValue"], threshold["ActionThresholdType"])
                value = _value(amounts, action.settings["NotificationType"])
                if value is not None and limit is not None and value > limit:
                    self._actions.trigger(action)

    def reset(self) -> None:
        """Forget what was sent."""
        with self._lock:
            self._sent.clear()

    def _notify(self, budget: Mapping[str, Any], amounts: Amounts) -> None:
        name = budget["BudgetName"]
        for entry in budget_store.notifications(name):
            notification = entry["notification"]
            limit = _limit(budget, notification["Threshold"], notification.get("ThresholdType") or "PERCENTAGE")
            value = _value(amounts, notification["NotificationType"])
            if value is None or limit is None:
                continue
            before = notification.get("NotificationState", "OK")
            exceeded = _COMPARE[notification["ComparisonOperator"]](value, limit)
            notification["NotificationState"] = "ALARM" if exceeded else "OK"
            if exceeded and before == "OK":
                kind = notification["NotificationType"].lower()
                text = (
                    f"Budget {name}: the {kind} cost of this month is {value:.2f} USD. The threshold of this "
                    f"notification is {limit:.2f} USD ({notification['ComparisonOperator']})."
                )
                self._send(name, f"AWS Budgets: {name} has exceeded your alert threshold", text, entry["subscribers"])

    def _announce(self, action: Action, what: str) -> None:
        with adapter.request_scope(action.account, "us-east-1"):
            text = f"Budget {action.budget}: action {action.identifier} {what}."
            self._send(action.budget, f"AWS Budgets: action of {action.budget}", text, action.settings["Subscribers"])

    def _send(self, budget: str, subject: str, text: str, subscribers: list[dict[str, str]]) -> None:
        source = f"arn:aws:budgets::{adapter.account_id()}:budget/{budget}"
        for subscriber in subscribers:
            to, problem = subscriber["Address"], None
            if subscriber["SubscriptionType"] == "SNS":
                problem = adapter.publish_as_service("budgets.amazonaws.com", to, source, subject, text)
            if problem:
                logger.warning("budget %s: %s", budget, problem)
            with self._lock:
                self._sent.append({"budget": budget, "to": to, "subject": subject, "text": text, "problem": problem})


def _value(amounts: Amounts, kind: str) -> float | None:
    return amounts.actual if kind == "ACTUAL" else amounts.forecast


def _limit(budget: Mapping[str, Any], threshold: float, kind: str) -> float | None:
    """Dollars of a threshold; None for a percentage of a budget without a fixed limit."""
    if kind == "ABSOLUTE_VALUE":
        return float(threshold)
    amount = (budget.get("BudgetLimit") or {}).get("Amount")
    return None if amount is None else float(amount) * float(threshold) / 100


def _dollars(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{value!r} is not an amount of dollars")
    return float(value)
