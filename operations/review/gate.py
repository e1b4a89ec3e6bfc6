"""Whether a change may go in: what blocks it, and what of that somebody has approved, with a reason and an end.

Approvals are read from BASE, so that no change approves itself: ``review-approvals.yaml`` there. ::

    - rule: data-lost
      path: sandcastle-local-foundation/Data   # * for any text
      reason: the sample data are made again by the next deploy
      expires: 2027-01-31
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from operations.errors import UsageError
from operations.review.change import Concern

FILE = "review-approvals.yaml"

RULES: Mapping[str, str] = {
    "access-open": "everybody, or another account, gets in",
    "access-unknown": "what a principal may do cannot be told from the templates any more",
    "access-widened": "a principal may do more than before",
    "boundary-removed": "a role loses its permissions boundary",
    "capture-off": "an endpoint's requests are not kept any more",
    "data-lost": "data go with what holds them",
    "data-unknown": "something of a type that AWS's registry does not know is deleted or replaced",
    "deploy-fails": "CloudFormation will refuse this change and roll back",
    "endpoint-unbudgeted": "an endpoint without a budget over it",
    "endpoint-unmonitored": "an endpoint that no monitor watches",
    "export-used": "stacks must be deployed in an order that is not the usual one",
    "finding": "a linter found something new",
    "malformed": "the template has entries that CloudFormation cannot read",
    "network-open": "reachable from the whole internet",
    "not-destroyed": "a destroy cannot remove it",
    "output-removed": "an output that scripts may read is gone",
    "promise-broken": "a role can do what it promises not to, or cannot do what it must",
    "retention-dropped": "a destroy takes data that it left before",
    "stack-left": "a stack that is in the code no more stays deployed",
    "wildcard": "a new wildcard among allowed actions or resources",
}
"""Every rule by which something is told, with what it means. Approvals name one of these."""

_KEYS = ("rule", "path", "reason", "expires")


@dataclass(frozen=True)
class Approval:
    """What somebody answers for, until the end of the day ``expires``. ``path`` may hold ``*``."""

    rule: str
    path: str
    reason: str
    expires: dt.date

    def covers(self, concern: Concern, today: dt.date) -> bool:
        """Say whether it approves the concern today."""
        return self.rule == concern.rule and fnmatchcase(concern.place, self.path) and today <= self.expires


@dataclass(frozen=True)
class Gate:
    """The verdict. ``blocked`` are concerns that nobody approved, ``approved`` those with their approval."""

    blocked: tuple[Concern, ...]
    approved: tuple[tuple[Concern, Approval], ...]
    noted: tuple[Concern, ...]
    """What blocks nothing and must be known."""
    expired: tuple[Approval, ...]
    """Approvals of BASE that are over."""

    @property
    def verdict(self) -> str:
        """``blocked``, ``look`` (nothing blocks, something is to be known) or ``clean``."""
        if self.blocked:
            return "blocked"
        return "look" if self.noted or self.approved else "clean"


def judge(concerns: Iterable[Concern], approvals: Sequence[Approval], today: dt.date) -> Gate:
    """Return the verdict on everything that was found."""
    blocked, approved, noted = [], [], []
    for concern in sorted(set(concerns), key=lambda one: (one.rule, one.stack, one.path, one.words)):
        given = next((one for one in approvals if one.covers(concern, today)), None)
        if not concern.blocks:
            noted.append(concern)
        elif given:
            approved.append((concern, given))
        else:
            blocked.append(concern)
    expired = tuple(one for one in approvals if one.expires < today)
    return Gate(tuple(blocked), tuple(approved), tuple(noted), expired)


def read_approvals(file: Path) -> list[Approval]:
    """Return the approvals of BASE; none where there is no such file.

    Raises UsageError naming file, entry and key for one that is not as it must be: half an approval is none.
    """
    if not file.exists():
        return []
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    if document is None:
        return []
    if not isinstance(document, list):
        raise UsageError(f"{file} must hold a list of approvals, each with {', '.join(_KEYS)}.")
    return [_approval(file, number, one) for number, one in enumerate(document, start=1)]


def _approval(file: Path, number: int, entry: Any) -> Approval:
    where = f"{file}, entry {number}"
    if not isinstance(entry, dict) or set(entry) != set(_KEYS):
        raise UsageError(f"{where}: an approval has exactly {', '.join(_KEYS)}.")
    if entry["rule"] not in RULES:
        raise UsageError(f"{where}: rule {entry['rule']!r} is not one of {', '.join(RULES)}.")
    if not isinstance(entry["path"], str) or not entry["path"].strip("*/ "):
        raise UsageError(
            f"{where}: path {entry['path']!r} must name a stack and a construct; * alone would approve anything."
        )
    if not isinstance(entry["reason"], str) or not entry["reason"].strip():
        raise UsageError(f"{where}: reason is empty.")
    if not isinstance(entry["expires"], dt.date) or isinstance(entry["expires"], dt.datetime):
        raise UsageError(f"{where}: expires {entry['expires']!r} is not a day like 2027-01-31.")
    return Approval(entry["rule"], entry["path"], entry["reason"].strip(), entry["expires"])
