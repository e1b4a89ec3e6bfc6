"""Stands in the way of every HTTP call: delays it, refuses it, kills who made it, or lets a person act after it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from localcloud.adapter.requests import ApiCall, identify
from localcloud.faults.doom import default_doom
from localcloud.faults.replies import Refusal, Reply, reply, throttled
from localcloud.faults.rules import Rule, default_rules
from localcloud.self_calls import PERSON, CallFailed, call

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("localcloud.faults")

#: paths that are no API calls: MiniStack's own, which includes the answers of custom resources
_NO_CALLS = ("/_ministack", "/_localstack", "/health")


async def pass_through(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request, with the rules applied to it."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if default_rules().empty or scope["path"].startswith(_NO_CALLS) or PERSON in headers.get("user-agent", ""):
        await application(scope, receive, send)
        return
    body, again = await _read(receive)
    query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
    made = identify(scope["method"], scope["path"], headers, query, body)
    if made is None:
        await application(scope, again, send)
        return
    for rule in default_rules().before(made):
        if rule.effect == "delay":
            await asyncio.sleep(float(rule.given["seconds"]))
        elif rule.effect == "crash-function":
            await _crash(rule, made, application, scope, again, send)
            return
        else:
            await _answer(reply(made, refusal(rule, made), scope["method"] == "HEAD"), send)
            return
    await application(scope, again, _watched(made, send))


async def _crash(
    rule: Rule, made: ApiCall, application: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    """Kill the function before its call is served, or after. A caller that is no function is served as ever."""
    doom = default_doom()
    if rule.given.get("when", "start") == "start" and doom.strike(made.principal):
        await _answer(reply(made, Refusal("InternalFailure", "nobody hears this any more", 500)), send)
        return

    async def strike_first(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            doom.strike(made.principal)
        await send(message)

    await application(scope, receive, strike_first)


def _watched(made: ApiCall, send: Send) -> Send:
    """Look at the answer before the caller gets it: functions die here, and persons act when it was no refusal."""

    async def watch(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            default_doom().served(made.principal)
            if message["status"] < 400:
                act_after(made)
        await send(message)

    return watch


def act_after(made: ApiCall) -> None:
    """A call was served: let persons make theirs, on threads of their own."""
    for rule in default_rules().after(made):
        threading.Thread(target=_act, args=[rule, made], name="localcloud-person", daemon=True).start()


def _act(rule: Rule, made: ApiCall) -> None:
    """Make a rule's call as the account's root, and note how it went."""
    asked = rule.given["call"]
    parameters = {name: _filled(value, made.parameters) for name, value in (asked.get("parameters") or {}).items()}
    try:
        call(asked["service"], asked["operation"], parameters, asked.get("region") or made.region, person=True)
        outcome = "done"
    except CallFailed as error:
        outcome = str(error)
        logger.warning("a person's %s failed: %s", asked["operation"], error)
    rule.outcomes.append(outcome)


def _filled(value: Any, request: Mapping[str, Any]) -> Any:
    """``$request.Name`` becomes the member of the call that was answered."""
    if isinstance(value, dict):
        return {name: _filled(item, request) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, request) for item in value]
    if isinstance(value, str) and value.startswith("$request."):
        return request.get(value.removeprefix("$request."))
    return value


def refusal(rule: Rule, made: ApiCall) -> Refusal:
    """What a rule that refuses a call answers."""
    if rule.effect == "throttle":
        return throttled(made)
    given = rule.given
    text = "We encountered an internal error. Please try again."
    status = given.get("status", 400 if "code" in given else 500)
    return Refusal(given.get("code", "InternalFailure"), given.get("message", text), status)


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body, and a source that gives it once more."""
    body, messages = b"", []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        if not message.get("more_body"):
            break

    async def again() -> MutableMapping[str, Any]:
        return messages.pop(0) if messages else await receive()

    return body, again


async def _answer(answer: Reply, send: Send) -> None:
    status, headers, body = answer
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*pairs, length]})
    await send({"type": "http.response.body", "body": body})
