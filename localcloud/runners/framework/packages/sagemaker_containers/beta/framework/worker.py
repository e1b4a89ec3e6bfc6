"""The reply of a handler that chooses status and type itself."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Response:
    """A reply; its type is `mimetype`, else `accept`, else JSON."""

    response: Any = None
    accept: str | None = None
    status: int = 200
    headers: dict[str, str] | None = None
    mimetype: str | None = None
