"""Keep-alive HTTP connections to one model server, shared by many threads."""

import http.client
import socket
import threading
from collections.abc import Callable


class _Connection(http.client.HTTPConnection):
    """An HTTP connection over a socket that somebody else opens."""

    def __init__(self, opener: Callable[[], socket.socket], timeout: float) -> None:
        super().__init__("127.0.0.1", timeout=timeout)
        self._opener = opener
        self._limit = timeout

    def connect(self) -> None:
        self.sock = self._opener()
        self.sock.settimeout(self._limit)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class ConnectionPool:
    """Hands out connections; one that failed is closed, one that worked is kept for the next request."""

    def __init__(self, opener: Callable[[], socket.socket]) -> None:
        """`opener` makes a TCP connection to the server; raises OSError when nobody listens."""
        self._opener = opener
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case names) and body. Raises OSError or http.client.HTTPException."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._exchange(kept, method, path, body, headers, timeout)
            except (http.client.RemoteDisconnected, ConnectionError):
                pass  # the server had closed it while it was idle; nothing was processed
        return self._exchange(_Connection(self._opener, timeout), method, path, body, headers, timeout)

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
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
        except BaseException:
            connection.close()
            raise
        found = {name.lower(): value for name, value in reply.getheaders()}
        if reply.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return reply.status, found, content
