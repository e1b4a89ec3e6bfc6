"""Regular expressions of the service model, written for Java, as Python ones."""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata
from functools import cache

#: Unicode separators (\p{Z}): spaces, line and paragraph separators
_SEPARATORS = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
#: Java class -> what may stand inside a Python character class. Letters and digits of every script are \w;
#: the underscore that \w adds is listed beside them wherever the model uses them.
_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": _SEPARATORS,
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Print}": r"\x20-\x7e",
    r"\p{ASCII}": r"\x00-\x7f",
}
#: classes that Python has nothing like: spelled out, from its own table of characters
_CATEGORIES = {r"\p{M}": "M", r"\p{S}": "S", r"\p{P}": "P"}
_SURROGATE_PAIRS = r"\uD800\uDC00-\uDBFF\uDFFF"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Python's version of ``pattern``; use ``fullmatch``. Raises re.error for a construct not known here."""
    text = pattern.replace(_SURROGATE_PAIRS, "\U00010000-\U0010ffff").replace(r"\z", r"\Z")
    # two patterns count the end of the text, which Java takes for once
    text = re.sub(r"\$\{\d+,\d*\}", "$", text)
    for java, category in _CATEGORIES.items():
        if java in text:
            text = _replace(text, java, _characters(category))
    for java, inside in _CLASSES.items():
        text = _replace(text, java, inside)
    return re.compile(text)


@cache
def _characters(category: str) -> str:
    """The inside of a character class: every character of a Unicode category, as ranges."""
    found = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == category]
    # codes that follow each other have the same distance to their place in the list
    groups = itertools.groupby(enumerate(found), key=lambda pair: pair[1] - pair[0])
    runs = [[code for _, code in group] for _, group in groups]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in runs)


def _replace(text: str, java: str, inside: str) -> str:
    """Put ``inside`` for ``java``, in brackets of its own where it stands outside a character class."""
    out: list[str] = []
    position, in_class = 0, False
    while position < len(text):
        if text.startswith(java, position):
            out.append(inside if in_class else f"[{inside}]")
            position += len(java)
            continue
        step = 2 if text[position] == "\\" else 1
        if step == 1 and text[position] in "[]":
            in_class = text[position] == "["
        out.append(text[position : position + step])
        position += step
    return "".join(out)
