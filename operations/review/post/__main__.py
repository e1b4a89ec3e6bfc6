"""``python -m operations.review.post github|gitlab FOLDER``: put the review in FOLDER where people look.

FOLDER is what ``sandcastle review --out FOLDER`` wrote and, for GitHub, a file ``number`` with the pull request's. The
environment is that of a job: ``GITHUB_REPOSITORY``, ``GITHUB_TOKEN``, ``HEAD_SHA`` (the commit that was reviewed), or
GitLab's own variables and ``SANDCASTLE_REVIEW_TOKEN``; ``REPORT_URL`` is the address of the whole report. Exit code 1
when something is missing or refused, which is said.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from operations.errors import OperationError
from operations.review.post import github, gitlab
from operations.review.post.text import comment

_LARGEST = 20_000_000
"""Bytes that are read of a file: what a review writes is far smaller."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Post the review in the folder, and say what was done."""
    if len(arguments) != 2 or arguments[0] not in _PLACES:
        print(__doc__, file=sys.stderr)
        return 2
    place, folder = arguments[0], Path(arguments[1])
    try:
        body = comment(_text(folder / "comment.md"), environ.get("REPORT_URL", ""))
        done = _PLACES[place](environ, folder, body, _quiet(_text(folder / "review.json")))
    except OperationError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"comment: {done}")
    return 0


def _on_github(environ: Mapping[str, str], folder: Path, body: str, quiet: bool) -> str:
    number = _text(folder / "number").strip()
    told = github.PullRequest(github.needed(environ, "GITHUB_REPOSITORY"), number, github.needed(environ, "HEAD_SHA"))
    return github.put(github.server(environ), told, body, quiet=quiet)


def _on_gitlab(environ: Mapping[str, str], folder: Path, body: str, quiet: bool) -> str:
    del folder
    return gitlab.put(gitlab.server(environ), environ, body, quiet=quiet)


_PLACES: dict[str, Callable[[Mapping[str, str], Path, str, bool], str]] = {"github": _on_github, "gitlab": _on_gitlab}


def _text(file: Path) -> str:
    """Return a file that somebody else wrote. Raises OperationError when it is no readable file of a sane size."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _LARGEST:
            raise OperationError(f"{file} is not a file of at most {_LARGEST} bytes.")
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise OperationError(f"{file} cannot be read: {error}") from None


def _quiet(document: str) -> bool:
    """Say whether the review has nothing to say at all; a document that cannot be read is not quiet."""
    try:
        found: Any = json.loads(document)
        return bool(found["verdict"] == "clean" and found["changes"] == [])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
