"""The hosts of one training job, and how they put together what each of them has found.

Every host runs the same program on its own data; `algo-1`, the first, collects from all, combines, and tells all what
came out. One exchange is one TCP connection from each other host to the first, on the names that the platform gives
the hosts. AWS's closed algorithms use a parameter server of their own for it.
"""

import hashlib
import os
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sagemaker_io import read_config

#: nobody else's on these addresses (see `address`)
PORT = 29_111
#: seconds: between two tries to reach a first host that is not listening yet, and until a host gives up for good
_RETRY, _PATIENCE = 0.05, 3600.0
#: seconds that a host which was left alone goes on living: the one that failed says why, and should be seen first
_LAST = 3.0
_HEADER = struct.Struct("!IQ")


@dataclass(frozen=True)
class Hosts:
    """This host among the others; `names` in the order of their numbers."""

    current: str
    names: tuple[str, ...]

    @classmethod
    def of_job(cls) -> "Hosts":
        """From resourceconfig.json; a program that is run by hand is alone."""
        found: dict[str, Any] = read_config("resourceconfig")
        current = found.get("current_host", "algo-1")
        return cls(current, tuple(found.get("hosts", [current])))

    @property
    def number(self) -> int:
        """0 for the first."""
        return self.names.index(self.current)

    @property
    def first(self) -> bool:
        """Whether this is the one that combines, judges and saves."""
        return self.number == 0

    def combine(self, mine: bytes, put_together: Callable[[list[bytes]], bytes]) -> bytes:
        """What `put_together`, called on the first host, makes of the bytes of all hosts in order.

        Returns the same on every host. Raises ConnectionError when another host went away.
        """
        if len(self.names) == 1:
            return put_together([mine])
        return self._collect(mine, put_together) if self.first else self._report(mine)

    def _collect(self, mine: bytes, put_together: Callable[[list[bytes]], bytes]) -> bytes:
        parts = {0: mine}
        links: list[socket.socket] = []
        try:
            with socket.create_server((address(self.names[0]), PORT), backlog=len(self.names)) as server:
                server.settimeout(_PATIENCE)
                while len(parts) < len(self.names):
                    link, _ = server.accept()
                    links.append(link)
                    link.settimeout(_PATIENCE)
                    number, content = _receive(link)
                    parts[number] = content
            combined = put_together([parts[number] for number in range(len(self.names))])
            for link in links:
                _send(link, 0, combined)
            return combined
        finally:
            for link in links:
                link.close()

    def _report(self, mine: bytes) -> bytes:
        try:
            with _reach(address(self.names[0])) as link:
                _send(link, self.number, mine)
                return _receive(link)[1]
        except ConnectionError:
            time.sleep(_LAST)
            raise


def address(name: str) -> str:
    """Where a host is.

    Without namespaces localcloud cannot give names to hosts: then every job has loopback addresses of its own,
    the same ones on all its hosts.
    """
    try:
        return socket.gethostbyname(name)
    except OSError:
        digest = hashlib.sha256(os.environ.get("TRAINING_JOB_ARN", "").encode()).digest()
        return f"127.{digest[0] % 127 + 128}.{digest[1]}.{int(name.rpartition('-')[2] or 1) % 255}"


def _reach(where: str) -> socket.socket:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return socket.create_connection((where, PORT), timeout=_PATIENCE)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY)


def _send(link: socket.socket, number: int, content: bytes) -> None:
    link.sendall(_HEADER.pack(number, len(content)) + content)


def _receive(link: socket.socket) -> tuple[int, bytes]:
    number, length = _HEADER.unpack(_exactly(link, _HEADER.size))
    return number, _exactly(link, length)


def _exactly(link: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        part = link.recv(min(length - len(content), 1 << 20))
        if not part:
            raise ConnectionResetError("another host of this job ended before its work was done")
        content += part
    return bytes(content)
