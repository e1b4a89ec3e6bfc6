"""Fetching a picture from an address that a stranger has chosen, without becoming the stranger's hands.

Whoever may ask the endpoint may name any address. A careless fetch would let them reach what only the container can
reach: the metadata service with its credentials, other machines of the network, services on the loopback. So

* only ``http`` and ``https`` on their own ports, without a user name in the address;
* the name is resolved once, every address that it has must be a public one, and the connection goes to that very
  address: a name that is resolved differently the second time finds nobody asking;
* a redirect is a new address, looked at like the first, at most three times, and never from https to http;
* no more bytes than the limit, no more seconds than the limit for everything together, only pictures, no compression.

All limits are parameters with safe defaults, and there is no other way to change them: nothing is read from the
environment, and no proxy is used.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from typing import Any, Callable, List, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

_CHUNK = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_URL = 2048

Resolve = Callable[[str, int], List[str]]
"""Returns the addresses of a host, as text; raises OSError when it has none."""


class FetchError(Exception):
    """The picture is not fetched; the text says why, and nothing of what the other side answered."""


class Limits(NamedTuple):
    """What a fetch may do."""

    bytes: int = 2_000_000
    """Of the answer's body, at most."""
    seconds: float = 10.0
    """For everything together: resolving, connecting, redirects, reading."""
    redirects: int = 3
    ports: tuple[int, ...] = (80, 443)
    types: tuple[str, ...] = ("image/png", "image/jpeg")


SAFE = Limits()


def system_resolve(host: str, port: int) -> list[str]:
    """Return the addresses that the system knows for a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Return whether an address belongs to the internet: not private, local, shared, reserved, or one in disguise.

    An IPv6 address may stand for an IPv4 one, which is then what counts; of the ways to carry one through tunnels
    (6to4, Teredo) nobody needs any here.
    """
    try:
        parsed: Any = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if getattr(parsed, "scope_id", None) or parsed.sixtofour is not None or parsed.teredo is not None:
            return False
        parsed = parsed.ipv4_mapped or parsed
    return bool(parsed.is_global) and not (
        parsed.is_private
        or parsed.is_loopback
        or parsed.is_link_local
        or parsed.is_multicast
        or parsed.is_reserved
        or parsed.is_unspecified
    )


def fetch(
    url: str,
    *,
    limits: Limits = SAFE,
    resolve: Resolve = system_resolve,
    allowed: Callable[[str], bool] = is_public,
    tls: ssl.SSLContext | None = None,
) -> bytes:
    """Return the bytes of the picture at ``url``.

    ``allowed`` decides about an address that a name has, ``tls`` is the context for https, by default the system's.
    Raises FetchError when the address, the answer or the time is outside of what ``limits`` and ``allowed`` admit.
    """
    end = time.monotonic() + limits.seconds
    for _ in range(limits.redirects + 1):
        answer = _ask(_checked(url, limits), end, limits, resolve, allowed, tls)
        if isinstance(answer, bytes):
            return answer
        target = urljoin(url, answer.location)
        if url.lower().startswith("https:") and not target.lower().startswith("https:"):
            raise FetchError("the address redirects from https to something else")
        url = target
    raise FetchError(f"the address redirects more than {limits.redirects} times")


class _Redirect(NamedTuple):
    location: str


def _checked(url: str, limits: Limits) -> SplitResult:
    """Return the parts of an address that may be asked; raise FetchError for any other."""
    if len(url) > _LONGEST_URL or not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise FetchError(f"an address has at most {_LONGEST_URL} plain letters and no spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchError(f"not an address: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise FetchError("only http and https addresses are fetched")
    if parts.username is not None or parts.password is not None or "\\" in url:
        raise FetchError("an address with a user name is not fetched")
    if not parts.hostname:
        raise FetchError("the address names no host")
    if (port if port is not None else _default_port(parts)) not in limits.ports:
        raise FetchError(f"only the ports {', '.join(map(str, limits.ports))} are asked")
    return parts


def _default_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _ask(
    parts: SplitResult,
    end: float,
    limits: Limits,
    resolve: Resolve,
    allowed: Callable[[str], bool],
    tls: ssl.SSLContext | None,
) -> bytes | _Redirect:
    host, port = str(parts.hostname), parts.port if parts.port is not None else _default_port(parts)
    address = _address(host, port, end, resolve, allowed)
    context = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
    connection = _Pinned(host, port, address, context, end)
    try:
        connection.connect()
        # However slowly the other side sends: at the end the connection is cut.
        timer = threading.Timer(max(end - time.monotonic(), 0.0), connection.cut)
        timer.daemon = True
        timer.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {
                "Accept": ", ".join(limits.types),
                "Accept-Encoding": "identity",
                "User-Agent": "sandcastle-digits",
            }
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            if time.monotonic() >= end:  # cut in the middle of its headers, which then look like all of them
                raise TimeoutError
            return _read(answer, limits, end)
        finally:
            timer.cancel()
    except (OSError, http.client.HTTPException, ValueError):  # of TLS, too; what exactly would tell about the network
        late = time.monotonic() >= end
        reason = f"nothing came within {limits.seconds:g} seconds" if late else "the host does not answer as it should"
        raise FetchError(f"{host}: {reason}") from None
    finally:
        connection.close()


def _address(host: str, port: int, end: float, resolve: Resolve, allowed: Callable[[str], bool]) -> str:
    """Resolve the host once, in the time that is left, and return its first address when all are allowed."""
    found: list[str] = []

    def look() -> None:
        with contextlib.suppress(OSError, UnicodeError):  # a name that is too long for DNS is a UnicodeError
            found.extend(resolve(host, port))

    thread = threading.Thread(target=look, daemon=True)  # the system's resolver has no timeout of its own
    thread.start()
    thread.join(max(end - time.monotonic(), 0.0))
    addresses = list(found)
    if not addresses:
        raise FetchError(f"{host}: no address is known")
    if not all(allowed(address) for address in addresses):
        raise FetchError(f"{host} is not a host of the public internet")
    return addresses[0]


def _read(answer: http.client.HTTPResponse, limits: Limits, end: float) -> bytes | _Redirect:
    location = answer.getheader("Location")
    if answer.status in _REDIRECTS and location:
        return _Redirect(location)
    if answer.status != 200:
        raise FetchError(f"the host answers with status {answer.status}")
    kind = (answer.getheader("Content-Type") or "").split(";")[0].strip().lower()
    if kind not in limits.types:
        raise FetchError(f"what is there is no picture: expected {' or '.join(limits.types)}")
    if (answer.getheader("Content-Encoding") or "identity").lower() != "identity":
        raise FetchError("the picture is compressed once more, which nobody asked for")
    content = bytearray()
    while True:
        part = answer.read1(_CHUNK)
        if time.monotonic() >= end:  # what was cut looks like an end
            raise FetchError(f"the picture takes longer than {limits.seconds:g} seconds")
        if not part:
            break
        content += part
        if len(content) > limits.bytes:
            raise FetchError(f"the picture has more than {limits.bytes:,} bytes")
    if answer.length:  # what the header promised and did not come
        raise FetchError("the picture ends before its end")
    return bytes(content)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever its host's name may be resolved to by now."""

    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext | None, end: float) -> None:
        super().__init__(host, port)
        self._address, self._tls, self._end = address, tls, end
        self.default_port = 443 if tls else 80  # decides whether the header Host names the port

    def connect(self) -> None:
        """Connect, and speak TLS with the host's own name, in the time that is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock = socket.create_connection((self._address, self.port), timeout=left)
        self.sock.settimeout(max(self._end - time.monotonic(), 0.001))
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End the connection under whoever is reading from it."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
