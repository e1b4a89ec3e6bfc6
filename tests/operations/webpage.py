"""Reads pages that the command writes as a browser would, only stricter."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "path", "line", "br"}
_MAY_BE_EMPTY = {*_VOID, "rect", "circle"}
"""Elements that may close themselves: in SVG those, too, that have a title or not."""


class Page(HTMLParser):
    """Insists on closed tags and collects what a browser would load, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "data", "action", "xlink:href")]
        self.scripts += tag == "script"
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        assert tag in _MAY_BE_EMPTY

    def handle_data(self, data: str) -> None:
        self.text += data
