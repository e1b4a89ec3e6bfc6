"""The wire: JSON 1.1 requests by X-Amz-Target, REST invocations by path, and what IAM asks about a request."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from localcloud import adapter
from localcloud.sagemaker import runtime
from localcloud.sagemaker.errors import ServiceError, serialization
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.service import SageMaker

logger = logging.getLogger("localcloud.sagemaker")

TARGET_PREFIX = "SageMaker"
_JSON = "application/x-amz-json-1.1"
_INVOKE = "sagemaker:InvokeEndpoint"
#: last part of the path -> what IAM is asked for; _INVOKE for everything else
_ACTIONS = {
    "async-invocations": "sagemaker:InvokeEndpointAsync",
    "invocations-response-stream": "sagemaker:InvokeEndpointWithResponseStream",
}


class Handler:
    """MiniStack's view of the service. Requests are served on threads: none of them may block the event loop."""

    def __init__(self, service: SageMaker) -> None:
        """Serve ``service``."""
        self._service = service
        self._control = ThreadPoolExecutor(16, "sagemaker-api")
        # an invocation may last a minute and may call back into this server, so they get threads of their own
        self._invocations = ThreadPoolExecutor(64, "sagemaker-invoke")

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, Sequence[str]]
    ) -> runtime.Response:
        """One request."""
        del method, query
        # the account and region of a request are context variables, which a thread does not inherit by itself
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        if path.startswith("/endpoints/"):
            return await loop.run_in_executor(
                self._invocations, lambda: context.run(lambda: self._invoke(_scope(), path, headers, body))
            )
        return await loop.run_in_executor(self._control, context.run, self._call, headers, body)

    def answer(self, request: adapter.DirectRequest) -> runtime.Response | None:
        """An invocation that came the short way (``front``): authorised like any other, then served on this thread."""
        match = runtime.INVOCATION.match(request.path)
        if match is None:
            return None
        token = f"{random.getrandbits(128):032x}"  # a name, no secret
        request_id = f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:]}"
        caller = adapter.admit("sagemaker", request)
        scope = _scope_of(caller.account, caller.region)
        action = _ACTIONS.get(match["how"], _INVOKE)
        answer = caller.authorise(action, scope.arn("endpoint", match["endpoint"]), request_id)
        if answer is None:
            answer = self._invoke(scope, request.path, request.headers, request.body)
        answer[1]["x-amzn-RequestId"] = request_id
        return answer

    def iam_action(self, method: str, path: str, headers: dict[str, str], body: bytes) -> str | None:
        """``sagemaker:<Operation>``."""
        del method, body
        if path.startswith("/endpoints/"):
            return _ACTIONS.get(path.rpartition("/")[2], _INVOKE)
        return f"sagemaker:{_operation(headers)}"

    def resource_arn(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: adapter.Query,
        region: str,
        account: str,
    ) -> str:
        """The ARN that the request is authorised on."""
        del method, query
        scope = Scope(account, region)
        if path.startswith("/endpoints/"):
            return scope.arn("endpoint", path.split("/")[2])
        return self._service.resource_arn(_operation(headers), body, scope)

    def iam_context(self, action: str, body: bytes) -> dict[str, object]:
        """The condition keys of the request beside those of its tags."""
        return self._service.iam_context(action.partition(":")[2], body, _scope())

    def _invoke(self, scope: Scope, path: str, headers: dict[str, str], body: bytes) -> runtime.Response:
        try:
            return self._service.runtime.invoke(scope, path, headers, body)
        except ServiceError as error:
            return runtime.error_response(error)

    def _call(self, headers: dict[str, str], body: bytes) -> runtime.Response:
        reply_headers = {"Content-Type": _JSON}
        try:
            try:
                parameters = json.loads(body or b"{}")
            except ValueError:
                raise serialization("The request body is not JSON") from None
            reply = self._service.call(_operation(headers), parameters, _scope(), headers)
        except ServiceError as error:
            document = {"__type": error.code, "message": error.message, **error.members}
            return error.status, {**reply_headers, "x-amzn-ErrorType": error.code}, json.dumps(document).encode()
        # a defect of localcloud: the caller learns that it is one, the log has the traceback
        except Exception as error:
            logger.exception("%s failed", _operation(headers))
            document = {"__type": "InternalFailure", "message": f"[localcloud] {type(error).__name__}: {error}"}
            return 500, reply_headers, json.dumps(document).encode()
        return 200, reply_headers, json.dumps(reply).encode()


def _operation(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _scope() -> Scope:
    return _scope_of(adapter.account_id(), adapter.region())


@lru_cache(256)
def _scope_of(account: str, region: str) -> Scope:
    return Scope(account, region)
