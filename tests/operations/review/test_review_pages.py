"""The comment and the page: nothing of a template becomes markup, and what matters is never cut."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from operations.review.assembly import read_assembly
from operations.review.markdown import LIMIT, MARKER, comment, escaped
from operations.review.page import page
from operations.review.review import Review, review
from tests.operations.review.corpus.pair import write
from tests.operations.review.corpus.world import WORK, resource, world

HOSTILE = "<img src=x onerror=alert(1)> @octocat #1 [x](http://evil.example) `code` | **bold** -->\n## Approved"


def made(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Review:
    templates = world()
    base = read_assembly(write(tmp_path / "base", templates))
    change(templates)
    return review(base, read_assembly(write(tmp_path / "head", templates)), names=("main", HOSTILE))


def _hostile(templates: dict[str, Any]) -> None:
    templates[WORK]["Resources"][HOSTILE] = resource("AWS::S3::Bucket", keep="Retain", BucketName=HOSTILE)
    templates[WORK]["Resources"]["Function"]["Properties"]["Description"] = HOSTILE
    templates[WORK]["Resources"]["Function"]["Type"] = HOSTILE


def test_nothing_of_a_template_becomes_markup(tmp_path: Path) -> None:
    found = made(tmp_path, _hostile)
    text = comment(found)
    assert text.count(MARKER) == 1
    assert text.startswith(MARKER)
    outside = "".join(part for line in text.splitlines() for part in line.split("`")[::2])  # not in code spans
    assert "<img" not in outside
    assert "@octocat" not in outside
    assert "](http" not in outside.replace("\\]", "")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [text.splitlines()[1]]

    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not any(name.startswith("on") for name, _ in attrs)

    Tags().feed(page(found))
    assert "svg" in tags
    assert not {"img", "script", "link", "iframe"} & set(tags)


def test_blockers_are_never_cut(tmp_path: Path) -> None:
    """300 blockers are told in full while there is room, and by their places when there is none."""

    def many(templates: dict[str, Any]) -> None:
        for number in range(300):
            one = resource("AWS::S3::Bucket", keep="Retain", BucketName=f"b{number}" * 20)
            templates[WORK]["Resources"][f"ABucketWithALongName{number}"] = one

    found = made(tmp_path, many)
    text = comment(found)
    assert len(text) <= LIMIT
    assert "300 blockers" in text
    for number in range(300):
        assert f"ABucketWithALongName{number}`" in text.partition("Will happen")[0]


def test_no_change_is_too_large_for_the_comment(tmp_path: Path) -> None:
    number = 2_000

    def many(templates: dict[str, Any]) -> None:
        for index in range(number):
            templates[WORK]["Resources"][f"B{index}"] = resource("AWS::S3::Bucket", keep="Retain")

    found = made(tmp_path, many)
    text = comment(found)
    assert len(text) <= LIMIT
    assert f"{number:,} blockers" in text
    assert "not-destroyed" in text
    assert len(page(found)) < 5_000_000


def test_escaping_is_undone_by_reading() -> None:
    import html

    assert html.unescape(escaped("a#1 s3://b/* <x> c@d").replace("\\", "")) == "a#1 s3://b/* <x> c@d"
    assert "https://" not in escaped("https://example.com")
