"""List operations: filter, sort, cut into pages. The same for every kind.

Page size and default order are the service's own: 10 a page, by creation time ([B] ListEndpoints; the others
say nothing and behave alike [K]).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, Tree
from localcloud.sagemaker.store import R, Record

DEFAULT_PAGE = 10
_PAGING: Tree = {"NextToken": ANY, "MaxResults": ANY}
_ORDER: Tree = {"SortBy": ANY, "SortOrder": ANY, "NameContains": ANY}
_CREATED: Tree = {"CreationTimeAfter": ANY, "CreationTimeBefore": ANY}
#: request members of the lists of Studio, which filter by members of their own
ORDERED_LIST: Tree = {**_PAGING, "SortBy": ANY, "SortOrder": ANY}
#: request members of a List operation on a kind without a status
PLAIN_LIST: Tree = {**_PAGING, **_ORDER, **_CREATED}
#: and with one
STATUS_LIST: Tree = {
    **PLAIN_LIST,
    "StatusEquals": ANY,
    "LastModifiedTimeAfter": ANY,
    "LastModifiedTimeBefore": ANY,
}

Order = Literal["Ascending", "Descending"]
Key = tuple[str | float, int]


@dataclass(frozen=True)
class Listing:
    """How one kind is listed: the reply's list member, the default order and what is sorted by ([B])."""

    result: str
    order: Order
    sort_by: str = "CreationTime"
    #: values of SortBy that only this kind has
    keys: Mapping[str, Callable[[Any], str | float]] = field(default_factory=dict)


def page(
    request: Mapping[str, Any], records: Sequence[R], listing: Listing, summary: Callable[[R], dict[str, Any]]
) -> dict[str, Any]:
    """One page: ``{listing.result: [...], "NextToken": ...}``.

    A token goes on after the last record shown, also when records came or went in between. Raises
    ValidationException for a token that belongs to another question.
    """
    descending = request.get("SortOrder", listing.order) == "Descending"
    sort_by = request.get("SortBy", listing.sort_by)
    question = _question(request)
    rows = sorted(
        ((_key(record, sort_by, listing), record) for record in records if _matches(record, request)),
        key=lambda row: row[0],
        reverse=descending,
    )
    if token := request.get("NextToken"):
        after = _read_token(token, question)
        rows = [row for row in rows if (row[0] < after if descending else row[0] > after)]
    size = int(request.get("MaxResults", DEFAULT_PAGE))
    reply: dict[str, Any] = {listing.result: [summary(record) for _, record in rows[:size]]}
    if len(rows) > size:
        reply["NextToken"] = _write_token(rows[size - 1][0], question)
    return reply


def epoch(moment: float | str) -> float:
    """A timestamp of a request, a number or ISO 8601 text, as epoch seconds."""
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)


def _matches(record: Record, request: Mapping[str, Any]) -> bool:
    limits = (
        ("CreationTimeAfter", record.created, 1),
        ("CreationTimeBefore", record.created, -1),
        ("CreatedAfter", record.created, 1),
        ("CreatedBefore", record.created, -1),
        ("LastModifiedTimeAfter", record.modified, 1),
        ("LastModifiedTimeBefore", record.modified, -1),
    )
    for name, moment, direction in limits:
        if name in request and (moment - epoch(request[name])) * direction <= 0:
            return False
    if request.get("NameContains", "").lower() not in record.name.lower():
        return False
    return bool(request.get("StatusEquals", record.status) == record.status)


def _key(record: Record, sort_by: str, listing: Listing) -> Key:
    if sort_by in listing.keys:
        return listing.keys[sort_by](record), record.sequence
    values: dict[str, str | float] = {
        "Name": record.name,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "Status": record.status,
    }
    return values[sort_by], record.sequence


def _question(request: Mapping[str, Any]) -> str:
    """A fingerprint of everything but the page: a token answers one question only."""
    asked = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _write_token(key: Key, question: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([question, *key]).encode()).decode()


def _read_token(token: str, question: str) -> Key:
    try:
        asked, value, sequence = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise errors.validation("The pagination token is invalid.") from None
    if asked != question:
        raise errors.validation("The pagination token does not belong to this request.")
    return value, sequence
