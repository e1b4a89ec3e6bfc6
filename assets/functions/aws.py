"""Clients and errors of AWS, for all functions of this folder."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8})


@cache
def client(service: str) -> Any:
    """Return the function's one client of the service; throttled calls are tried eight times."""
    return boto3.client(service, config=_PATIENT)


def code_of(error: ClientError) -> str:
    """Return the error's code, such as ``NoSuchBucket``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text_of(error: ClientError) -> str:
    """Return the service's own message."""
    return str(error.response.get("Error", {}).get("Message", ""))
