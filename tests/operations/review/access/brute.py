"""IAM's decision about one single request, written down a second time and as plainly as possible.

Nothing here is shared with the prover: patterns are regular expressions, a request is one action, one resource and
one value for each condition key (None: the key is not there). The order is that of the IAM user guide, "Policy
evaluation logic", within one account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

Request = tuple[str, str, Mapping[str, str | None]]
Document = Mapping[str, Any]


@cache
def expression(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one) or re.escape(one) for one in pattern), re.DOTALL)


@cache
def matches(pattern: str, text: str) -> bool:
    return expression(pattern).fullmatch(text) is not None


def holds(operator: str, expected: Sequence[str], actual: str | None) -> bool:
    """Decide one key of one operator."""
    if operator == "Null":
        return (actual is None) == (expected == ["true"])
    if operator.endswith("IfExists"):
        return actual is None or holds(operator.removesuffix("IfExists"), expected, actual)
    if "Not" in operator:
        return not holds(operator.replace("Not", ""), expected, actual)
    comparisons = {"StringEquals": str.__eq__, "StringLike": matches, "Bool": lambda one, it: one.lower() == it.lower()}
    return actual is not None and any(comparisons[operator](one, actual) for one in expected)


def names(statement: Document, kind: str, value: str) -> bool:
    """Say whether a statement is about the ``Action`` or ``Resource``."""
    listed = statement.get(kind, statement.get(f"Not{kind}"))
    return any(matches(one.lower(), value) for one in listed) == (kind in statement)


def applies(statement: Document, request: Request) -> bool:
    action, resource, keys = request
    blocks = statement.get("Condition", {}).items()
    about = names(statement, "Action", action) and names(statement, "Resource", resource)
    return about and all(
        holds(name, expected, keys.get(key)) for name, block in blocks for key, expected in block.items()
    )


def effects(statements: Sequence[Document], request: Request) -> set[str]:
    return {one["Effect"] for one in statements if applies(one, request)}


def allowed(
    identity: Sequence[Document],
    boundary: Sequence[Document] | None,
    bucket: Sequence[Document],
    in_bucket: bool,
    request: Request,
) -> bool:
    """Decide a request of a role ``me``. ``bucket``: the statements of the policy of the bucket that it asks for."""
    own = effects(identity, request)
    bounds = {"Allow"} if boundary is None else effects(boundary, request)
    mine = [one for one in bucket if in_bucket and one["Principal"] in ("me", "account", "*")]
    granted = effects([one for one in mine if one["Principal"] == "me"], request)
    everybody = effects([one for one in mine if one["Principal"] == "*"], request)
    account = effects([one for one in mine if one["Principal"] == "account"], request)
    if "Deny" in own | bounds | granted | everybody | account:
        return False
    return "Allow" in own | granted | everybody and "Allow" in bounds
