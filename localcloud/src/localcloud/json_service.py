"""A small AWS service with the JSON 1.1 protocol, validated by botocore's own model of it.

For services that MiniStack lacks and that SageMaker needs beside it. Operations are plain functions from the
request's members to the reply's; what the model has and the table has not is refused by name.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import StructureShape
from botocore.validate import ParamValidator

from localcloud import adapter
from localcloud.botocore_models import service_model

logger = logging.getLogger("localcloud.services")

Parameters = dict[str, Any]
#: (members of the request) -> members of the reply; raises Refused
Serve = Callable[[Parameters], Mapping[str, Any]]
_JSON = "application/x-amz-json-1.1"


class Refused(Exception):
    """An error reply."""

    def __init__(self, code: str, message: str) -> None:
        """``code`` becomes ``__type``."""
        super().__init__(message)
        self.code = code
        self.message = message


class JsonService:
    """One service: its operations and what IAM asks about a request."""

    def __init__(
        self,
        name: str,
        botocore_name: str,
        operations: Mapping[str, Serve],
        resource: Callable[[str, Parameters], str] | None = None,
        reset: Callable[[], None] | None = None,
        context: Callable[[Parameters], Mapping[str, object]] | None = None,
    ) -> None:
        """``name`` is its name in IAM and in signatures; ``resource(operation, request)`` what IAM authorises on.

        ``context(request)`` are the service's own condition keys of a request.
        """
        self._name = name
        self._model = service_model(botocore_name)
        self._operations = operations
        self._resource = resource
        self._reset = reset
        self._context = context

    def install(self) -> None:
        """Add it to the server."""
        adapter.register_service(
            self._name,
            self._handle,
            target_prefixes=[self._model.metadata["targetPrefix"]],
            host_patterns=[rf"{self._name}\."],
            iam_namespace=self._name,
            iam_action=lambda _method, _path, headers, _body: f"{self._name}:{_operation(headers)}",
            resource_arn=self._resource_arn,
            iam_context=self._keys if self._context else None,
            reset=self._reset,
        )

    def _resource_arn(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: adapter.Query,
        region: str,
        account: str,
    ) -> str:
        del method, path, query, region, account
        if self._resource is None:
            return "*"
        try:
            return self._resource(_operation(headers), dict(json.loads(body or b"{}")))
        except (ValueError, TypeError):
            return "*"

    def _keys(self, action: str, body: bytes) -> Mapping[str, object]:
        del action
        try:
            return self._context(dict(json.loads(body or b"{}"))) if self._context else {}
        except (ValueError, TypeError):  # the service says so itself
            return {}

    def _handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: adapter.Query
    ) -> adapter.Response:
        del method, path, query
        operation = _operation(headers)
        try:
            reply = self._call(operation, body)
        except Refused as refused:
            return _error(400, refused.code, refused.message)
        # a defect of localcloud: the caller learns that it is one, the log has the traceback
        except Exception as error:
            logger.exception("%s:%s failed", self._name, operation)
            return _error(500, "InternalFailure", f"[localcloud] {type(error).__name__}: {error}")
        return 200, {"Content-Type": _JSON}, json.dumps(reply).encode()

    def _call(self, operation: str, body: bytes) -> Mapping[str, Any]:
        if operation not in self._model.operation_names:
            raise Refused("UnknownOperationException", f"{self._name} has no operation {operation!r}")
        served = self._operations.get(operation)
        if served is None:
            raise Refused("UnknownOperationException", f"[localcloud] {operation} is not supported yet")
        try:
            request = dict(json.loads(body or b"{}"))
        except (ValueError, TypeError):
            raise Refused("SerializationException", "The request body is not a JSON object") from None
        shape = self._model.operation_model(operation).input_shape
        if isinstance(shape, StructureShape):
            problems = ParamValidator().validate(request, shape)
            if problems.has_errors():
                raise Refused("ValidationException", problems.generate_report())
        return served(request)


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _error(status: int, code: str, message: str) -> adapter.Response:
    document = {"__type": code, "message": message, "Message": message}
    return status, {"Content-Type": _JSON, "x-amzn-ErrorType": code}, json.dumps(document).encode()
