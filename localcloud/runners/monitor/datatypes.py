"""What kind of value a text is, and the type of a column of them.

The rules are those of Deequ, the engine that the container's results point to (awslabs/deequ: StatefulDataType,
DataType.determineType) as they were when the container came out: a number in scientific notation is a String, and the
developer guide says of the container that such numbers have to be written out
(model-monitor-model-quality-baseline.html). A sign without a digit is a String here; Deequ calls it Integral.
"""

import re
from collections.abc import Mapping

UNKNOWN, FRACTIONAL, INTEGRAL, BOOLEAN, STRING = "Unknown", "Fractional", "Integral", "Boolean", "String"
_FRACTIONAL = re.compile(r"[-+]? ?(?=[\d.]*\d)\d*\.\d*", re.ASCII)
_INTEGRAL = re.compile(r"[-+]? ?\d+", re.ASCII)
#: of an expected type, the kinds that are values of it
FITTING: Mapping[str, frozenset[str]] = {
    INTEGRAL: frozenset({INTEGRAL}),
    FRACTIONAL: frozenset({FRACTIONAL, INTEGRAL}),
    STRING: frozenset({STRING, BOOLEAN, FRACTIONAL, INTEGRAL}),
}


def kind_of(text: str | None) -> str:
    """Of one value; nothing at all is Unknown."""
    if text is None or text == "":
        return UNKNOWN
    if _FRACTIONAL.fullmatch(text):
        return FRACTIONAL
    if _INTEGRAL.fullmatch(text):
        return INTEGRAL
    return BOOLEAN if text in ("true", "false") else STRING


def number_of(text: str) -> float:
    """The value of a Fractional or an Integral."""
    return float(text.replace(" ", ""))


def infer(kinds: Mapping[str, int]) -> str:
    """The type of a column from how many values it has of each kind; the schema knows no Boolean, so it is String."""
    seen = {kind for kind, count in kinds.items() if count} - {UNKNOWN}
    if not seen:
        return UNKNOWN
    if STRING in seen or BOOLEAN in seen:
        return STRING
    return FRACTIONAL if FRACTIONAL in seen else INTEGRAL
