"""Replies in every form that a model server may give them, over a real socket."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Sequence

import pytest

from localcloud.jobs.connections import ConnectionPool


class Script:
    """A server that answers each request with the next of its replies; None closes the connection instead."""

    def __init__(self, *replies: bytes | None) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._replies = list(replies)
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def open(self) -> socket.socket:
        return socket.create_connection(self._listener.getsockname(), timeout=5)

    def _serve(self) -> None:
        while self._replies:
            connection, _ = self._listener.accept()
            self.connections += 1
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        while self._replies and (got := connection.recv(65_536)):
            self.heard.append(got)
            reply = self._replies.pop(0)
            if reply is None:
                return
            for part in _pieces(reply):
                connection.sendall(part)
            if b"Content-Length" not in reply and b"chunked" not in reply and b" 204 " not in reply:
                return  # the end of the connection is the end of the reply


def _pieces(reply: bytes) -> Sequence[bytes]:
    middle = len(reply) // 2
    return reply[:middle], reply[middle:]


def ask(script: Script, times: int = 1, limit: float = 5) -> list[tuple[int, bytes]]:
    pool = ConnectionPool(script.open)
    replies = [pool.request("POST", "/invocations", b"1,2", {"content-type": "text/csv"}, limit) for _ in range(times)]
    pool.close()
    return [(status, body) for status, _, body in replies]


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name:  a b \r\n\r\nok"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (PLAIN, (200, b"ok")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nok\r\n3\r\n!\r\n\r\n0\r\nEnd: 1\r\n\r\n",
            (200, b"ok!\r\n"),
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", (200, b"until the end")),
        (b"HTTP/1.0 500 Oh\r\n\r\n", (500, b"")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, (200, b"ok")),
    ],
)
def test_forms_of_a_reply(reply: bytes, expected: tuple[int, bytes]) -> None:
    script = Script(reply)
    assert ask(script) == [expected]
    assert script.heard == [
        b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-type: text/csv\r\nContent-Length: 3\r\n\r\n1,2"
    ]


def test_a_connection_is_kept_and_headers_are_in_lower_case() -> None:
    script = Script(PLAIN, PLAIN, PLAIN)
    assert ask(script, 2) == [(200, b"ok")] * 2
    assert script.connections == 1
    assert ConnectionPool(script.open).request("GET", "/ping", None, {}, 5)[1]["x-name"] == "a b"


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    script = Script(PLAIN, None, PLAIN)
    assert ask(script, 2) == [(200, b"ok")] * 2
    assert script.connections == 2


@pytest.mark.parametrize("reply", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", None])
def test_what_is_no_reply(reply: bytes | None) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(Script(reply))


def test_a_server_that_says_nothing_in_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    pool = ConnectionPool(lambda: socket.create_connection(listener.getsockname(), timeout=5))
    with pytest.raises(TimeoutError):
        pool.request("GET", "/ping", None, {}, 0.05)
    listener.close()
