"""What may go into a comment: text that somebody else's code has written."""

from __future__ import annotations

import re

from operations.errors import OperationError

MARKER = "<!-- sandcastle-review:v1 -->"
"""How every comment of ours begins; by it the next one finds it."""

LONGEST = 65_000
"""Characters of a comment: GitHub refuses more than 65,536, GitLab takes a million."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Characters that hide or turn round what stands there; neither line feed nor tab."""

_MENTION = re.compile(r"@(?=\w)")
_CUT = "\n\n*Cut here: the whole is in the report.*\n"


def comment(text: str, link: str = "") -> str:
    """Return the review as a comment: nobody is called by name, nothing is hidden, and not too long.

    ``link`` is the address of the whole report. Raises OperationError for a text without our marker at its beginning:
    whatever that is, it is not a review.
    """
    if not text.startswith(MARKER):
        raise OperationError(f"The comment does not begin with {MARKER}: it is not one of `sandcastle review`.")
    body = _MENTION.sub("@\u2060", _CONTROL.sub("", text[len(MARKER) :].replace(MARKER, "")))
    end = f"\n\n[The whole report]({link})\n" if link else ""
    room = LONGEST - len(MARKER) - len(end)
    if len(body) > room:
        body = body[: room - len(_CUT)] + _CUT
    return MARKER + body.rstrip() + (end or "\n")
