"""Who hears of the money, whether the budget is more than idling costs, and whether budgets per user count anything."""

from __future__ import annotations

from collections.abc import Iterator

from operations.doctor.finding import Case, Finding
from operations.words import usd
from sandcastle.config import Environment
from sandcastle.config.idle import standing_of

_NOBODY = (".example", ".invalid", ".test", ".localhost", "example.com", "example.org", "example.net")
"""Ends of addresses that RFC 2606 keeps for examples: nobody reads mail there."""

_COST_TAGS = ("sandcastle:environment", "sandcastle:user")


def idle(environment: Environment, region: str) -> tuple[float, list[str]]:
    """Return what a month costs in US dollars when nobody does anything, and of what there is no price."""
    total, unknown = 0.0, list[str]()
    for one in standing_of(environment):
        price = one.price(region)
        if price is None:
            unknown.append(one.name)
        else:
            total += price.usd * one.units
    return total, sorted(unknown)


def budget(case: Case) -> Iterator[Finding]:
    """The environment's own cost of a month at rest must fit well into its budget."""
    total, unknown = idle(case.environment, case.target.region)
    limit = case.environment.monthly_budget_usd
    known = f"idle it costs about {usd(total)} a month, the budget is {usd(limit)}"
    if unknown:
        yield Finding(
            "warning", "budget",
            f"there is no price for {', '.join(unknown)} in {case.target.region}, so that nobody can tell whether "
            f"{usd(limit)} a month are enough" + (f"; the rest costs {usd(total)} idle" if total else ""),
            f"Refresh the price table: python -m operations.tools.prices --region {case.target.region}; or look at "
            "aws.amazon.com/sagemaker/pricing, and add what you find to constructs/sandcastle/prices.json.",
        )  # fmt: skip
    elif total > limit:
        yield Finding("blocker", "budget", known, "Raise monthly_budget_usd, or take workloads out of the file.")
    else:
        yield Finding("ok", "budget", known)


def mail(case: Case) -> Iterator[Finding]:
    """Budgets and expiry warn by mail."""
    dead = [address for address in case.environment.notify if address.lower().endswith(_NOBODY)]
    alive = len(case.environment.notify) - len(dead)
    if alive and not dead:
        yield Finding("ok", "mail", f"{alive} addresses hear of the budget; each must confirm by the link in a mail")
        return
    found = "nobody hears of the budget" if not alive else f"nobody reads {', '.join(dead)}"
    yield Finding(
        "ok" if case.target.name == "local" else "warning", "mail", f"{found}",
        f"Set `notify` in {case.environment.file.name} to your own address.",
    )  # fmt: skip


def cost_tags(case: Case) -> Iterator[Finding]:
    """A budget of a user counts what carries the user's tag, and nothing until the tag is activated for billing."""
    studio = case.environment.studio
    if case.target.name == "local" or not studio or not any(user.monthly_budget_usd for user in studio.users):
        return
    client = case.target.client("ce")
    found = client.list_cost_allocation_tags(TagKeys=list(_COST_TAGS), Status="Active")["CostAllocationTags"]
    missing = sorted(set(_COST_TAGS) - {tag["TagKey"] for tag in found})
    if missing:
        status = " ".join(f"TagKey={key},Status=Active" for key in missing)
        yield Finding(
            "warning", "cost tags",
            f"budgets of users count nothing: {', '.join(missing)} not active for cost allocation",
            f"aws ce update-cost-allocation-tags-status --cost-allocation-tags-status {status} (a tag can be activated "
            "a day after something first carried it; in an organization, by the management account)",
        )  # fmt: skip
    else:
        yield Finding("ok", "cost tags", "the tags that budgets of users count by are active")
