"""Keep-alive HTTP connections to one model server, shared by many threads.

Written out instead of ``http.client``, which takes as long to read a reply as a small model takes to compute one.
"""

import http.client
import socket
import struct
import threading
from collections.abc import Callable

_CHUNK = 65_536
#: longest head of a reply, bytes
_LONGEST_HEAD = 262_144
#: statuses without a body, whatever the headers say
_EMPTY = (204, 304)

#: status, headers (lower case names), body
Reply = tuple[int, dict[str, str], bytes]


class _Connection:
    """One connection; a reply has to be read whole before the next request."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._socket.setblocking(True)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._limit = 0.0
        self._read = b""
        #: the server has sent something since the last request
        self.heard = False
        #: the server keeps the connection open
        self.reusable = True

    def exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str], limit: float) -> Reply:
        """One request and its reply; ``limit`` in seconds for each read. Raises OSError or HTTPException."""
        if limit != self._limit:
            # a limit of the kernel's: a limit of Python's would look before each read
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(limit))
            self._limit = limit
        self.heard, self.reusable = False, True
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        status, found = self._head()
        while status < 200:  # informational: the reply is yet to come
            status, found = self._head()
        return status, found, self._body(status, found)

    def close(self) -> None:
        self._socket.close()

    def _head(self) -> tuple[int, dict[str, str]]:
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            if len(self._read) > _LONGEST_HEAD:
                raise http.client.LineTooLong("head")
            self._more()
        head, self._read = self._read[:end].decode("latin-1"), self._read[end + 4 :]
        lines = head.split("\r\n")
        words = lines[0].split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise http.client.BadStatusLine(lines[0])
        found = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        wish = found.get("connection", "").lower()
        self.reusable = "close" not in wish and (words[0] != "HTTP/1.0" or "keep-alive" in wish)
        return int(words[1]), found

    def _body(self, status: int, found: dict[str, str]) -> bytes:
        if status in _EMPTY:
            return b""
        if "chunked" in found.get("transfer-encoding", "").lower():
            return b"".join(self._chunks())
        length = found.get("content-length")
        if length is not None:
            return self._exactly(int(length))
        self.reusable = False
        parts = [self._read]
        while part := self._socket.recv(_CHUNK):
            parts.append(part)
        return b"".join(parts)

    def _chunks(self) -> list[bytes]:
        parts = []
        while size := int(self._line().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._line()
        while self._line():  # trailers
            pass
        return parts

    def _line(self) -> bytes:
        while (end := self._read.find(b"\r\n")) < 0:
            self._more()
        line, self._read = self._read[:end], self._read[end + 2 :]
        return line

    def _exactly(self, length: int) -> bytes:
        parts, size = [self._read], len(self._read)
        while size < length:
            part = self._receive()
            parts.append(part)
            size += len(part)
        whole = b"".join(parts)
        self._read = whole[length:]
        return whole[:length]

    def _more(self) -> None:
        self._read += self._receive()

    def _receive(self) -> bytes:
        try:
            got = self._socket.recv(_CHUNK)
        except BlockingIOError:  # how the kernel says that its limit is over
            raise TimeoutError("timed out") from None
        if not got:
            raise http.client.RemoteDisconnected("Remote end closed connection without response")
        self.heard = True
        return got


class ConnectionPool:
    """Hands out connections; one that failed is closed, one that worked is kept for the next request."""

    def __init__(self, opener: Callable[[], socket.socket]) -> None:
        """`opener` makes a TCP connection to the server; raises OSError when nobody listens."""
        self._opener = opener
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float) -> Reply:
        """Status, headers (lower case names) and body. Raises OSError or http.client.HTTPException."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._exchange(kept, method, path, body, headers, timeout)
            except (http.client.RemoteDisconnected, ConnectionError):
                if kept.heard:
                    raise
                # the server had closed it while it was idle; nothing was processed
        return self._exchange(_Connection(self._opener()), method, path, body, headers, timeout)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _exchange(
        self,
        connection: _Connection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout: float,
    ) -> Reply:
        try:
            reply = connection.exchange(method, path, body, headers, timeout)
        except ValueError as error:  # a length that is no number
            connection.close()
            raise http.client.HTTPException(str(error)) from error
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()
        return reply


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("ll", whole, int((seconds - whole) * 1_000_000))
