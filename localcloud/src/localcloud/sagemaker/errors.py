"""Errors that the service answers with: the code and the text that AWS uses, by name of the situation.

Codes and texts come from facts on teardown section 1.30 (what clients in the field match on) and the service
model. Refusals that only exist here start with ``[localcloud]``, so that nobody takes them for AWS's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An error reply."""

    def __init__(self, code: str, message: str, status: int = 400, members: Mapping[str, Any] | None = None) -> None:
        """``code`` becomes ``__type``; ``members`` are further members of the body."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


def validation(message: str) -> ServiceError:
    """ValidationException: bad input, and for most kinds also not found, wrong state and in progress."""
    return ServiceError("ValidationException", message)


def resource_in_use(message: str) -> ServiceError:
    """ResourceInUse: a name that is taken, something that others still need, or a state that does not allow it."""
    return ServiceError("ResourceInUse", message)


def resource_not_found(message: str) -> ServiceError:
    """ResourceNotFound: how the younger kinds say that there is no such thing."""
    return ServiceError("ResourceNotFound", message)


def conflict(message: str) -> ServiceError:
    """ConflictException: the registry's and the pipelines' word for something in the way."""
    return ServiceError("ConflictException", message)


def resource_limit_exceeded(message: str) -> ServiceError:
    """ResourceLimitExceeded: a service quota."""
    return ServiceError("ResourceLimitExceeded", message)


def access_denied(message: str) -> ServiceError:
    """AccessDeniedException: an identity may not do something, such as iam:PassRole."""
    return ServiceError("AccessDeniedException", message)


def serialization(message: str) -> ServiceError:
    """SerializationException: the body is not the JSON that the operation's shape asks for."""
    return ServiceError("SerializationException", message)


def unknown_operation(operation: str) -> ServiceError:
    """An operation that SageMaker itself does not have."""
    return ServiceError("UnknownOperationException", f"Amazon SageMaker has no operation {operation!r}")


def not_supported(operation: str, what: str = "") -> ServiceError:
    """A request that AWS would take and localcloud would have to ignore: refused, naming itself."""
    subject = f"{operation}: {what} is" if what else f"{operation} is"
    return ServiceError("ValidationException", f"[localcloud] {subject} not supported yet")


def operation_not_supported(operation: str) -> ServiceError:
    """A SageMaker operation that localcloud does not have."""
    return ServiceError("UnknownOperationException", f"[localcloud] {operation} is not supported yet")
