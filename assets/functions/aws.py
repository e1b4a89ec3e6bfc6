"""Clients and errors of AWS, for all functions of this folder."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

CONNECT_SECONDS = 5
READ_SECONDS = 15
"""Far more than any call of these functions takes; botocore's own 60 s would use up a function's time in one call."""

_PASSING = {
    "InternalError",
    "InternalFailure",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
"""Codes of the services' momentary trouble, whatever the HTTP status that they come with."""


@cache
def client(service: str, attempts: int = 8) -> Any:
    """Return the function's one client of the service; a call that meets momentary trouble is tried this often."""
    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )


def code_of(error: ClientError) -> str:
    """Return the error's code, such as ``NoSuchBucket``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text_of(error: ClientError) -> str:
    """Return the service's own message."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_passing(error: BotoCoreError | ClientError) -> bool:
    """Say whether the error is momentary: throttling, trouble inside the service, no connection, no answer in time."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in _PASSING or status >= 500
    return isinstance(error, ConnectionError | HTTPClientError)
