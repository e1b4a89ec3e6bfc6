"""What an environment has in Budgets: budgets, and the actions that some take at their limit."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.finding import Finding
from operations.audit.prices import item_month
from operations.audit.survey import Survey
from operations.stacks import tags

_FREE_DAYS, _DAYS = 62, 365 / 12
"""Budget-days a month that are free for budgets with actions (price table), and the days of a month."""


def budgets(survey: Survey) -> Iterator[Finding]:
    """Yield every budget; one with actions is billed by the day beyond what an account has free."""
    client, owner = survey.client("budgets"), survey.owner
    whose = {"AccountId": owner.account}
    listed = {item["BudgetName"]: item for item in survey.pages("budgets", "describe_budgets", "Budgets", **whose)}
    arns = {name: f"arn:aws:budgets::{owner.account}:budget/{name}" for name in listed}
    answers = survey.each(
        lambda name: tags(client.list_tags_for_resource(ResourceARN=arns[name]).get("ResourceTags", [])), listed
    )
    ours = {name: why for name, tag_map in answers if (why := owner.by_tags_or_name(tag_map, name))}
    if not ours:
        return
    actions = survey.pages("budgets", "describe_budget_actions_for_account", "Actions", **whose)
    acting = {action["BudgetName"] for action in actions}
    mine = sorted(acting & ours.keys())
    for name, why in ours.items():
        usd, price = _share(len(acting), len(mine)) if name in mine else (0.0, "")
        removal = owner.call("budgets", "delete_budget", **whose, BudgetName=name)
        yield Finding("budget", name, "", usd, why, removal, price)
    for action in actions:
        if action["BudgetName"] in ours:
            which = {**whose, "BudgetName": action["BudgetName"], "ActionId": action["ActionId"]}
            yield Finding(
                "budget action", f"{action['BudgetName']}/{action['ActionId']}", action["Status"], 0.0,
                f"of {action['BudgetName']}", owner.call("budgets", "delete_budget_action", **which),
            )  # fmt: skip


def _share(all_acting: int, ours: int) -> tuple[float | None, str]:
    """Return what one of ours adds to the account's bill: all beyond the free budget-days, shared among ours."""

    def bill(count: int) -> float | None:
        return item_month("*", "budget with actions", max(0.0, count * _DAYS - _FREE_DAYS))

    whole, without = bill(all_acting), bill(all_acting - ours)
    words = f"budget with actions, {all_acting} in the account, {_FREE_DAYS} budget-days free"
    return (None if whole is None or without is None else (whole - without) / ours), words
