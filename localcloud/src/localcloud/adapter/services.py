"""Adding a service to MiniStack: routing, IAM action and resource, tags and reset."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant
from ministack.services import tagging

from localcloud.adapter.authorised_on import Query, correct

#: status, headers, body
Response = tuple[int, dict[str, str], bytes]
#: (method, path, headers with lower-case names, body, query) -> Response; may be a coroutine function or a plain
#: function. A plain one runs on a thread of its own and may block and call the server again.
Handler = Callable[[str, str, dict[str, str], bytes, Query], Response | Awaitable[Response]]
#: (method, path, headers, body, query, region, account) -> ARN the request is authorised on ("*" when none)
ResourceArn = Callable[[str, str, dict[str, str], bytes, Query, str, str], str]
#: (method, path, headers, body) -> "namespace:Action" or None (then only the credentials are checked)
IamAction = Callable[[str, str, dict[str, str], bytes], str | None]
#: ("namespace:Action", body) -> condition keys of the request beside those of its tags
IamContext = Callable[[str, bytes], Mapping[str, object]]
#: () -> (ARN, [{"Key", "Value"}]) of every tagged resource of the request's account and region
TagCollector = Callable[[], Iterable[tuple[str, list[dict[str, str]]]]]


class _Module:
    """What MiniStack expects of a service module: a coroutine handler, reset and (empty) persistence."""

    def __init__(self, handler: Handler, reset: Callable[[], None] | None) -> None:
        self._handler = handler
        self._reset = reset

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> Response:
        if inspect.iscoroutinefunction(self._handler):
            answer = await self._handler(method, path, headers, body, query)
        else:
            answer = await run_reentrant(
                self._handler, method, path, headers, body, query, thread_name="localcloud-service"
            )
        status, reply_headers, reply = answer
        return status, dict(reply_headers), reply

    def reset(self) -> None:
        if self._reset:
            self._reset()

    def get_state(self) -> None:
        """No snapshot: localcloud does not persist, a stopped one starts empty."""

    def load_persisted_state(self, data: object) -> None:
        """See ``get_state``."""


def register_service(
    name: str,
    handler: Handler,
    *,
    target_prefixes: Sequence[str] = (),
    host_patterns: Sequence[str] = (),
    path_patterns: Sequence[str] = (),
    iam_namespace: str | None = None,
    resource_arn: ResourceArn | None = None,
    iam_action: IamAction | None = None,
    iam_context: IamContext | None = None,
    reset: Callable[[], None] | None = None,
) -> None:
    """Make ``name`` a service of this server.

    A request belongs to it when its X-Amz-Target starts with one of ``target_prefixes``, its SigV4 scope is
    ``name``, its Host matches one of ``host_patterns`` or its path one of ``path_patterns`` (regular
    expressions, matched from the start, for REST-style runtimes). With ``iam_namespace`` every HTTP request is
    authorised before ``handler`` sees it, with the condition keys of ``iam_context``. ``reset`` runs when the server is
    reset.
    """
    module = _Module(handler, reset)
    app._loaded_modules[name] = module
    app.SERVICE_REGISTRY[name] = {"module": name}
    app.SERVICE_HANDLERS[name] = module.handle_request
    app._state_map[name] = name
    # first in the table, so that these patterns win over the S3 fall-through
    others = dict(router.SERVICE_PATTERNS)
    router.SERVICE_PATTERNS.clear()
    router.SERVICE_PATTERNS[name] = {
        "target_prefixes": list(target_prefixes),
        "host_patterns": list(host_patterns),
    }
    router.SERVICE_PATTERNS.update(others)
    if path_patterns:
        _route_paths(name, [re.compile(pattern) for pattern in path_patterns])
    if iam_namespace:
        iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = iam_namespace
    if resource_arn:
        ask = resource_arn
        correct(
            name, lambda one, _: ask(one.method, one.path, one.headers, one.body, one.query, one.region, one.account)
        )
    if iam_action:
        _wrap_iam_action(name, iam_action)
    if iam_context:
        _wrap_iam_context(name, iam_context)


def _route_paths(name: str, patterns: list[re.Pattern[str]]) -> None:
    before = router.detect_service

    def detect_service(method: str, path: str, headers: dict[str, str], query: Query) -> str:
        # a signed S3 request may name any key, so a path alone never takes it away from S3
        if "/s3/aws4_request" not in headers.get("authorization", "") and any(p.match(path) for p in patterns):
            return name
        found: str = before(method, path, headers, query)
        return found

    router.detect_service = detect_service
    app.detect_service = detect_service


def _wrap_iam_action(name: str, iam_action: IamAction) -> None:
    before = iam_actions.extract_iam_action

    def extract_iam_action(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> str | None:
        if service == name:
            return iam_action(method, path, headers, body)
        action: str | None = before(service, method, path, headers, body, query)
        return action

    iam_actions.extract_iam_action = extract_iam_action


def _wrap_iam_context(name: str, iam_context: IamContext) -> None:
    before = iam_actions.request_tag_context

    def request_tag_context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = before(service, action, body, parameters)
        return {**found, **iam_context(action, body)} if service == name else found

    iam_actions.request_tag_context = request_tag_context


def register_tag_collector(prefix: str, fn: TagCollector) -> None:
    """Let ``tag:GetResources`` and ``aws:ResourceTag`` conditions see the tags of ARNs of service ``prefix``."""
    table: dict[str, Any] = tagging._COLLECTORS
    table[prefix] = fn
    tagging._RESOURCE_TAG_COLLECTORS[prefix] = fn
