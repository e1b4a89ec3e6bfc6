"""The front door: connections whose first request has a short way get it, all others go to hypercorn and MiniStack.

A short way is a thread that reads plain HTTP/1.1 from the socket and calls a function. It is there for invocations of
endpoints, to which hypercorn, MiniStack's routing and two hops between threads add more time than a small model takes.
Nothing that AWS does is left out on it, see ``adapter.direct``. Whatever is out of the ordinary (chunked bodies, a
query string, fault rules, another path) goes back to the long way, with the bytes that were read.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from localcloud.adapter.direct import DirectRequest
from localcloud.adapter.services import Response
from localcloud.faults.rules import default_rules

#: answers a request, or says None: the long way is right for it
Serve = Callable[[DirectRequest], Response | None]

#: seconds that a connection may be idle; hypercorn's ``keep_alive_timeout`` (see ``server``)
IDLE_SECONDS = 75
#: larger requests go the long way, bytes
_LARGEST = 8 * 1024 * 1024
_CHUNK = 65_536
_OTHER_RULES = ("transfer-encoding", "expect", "content-encoding")
_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}
_short_ways: dict[bytes, Serve] = {}


def register(start: bytes, serve: Serve) -> None:
    """Requests that start with these bytes (``b"POST /endpoints/"``) go to ``serve``, on a thread that may block."""
    _short_ways[start] = serve


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose server on ``listener`` looks at each connection's first bytes."""

    def __init__(self, listener: socket.socket) -> None:
        """``listener`` is the server's own socket; other servers of the loop are as ever."""
        super().__init__()
        self._address = listener.getsockname()

    async def create_server(self, protocol_factory: Any, *args: Any, **options: Any) -> asyncio.Server:
        """As ever, with a look at the first bytes in front for the server's own socket."""
        listening = options.get("sock")
        if listening is None or listening.getsockname() != self._address:
            return await super().create_server(protocol_factory, *args, **options)
        return await super().create_server(lambda: _FirstLook(self, protocol_factory), *args, **options)


class _FirstLook(asyncio.Protocol):
    """A connection that has not said anything yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop, long_way: Callable[[], asyncio.Protocol]) -> None:
        self._loop = loop
        self._long_way = long_way
        self._transport: Any = None
        self._first = b""
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._idle = self._loop.call_later(IDLE_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._idle:
            self._idle.cancel()

    def data_received(self, data: bytes) -> None:
        self._first += data
        serve = next((way for start, way in _short_ways.items() if self._first.startswith(start)), None)
        if serve is None and any(start.startswith(self._first) for start in _short_ways):
            return  # a few bytes more decide it
        if self._idle:
            self._idle.cancel()
        if serve is None:
            _hand_over(self._transport, self._long_way(), self._first)
            return
        # the transport closes its own descriptor; the connection lives on in the copy
        taken = socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno()))
        self._transport.abort()
        # after abort() has let go of the descriptor: whether it blocks is a property of both copies
        self._loop.call_soon(_ShortWay(taken, self._first, serve, self._back).start)

    def _back(self, taken: socket.socket, read: bytes) -> None:
        """Give a connection with a request of another kind to hypercorn, from any thread."""
        taken.setblocking(False)

        async def adopt() -> None:
            with contextlib.suppress(OSError):
                transport, _ = await self._loop.connect_accepted_socket(asyncio.Protocol, taken)
                _hand_over(transport, self._long_way(), read)

        self._loop.call_soon_threadsafe(lambda: _keep(self._loop.create_task(adopt())))


_tasks: set[asyncio.Task[None]] = set()


def _keep(task: asyncio.Task[None]) -> None:
    """The loop itself holds tasks only weakly."""
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _hand_over(transport: Any, protocol: asyncio.Protocol, read: bytes) -> None:
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if read:
        protocol.data_received(read)


class _ShortWay:
    """One connection on a thread of its own."""

    def __init__(
        self, taken: socket.socket, read: bytes, serve: Serve, back: Callable[[socket.socket, bytes], None]
    ) -> None:
        self._socket = taken
        self._read = read
        self._serve = serve
        self._back = back

    def start(self) -> None:
        self._socket.setblocking(True)
        # a limit of the kernel's: a limit of Python's would look before each read
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", IDLE_SECONDS, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._run, name="short-way", daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                asked = self._next()
                answer = self._serve(asked[0]) if asked and default_rules().empty else None
                if asked is None or answer is None:
                    self._back(self._socket, self._read)
                    return
                request, length = asked
                self._read = self._read[length:]
                close = "close" in request.headers.get("connection", "").lower()
                self._socket.sendall(_written(answer, close))
                if close:
                    break
        except OSError:  # the other side has gone, or said nothing for too long
            pass
        self._socket.close()

    def _next(self) -> tuple[DirectRequest, int] | None:
        """The next request and its length in bytes, left in ``_read``; None for the long way. Raises OSError."""
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            if len(self._read) > _CHUNK:
                return None
            self._more()
        parsed = _parse(self._read[:end])
        if parsed is None:
            return None
        method, path, headers, sent = parsed
        size = headers.get("content-length", "0")
        if not size.isdecimal() or int(size) > _LARGEST:
            return None
        start, stop = end + 4, end + 4 + int(size)
        if len(self._read) < stop:
            self._read = b"".join([self._read, *self._rest(stop - len(self._read))])
        return DirectRequest(method, path, headers, sent, self._read[start:stop]), stop

    def _more(self) -> None:
        got = self._socket.recv(_CHUNK)
        if not got:
            raise ConnectionResetError
        self._read += got

    def _rest(self, missing: int) -> list[bytes]:
        parts = []
        while missing > 0:
            part = self._socket.recv(max(missing, _CHUNK))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            missing -= len(part)
        return parts


def _parse(head: bytes) -> tuple[str, str, dict[str, str], list[str]] | None:
    """Method, path, headers (names in lower case) and their lines as sent; None unless they are plain."""
    if not head.isascii():  # UTF-8 values
        return None
    first, *lines = head.decode("ascii").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1" or "?" in words[1]:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name.strip() != name:
            return None
        key, value = name.lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    # what has other rules than its plain text (chunks, an answer before the body, a compressed body)
    if not headers.keys().isdisjoint(_OTHER_RULES):
        return None
    return words[0], words[1], headers, lines


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _written(answer: Response, close: bool) -> bytes:
    status, headers, body = answer
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", f"date: {_date(int(time.time()))}"]
    if close:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
