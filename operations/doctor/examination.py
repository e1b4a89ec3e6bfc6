"""All checks in their order, and what becomes of one that AWS does not let look."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from operations.doctor import account, earlier, money, offered, quotas
from operations.doctor.finding import Case, Check, Finding

CHECKS: dict[str, Check] = {
    "credentials": account.credentials,
    "region": account.region,
    "bootstrap": account.bootstrap,
    "quota": quotas.quotas,
    "images": offered.images,
    "runtime": offered.runtime,
    "Model Monitor": offered.model_monitor,
    "names": earlier.conflicts,
    "stacks": earlier.stuck,
    "leftovers": earlier.leftovers,
    "budget": money.budget,
    "mail": money.mail,
    "cost tags": money.cost_tags,
}


def examine(case: Case) -> list[Finding]:
    """Run every check. What could not be asked is a warning: it may be fine, and nobody knows."""
    return [finding for name, check in CHECKS.items() for finding in _try(name, check, case)]


def _try(name: str, check: Check, case: Case) -> Iterator[Finding]:
    try:
        yield from list(check(case))
    except (ClientError, BotoCoreError) as error:
        yield Finding(
            "warning", name, f"could not be told: {error}",
            "Allow the role that deploys to ask, or look in the console.",
        )  # fmt: skip
