"""Signed calls of this server to itself, for services that act for somebody: authorised and recorded like any other.

``adapter.call_*`` is the other way: in the process, as the service itself, without IAM.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud import adapter
from localcloud.botocore_models import loader
from localcloud.settings import ACCESS_KEY, SECRET_KEY

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,
    retries={"total_max_attempts": 1},  # whoever calls decides about repeating
    s3={"addressing_style": "path"},
)
#: in the user agent of calls that localcloud makes as a person; faults do not apply to them
PERSON = "localcloud-person"
ROOT: Mapping[str, str] = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}


def client(
    service: str,
    region: str,
    credentials: Mapping[str, str] = ROOT,
    person: bool = False,
    read_timeout: float | None = None,
) -> Any:
    """A boto3 client of this server; see PERSON. ``read_timeout`` is in seconds, in place of two minutes.

    Raises botocore's UnknownServiceError.
    """
    core = botocore.session.Session()
    core.register_component("data_loader", loader())
    session = boto3.session.Session(
        botocore_session=core,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
        region_name=region,
    )
    config = _CONFIG.merge(Config(user_agent_extra=PERSON)) if person else _CONFIG
    if read_timeout is not None:
        config = config.merge(Config(read_timeout=read_timeout))
    return session.client(service, endpoint_url=adapter.endpoint_url(), config=config)


def method_of(service_client: Any, operation: str) -> str | None:
    """The client's method for an operation in any spelling of its first letter; None when there is none."""
    wanted = operation[:1].upper() + operation[1:]
    for method, name in service_client.meta.method_to_api_mapping.items():
        if name == wanted:
            return str(method)
    return None


def call(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    region: str,
    credentials: Mapping[str, str] = ROOT,
    person: bool = False,
) -> dict[str, Any]:
    """Make one call. Raises CallFailed, whatever went wrong."""
    try:
        made = client(service, region, credentials, person)
        method = method_of(made, operation)
        if method is None:
            raise CallFailed("UnknownOperationException", f"{service} has no operation {operation}")
        reply: dict[str, Any] = getattr(made, method)(**parameters)
    except ClientError as error:
        details = error.response.get("Error", {})
        raise CallFailed(details.get("Code", "Unknown"), details.get("Message", "")) from error
    except (BotoCoreError, ValueError, TypeError) as error:  # the latter two: parameters that botocore cannot send
        raise CallFailed(type(error).__name__, str(error)) from error
    return reply


class CallFailed(Exception):
    """The code and the text of an error answer, or of what kept a call from being made."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
