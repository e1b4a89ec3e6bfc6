"""GitHub and GitLab, as far as comments go: a server with the shapes of their REST references, on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import answering

SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
PAGE = 3
"""Comments on a page, whatever was asked: so a test needs few of them."""


def user(login: str, number: int = 1) -> dict[str, Any]:
    """Return an account as GitHub describes it."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {"login": login, "id": number, "node_id": "MDQ6VXNlcjE=", "type": kind, "site_admin": False}


@dataclass
class Forge:
    """What is there, what was asked, and what to refuse first."""

    head: str = SHA
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refuse: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    elsewhere: str = ""
    """Where the next page is said to be, if not here."""
    root: str = ""

    def comment(self, body: str, login: str | None = "github-actions[bot]") -> dict[str, Any]:
        """Add a comment of GitHub's shape; without a login its account is gone."""
        number = 1000 + len(self.comments)
        made = {
            "id": number,
            "node_id": "MDEyOklzc3VlQ29tbWVudDE=",
            "url": f"{self.root}/repos/octo/hello/issues/comments/{number}",
            "html_url": f"https://github.com/octo/hello/pull/7#issuecomment-{number}",
            "body": body,
            "user": None if login is None else user(login),
            "created_at": "2026-11-20T14:00:00Z",
            "updated_at": "2026-11-20T14:00:00Z",
            "author_association": "NONE",
        }
        self.comments.append(made)
        return made

    def note(self, body: str, author: int = 42) -> dict[str, Any]:
        """Add a note of GitLab's shape."""
        made = {
            "id": 300 + len(self.comments),
            "body": body,
            "author": {"id": author, "username": f"project_{author}_bot", "name": "review", "state": "active"},
            "system": False,
            "noteable_type": "MergeRequest",
            "noteable_iid": 7,
            "resolvable": False,
        }
        self.comments.append(made)
        return made

    def changes(self) -> list[str]:
        """Return what was changed, by method."""
        return [method for method, _, _ in self.asked if method != "GET"]


@contextmanager
def running(forge: Forge) -> Iterator[Forge]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path)
            forge.asked.append((self.command, path.path, dict(self.headers)))
            if forge.refuse:
                status, headers = forge.refuse.pop(0)
                self._answer(status, {"message": "no", "documentation_url": "https://docs.github.com/rest"}, headers)
            elif self.command == "GET" and path.path.endswith(("/comments", "/notes")):
                self._page(path.path, int(parse_qs(path.query).get("page", ["1"])[0]))
            elif self.command == "GET" and path.path.endswith("/user"):
                self._answer(200, {"id": 42, "username": "project_42_bot", "state": "active"})
            elif self.command == "GET" and path.path.endswith("/7"):
                self._answer(
                    200, {"number": 7, "iid": 7, "state": "open", "sha": forge.head, "head": {"sha": forge.head}}
                )
            elif self.command == "POST":
                body = json.loads(sent)["body"]
                self._answer(201, forge.note(body) if "/notes" in path.path else forge.comment(body))
            elif self.command in ("PATCH", "PUT"):
                number = int(path.path.rpartition("/")[2])
                (found,) = (one for one in forge.comments if one["id"] == number)
                found["body"] = json.loads(sent)["body"]
                self._answer(200, found)
            else:
                self._answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})

        do_GET = do_POST = do_PATCH = do_PUT = _any

        def _page(self, path: str, page: int) -> None:
            items = forge.comments[(page - 1) * PAGE : page * PAGE]
            more = page * PAGE < len(forge.comments)
            where = forge.elsewhere or f"{forge.root}{path}"
            link = f'<{where}?per_page=100&page={page + 1}>; rel="next", <{where}?page=9>; rel="last"'
            self._answer(200, items, {"Link": link} if more else {})

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.root = f"http://127.0.0.1:{server.server_port}"
    with answering(server):
        yield forge
