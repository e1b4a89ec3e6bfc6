"""What kind of value a text is, and the type of a column of them.

The rules are those of Deequ, the engine that Model Monitor's results point to (awslabs/deequ: StatefulDataType,
DataType.determineType): a number in scientific notation is a String, and the developer guide wants such numbers written
out (model-monitor-model-quality-baseline.html).

Which kind a text is depends on its digits only in that they are digits. So a column's texts are turned into shapes
(``12.75`` into ``00.00``) all at once, and a kind is looked up once for each of the few shapes that there are.
"""

from __future__ import annotations

import re
from typing import Mapping, Sequence

UNKNOWN, FRACTIONAL, INTEGRAL, BOOLEAN, STRING = "Unknown", "Fractional", "Integral", "Boolean", "String"
#: of an expected type, the kinds that are values of it
FITTING: Mapping[str, frozenset[str]] = {
    INTEGRAL: frozenset({INTEGRAL}),
    FRACTIONAL: frozenset({FRACTIONAL, INTEGRAL}),
    STRING: frozenset({STRING, BOOLEAN, FRACTIONAL, INTEGRAL}),
}
NUMBERS = (INTEGRAL, FRACTIONAL)
_FRACTIONAL = re.compile(rb"[-+]? ?(?=[\d.]*\d)\d*\.\d*")
_INTEGRAL = re.compile(rb"[-+]? ?\d+")
_DIGITS = bytes(ord("0") if chr(code) in "123456789" else code for code in range(256))
#: a longer text is no number whose square a float could hold, whatever it looks like
_LONGEST = 150
_SEPARATOR = "\0"


def kind_of(text: bytes) -> str:
    """Return the kind of one value, or of its shape; nothing at all is Unknown."""
    if not text:
        return UNKNOWN
    if len(text) > _LONGEST:
        return STRING
    if _FRACTIONAL.fullmatch(text):
        return FRACTIONAL
    if _INTEGRAL.fullmatch(text):
        return INTEGRAL
    return BOOLEAN if text in (b"true", b"false") else STRING


def encoded(text: str) -> bytes:
    """Return a text as bytes, also one that JSON has made of half a character."""
    return text.encode("utf-8", "surrogatepass")


def shapes(values: Sequence[str]) -> list[bytes]:
    """Return each value with all digits 0."""
    found = encoded(_SEPARATOR.join(values)).translate(_DIGITS).split(b"\0")
    if len(found) == len(values):
        return found
    return [encoded(value).translate(_DIGITS) for value in values]  # one of them has the separator in it


def infer(counts: Mapping[str, int]) -> str:
    """Return the type of a column with so many values of each kind; the schema knows no Boolean, so it is String."""
    seen = {kind for kind, count in counts.items() if count} - {UNKNOWN}
    if not seen:
        return UNKNOWN
    if STRING in seen or BOOLEAN in seen:
        return STRING
    return FRACTIONAL if FRACTIONAL in seen else INTEGRAL
