"""The pages that Sandcastle writes: one HTML file each that needs nothing else, all in one style."""

from __future__ import annotations

from pathlib import Path
from string import Template

_FRAME = Path(__file__).with_name("page.html")
_STYLE = Path(__file__).with_name("page.css")


def filled(style: Path, **parts: str) -> str:
    """Return the page: the frame that all have, the page's own style after the common one, each ``$name`` its part.

    Parts are ``title``, ``kicker`` (the small line above), ``mood`` (good, fair or bad), ``verdict``, ``subtitle``,
    ``tiles``, ``sections`` and ``footer``, in HTML: whoever gives them has escaped what comes from outside.
    Raises KeyError for one that is missing.
    """
    styles = "\n".join(one.read_text(encoding="utf-8").rstrip() for one in (_STYLE, style))
    return Template(_FRAME.read_text(encoding="utf-8")).substitute(style=styles, **parts)
