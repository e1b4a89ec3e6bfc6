"""What jobs need of the server they run beside: an address, roles, a clock.

The server's own implementation reads `localcloud.adapter`, which needs MiniStack in the process; it is imported
on first use so that everything here also runs where MiniStack is not installed.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol


class RoleUnusable(Exception):
    """The role does not exist or does not trust SageMaker; the text is AWS's kind."""


class Platform(Protocol):
    """The server as a job sees it."""

    def endpoint_url(self) -> str:
        """Where AWS is: `http://127.0.0.1:PORT`."""
        ...

    def role_credentials(self, role_arn: str) -> Mapping[str, str]:
        """AccessKeyId, SecretAccessKey and SessionToken of the role. Raises RoleUnusable."""
        ...

    def denied(self, role_arn: str, region: str, action: str, resource: str) -> str | None:
        """None when the role may do the action, else AWS's message."""
        ...

    def now(self) -> float:
        """Epoch seconds of the clock that every visible time is read from."""
        ...


class _Server:
    """The server that this process is."""

    def __init__(self) -> None:
        self._adapter: Any = importlib.import_module("localcloud.adapter")
        self._clock: Any = importlib.import_module("localcloud.clock").default_clock()

    def endpoint_url(self) -> str:
        return str(self._adapter.endpoint_url())

    def role_credentials(self, role_arn: str) -> Mapping[str, str]:
        try:
            # AWS names the session of a job's role "SageMaker"
            credentials: dict[str, str] = self._adapter.role_credentials(role_arn, "SageMaker")
        except self._adapter.AssumeRoleDenied as error:
            raise RoleUnusable(str(error)) from error
        return credentials

    def denied(self, role_arn: str, region: str, action: str, resource: str) -> str | None:
        account = role_arn.split(":")[4]
        with self._adapter.request_scope(account, region):
            answer = self._adapter.authorize(self.role_credentials(role_arn), action, resource)
        return None if answer is None else str(answer.message)

    def now(self) -> float:
        return float(self._clock.now())


@cache
def server() -> Platform:
    """The platform of the server process."""
    return _Server()
