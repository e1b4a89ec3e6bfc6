"""One comment in a GitHub pull request, made once and updated from then on (REST API, version 2022-11-28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operations.errors import OperationError
from operations.review.post.text import MARKER
from operations.review.post.web import Server

AUTHOR = "github-actions[bot]"
"""Who writes with the token of a workflow: another's comment is left alone, whatever it begins with."""


@dataclass(frozen=True)
class PullRequest:
    """A pull request as somebody says it: its repository (``owner/name``), its number, and the commit reviewed."""

    repository: str
    number: str
    head: str


def server(environ: Mapping[str, str]) -> Server:
    """Return GitHub's API with the workflow's token.

    Raises OperationError naming the variable that is missing.
    """
    headers = {
        "Authorization": f"Bearer {needed(environ, 'GITHUB_TOKEN')}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "sandcastle-review",
    }
    return Server(environ.get("GITHUB_API_URL", "https://api.github.com"), headers)


def needed(environ: Mapping[str, str], name: str) -> str:
    """Return the variable. Raises OperationError naming it when it is not there or empty."""
    if not environ.get(name):
        raise OperationError(f"The variable {name} is not set.")
    return environ[name]


def check(api: Server, told: PullRequest) -> None:
    """Make sure that the number, which the change's own code may have written, is the one that was reviewed.

    Raises OperationError when it is no number, or that pull request's head is another commit: a comment would go into
    somebody else's.
    """
    if not (told.number.isascii() and told.number.isdigit() and len(told.number) < 10):
        raise OperationError(f"{told.number[:40]!r} is not the number of a pull request.")
    found = api.ask("GET", f"/repos/{told.repository}/pulls/{told.number}")
    if found["head"]["sha"] != told.head:
        raise OperationError(
            f"Pull request {told.number} is at commit {found['head']['sha']}, and {told.head} was reviewed: "
            "either there are newer commits, whose review will come, or the number is wrong."
        )


def put(api: Server, told: PullRequest, body: str, *, quiet: bool = False, author: str = AUTHOR) -> str:
    """Make the comment, or update the one that is there; return which: ``made``, ``updated``, ``same`` or ``nothing``.

    ``quiet`` reviews have nothing to say: they update a comment that is there, and make none.
    Raises OperationError as ``check`` and the server do.
    """
    check(api, told)
    comments = api.each(f"/repos/{told.repository}/issues/{told.number}/comments?per_page=100")
    ours = next((one for one in comments if _is_ours(one, author)), None)
    if ours is None:
        if quiet:
            return "nothing"
        api.ask("POST", f"/repos/{told.repository}/issues/{told.number}/comments", {"body": body})
        return "made"
    if ours["body"].replace("\r\n", "\n").rstrip() == body.rstrip():
        return "same"
    api.ask("PATCH", f"/repos/{told.repository}/issues/comments/{int(ours['id'])}", {"body": body})
    return "updated"


def _is_ours(comment: Mapping[str, object], author: str) -> bool:
    user = comment.get("user")  # null when the account is gone
    login = user.get("login") if isinstance(user, Mapping) else None
    return login == author and str(comment.get("body") or "").startswith(MARKER)
