"""A web server on the loopback that answers from a table and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.loopback import answering


class Site(ThreadingHTTPServer):
    """Answers paths from a table of (status, headers, body); ``asked`` lists the paths and their Host header."""

    daemon_threads = True

    def __init__(self, pages: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.pages = dict(pages)
        self.asked: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Host", "")))
        self.server.headers = dict(self.headers.items())
        page = self.server.pages.get(self.path, (404, {}, b""))
        if callable(page):
            page(self)
            return
        status, headers, body = page
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(pages: Mapping[str, Any]) -> Iterator[Site]:
    site = Site(pages)
    with answering(site):
        yield site
