"""The pages that Sandcastle writes: one HTML file each that needs nothing else, all in one style."""

from __future__ import annotations

from pathlib import Path
from string import Template

_STYLE = Path(__file__).with_name("page.css")


def filled(template: Path, **parts: str) -> str:
    """Return the page: the template's own style after the common one, each ``$name`` replaced by its part.

    Raises KeyError for a name that has no part. Parts are HTML: whoever gives them has escaped what comes from outside.
    """
    style = _STYLE.read_text(encoding="utf-8").rstrip()
    return Template(template.read_text(encoding="utf-8")).substitute(style=style, **parts)
