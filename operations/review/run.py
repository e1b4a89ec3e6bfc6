"""``sandcastle review``: reads both sides, reviews, writes the comment, the document and the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from operations.console import Console
from operations.review.assembly import read_assembly
from operations.review.document import document
from operations.review.gate import read_approvals
from operations.review.linters import lint
from operations.review.markdown import comment
from operations.review.page import page
from operations.review.refs import side
from operations.review.review import Review, review
from operations.review.telling import MARKS, counts, headline

COMMENT, DOCUMENT, PAGE = "comment.md", "review.json", "review.html"
"""What is written into the folder: for the pull request, for machines, for people."""


def run(
    base: str, head: str, environment: str, region: str, out: Path, console: Console, *, linters: bool = True
) -> tuple[Review, dict[str, Any]]:
    """Review the change, write it down below ``out``, and return it with its document.

    ``linters`` asks them about the stacks of two refs that differ. Raises OperationError when a side cannot be read
    or synthesised.
    """
    with side(base, environment, console, region) as before, side(head, environment, console, region) as after:
        if linters and before.made and after.made:
            console.step("Asking the linters about the stacks that differ ...")
            lint(before.folder, after.folder)
        found = review(
            read_assembly(before.folder),
            read_assembly(after.folder),
            names=(before.name, after.name),
            approvals=read_approvals(before.approvals),
        )
    made = document(found)
    out.mkdir(parents=True, exist_ok=True)
    (out / COMMENT).write_text(comment(found), encoding="utf-8")
    (out / DOCUMENT).write_text(json.dumps(made, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
    (out / PAGE).write_text(page(found), encoding="utf-8")
    console.say(f"{MARKS[found.gate.verdict]} {headline(found)}")
    console.say(counts(found))
    for one in found.gate.blocked:
        console.say(f"  blocks: {one.rule} {one.place}: {one.words}")
    for one in found.gate.noted:
        console.say(f"  note: {one.rule} {one.place}: {one.words}")
    console.say(f"Written: {out / COMMENT}, {DOCUMENT}, {PAGE}")
    return found, made
