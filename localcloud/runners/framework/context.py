"""What a handler learns of its request, and may say of its reply: the part of MMS's Context that handlers use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Context:
    """One request. Methods that take an index take it for the batch of one that this is."""

    model_dir: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    reply_type: str | None = None
    reply_headers: dict[str, str] = field(default_factory=dict)

    @property
    def system_properties(self) -> dict[str, Any]:
        """Facts about the server."""
        return {"model_dir": self.model_dir, "gpu_id": None, "batch_size": 1, "server_name": "localcloud"}

    @property
    def manifest(self) -> dict[str, Any]:
        """Models of SageMaker have none."""
        return {}

    @property
    def request_processor(self) -> "list[Context]":
        """Of each request in the batch."""
        return [self]

    def get_request_properties(self) -> dict[str, str]:
        """The request's headers."""
        return dict(self.headers)

    def get_all_request_header(self, idx: int = 0) -> dict[str, str]:
        """The request's headers."""
        del idx
        return dict(self.headers)

    def get_request_header(self, idx: int, key: str) -> str | None:
        """One of the request's headers, whatever the case of its name."""
        del idx
        return next((value for name, value in self.headers.items() if name.lower() == key.lower()), None)

    def set_response_content_type(self, idx: int, value: str) -> None:
        """The type of the reply, instead of what was asked for."""
        del idx
        self.reply_type = value

    def get_response_content_type(self, idx: int = 0) -> str | None:
        """What was set."""
        del idx
        return self.reply_type

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """A header of the reply: `X-Amzn-SageMaker-Custom-Attributes`."""
        del idx
        self.reply_headers[key] = value

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """The status of the reply."""
        del phrase, idx
        self.status = code
