"""What a request is authorised on: the one place where MiniStack's answer to that is corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ministack.core import iam_actions

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Request:
    """A request as the server got it; header names are in lower case, a form's fields are in ``query``."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: Query
    region: str
    account: str

    def parameter(self, name: str) -> str:
        """One parameter of the query or form; nothing when it is not there."""
        return str(iam_actions._query_param(self.query, name) or "")


Correction = Callable[[Request, str], str]
"""Takes a request and the ARN that it would be authorised on so far; returns the right one ("*" when there is none)."""


def correct(wanted: str, correction: Correction) -> None:
    """Have ``correction`` say what requests of the service ``wanted`` are authorised on."""
    before = iam_actions.extract_resource_arn

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: Query,
        region: str,
        account: str,
    ) -> str:
        arn: str = before(service, method, path, headers, body, query, region, account)
        if service != wanted:
            return arn
        return correction(Request(method, path, headers, body, query, region, account), arn)

    iam_actions.extract_resource_arn = extract
