"""One note in a GitLab merge request, made once and updated from then on (REST API, version 4)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from operations.errors import OperationError
from operations.review.post.github import needed
from operations.review.post.text import MARKER
from operations.review.post.web import Server

TOKEN = "SANDCASTLE_REVIEW_TOKEN"  # noqa: S105 the variable's name
"""A project access token with the scope `api` and the role Reporter: a job's own token cannot write notes."""


def server(environ: Mapping[str, str]) -> Server:
    """Return GitLab's API with the token. Raises OperationError naming the variable that is missing."""
    return Server(needed(environ, "CI_API_V4_URL"), {"PRIVATE-TOKEN": needed(environ, TOKEN)})


def put(api: Server, environ: Mapping[str, str], body: str, *, quiet: bool = False) -> str:
    """Make the note, or update the one that is there; return which: ``made``, ``updated``, ``same`` or ``nothing``.

    Raises OperationError when the merge request has a newer commit, a variable is missing, or the server refuses.
    """
    project, number = quote(needed(environ, "CI_PROJECT_ID"), safe=""), needed(environ, "CI_MERGE_REQUEST_IID")
    reviewed = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or needed(environ, "CI_COMMIT_SHA")
    request = f"/projects/{project}/merge_requests/{quote(number, safe='')}"
    head = api.ask("GET", request)["sha"]
    if head != reviewed:
        raise OperationError(f"Merge request {number} is at commit {head}, and {reviewed} was reviewed.")
    me = api.ask("GET", "/user")["id"]
    notes = api.each(f"{request}/notes?per_page=100&order_by=created_at&sort=asc")
    ours = next((one for one in notes if one["author"]["id"] == me and one["body"].startswith(MARKER)), None)
    if ours is None:
        if quiet:
            return "nothing"
        api.ask("POST", f"{request}/notes", {"body": body})
        return "made"
    if ours["body"].rstrip() == body.rstrip():
        return "same"
    api.ask("PUT", f"{request}/notes/{int(ours['id'])}", {"body": body})
    return "updated"
