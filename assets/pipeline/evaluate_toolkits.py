"""Stand-ins for what handlers import of the toolkits of images that serve, where an image that trains has not got them.

They answer nobody: handlers only make replies and raise errors with them. Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


class BaseInferenceToolkitError(Exception):
    """``sagemaker_inference.errors``: ends a request with a status and a reason."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        self.status_code = status_code
        self.message = message
        self.phrase = phrase
        super().__init__(f"status {status_code}: {message}")


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The same with defaults."""

    def __init__(self, status_code: int, message: str | None = None, phrase: str | None = None) -> None:
        super().__init__(status_code, message or "Invalid Request", phrase or message or "Invalid Request")


class UnsupportedFormatError(Exception):
    """``sagemaker_inference.errors``: a type that no codec is for."""


class Response:
    """``sagemaker_containers.beta.framework.worker``: a reply with a status."""

    def __init__(
        self,
        response: Any = None,
        accept: str | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
        mimetype: str | None = None,
    ) -> None:
        self.response = response
        self.accept = accept
        self.status = status
        self.headers = headers
        self.mimetype = mimetype


def provide() -> None:
    """Make the modules importable that are missing here."""
    if not _is_here("sagemaker_inference"):
        kinds = (BaseInferenceToolkitError, GenericInferenceToolkitError, UnsupportedFormatError)
        _package("sagemaker_inference.errors", {one.__name__: one for one in kinds})
        names = {"JSON": "application/json", "CSV": "text/csv", "NPY": "application/x-npy", "ANY": "*/*"}
        _package("sagemaker_inference.content_types", names)
    if not _is_here("sagemaker_containers"):
        _package("sagemaker_containers.beta.framework.worker", {"Response": Response})


def _is_here(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _package(path: str, content: dict[str, Any]) -> None:
    """Put a module and the packages above it where imports look first."""
    parts = path.split(".")
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        if name not in sys.modules:
            module = ModuleType(name)
            module.__path__ = []  # a package, so that what is below it can be imported
            sys.modules[name] = module
            if depth > 1:
                setattr(sys.modules[name.rpartition(".")[0]], parts[depth - 1], module)
    vars(sys.modules[path]).update(content)
