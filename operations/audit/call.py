"""One call of AWS's API, as boto3 makes it and as a person types it: what removes a thing is written down once."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore import xform_name

_GLOBAL = ("iam", "budgets", "s3")
"""Services whose commands mean the same in every region."""


class Clients(Protocol):
    """Hands out boto3 clients; a Target does."""

    def client(self, service: str) -> Any:
        """Return the client of the service."""


@dataclass(frozen=True)
class Call:
    """An operation by boto3's name (``delete_endpoint``) with its parameters."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str

    def make(self, clients: Clients) -> Any:
        """Make it. Raises ClientError when the service refuses."""
        return getattr(clients.client(self.service), self.operation)(**self.parameters)

    def command(self) -> str:
        """Return the command line of AWS's own tool that does the same."""
        words = ["aws", self.service, self.operation.replace("_", "-")]
        for name, value in self.parameters.items():
            words.append("--" + xform_name(name, "-"))
            plain = isinstance(value, list) and all(isinstance(one, str) for one in value)
            words += value if plain else [value if isinstance(value, str) else json.dumps(value)]
        if self.service not in _GLOBAL:
            words += ["--region", self.region]
        return shlex.join(words)
