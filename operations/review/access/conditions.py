"""Conditions of statements: which of them can hold together, over all requests that a context leaves open.

Each key is its own dimension: what it can be is worked out exactly for operators on text, with "not there" as a value.
What is not worked out (numbers, dates, addresses, keys of many values) may hold or not, whatever else holds.
Semantics: IAM user guide, "Condition operators" and "Null condition operator".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from operations.review.access.language import Pattern, TooLarge, vectors
from operations.review.access.logic import Truth, any_of, both, negated
from operations.review.access.statements import Condition

LIMIT = 4_096
"""Combinations of conditions that one case may have."""

_TEXT = {
    "stringequals": (False, False),
    "stringlike": (True, False),
    "arnequals": (True, True),
    "arnlike": (True, True),
    "bool": (False, False),
}
"""Operators that are worked out: whether their values have wildcards, and whether they are ARNs."""

_MANY = {"aws:tagkeys", "aws:principalorgpaths", "aws:resourceorgpaths", "aws:principalservicenameslist"}
"""Keys of many values (IAM user guide, "Global condition keys"); so is any key with ForAllValues or ForAnyValue."""

Context = Mapping[str, str]
"""The condition keys of the requests in question, in lower case; other keys may be anything, or not there."""


def combinations(blocks: Sequence[tuple[Condition, ...]], context: Context) -> set[tuple[Truth, ...]]:
    """Return which of the blocks can hold together. Raises TooLarge when there are too many possibilities."""
    by_key: dict[tuple[str, bool], list[Condition]] = {}
    for one in dict.fromkeys(itertools.chain.from_iterable(blocks)):  # Bool, which knows no upper case, apart
        by_key.setdefault((one.key, _parts(one)[1] == "bool"), []).append(one)
    dimensions = [_possible(key, found, context, boolean) for (key, boolean), found in by_key.items()]
    count = 1
    for each in dimensions:
        count *= len(each)
    if count > LIMIT:
        raise TooLarge(f"{count} combinations of conditions are too many to be decided")
    found: set[tuple[Truth, ...]] = set()
    for picked in itertools.product(*dimensions):
        holds = {one: value for each in picked for one, value in each}
        found.add(tuple(_all(holds[one] for one in block) for block in blocks))
    return found


def _all(values: Iterator[Truth]) -> Truth:
    result: Truth = True
    for value in values:
        result = both(result, value)
    return result


_Possibility = tuple[tuple[Condition, Truth], ...]


def _possible(key: str, conditions: list[Condition], context: Context, boolean: bool) -> set[_Possibility]:
    """Return which of the conditions on one key can hold together."""
    many = key in _MANY or any(":" in one.operator for one in conditions)
    exact = [one for one in conditions if _decided(one) and (key in context or not many)]
    free = [one for one in conditions if one not in exact]
    patterns = tuple(dict.fromkeys(pattern for one in exact for pattern in _patterns(one)))
    if key in context:
        value = context[key].lower() if boolean else context[key]
        options = {(True, vector) for vector in vectors(Pattern(value, wild=False), patterns)}
    else:
        options = {(True, vector) for vector in vectors(Pattern("*"), patterns)}
        options.add((False, (False,) * len(patterns)))
    known = {
        tuple((one, _holds(one, there, dict(zip(patterns, vector, strict=True)))) for one in exact)
        for there, vector in options
    }
    opened = list(itertools.product(*([(one, True), (one, False)] for one in free)))
    return {(*left, *right) for left in known for right in opened}


def _parts(condition: Condition) -> tuple[bool, str, bool]:
    """Return whether the operator negates, its plain name, and whether it holds for a key that is not there."""
    name = condition.operator.lower().rpartition(":")[2]
    lenient = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    for kind in ("string", "arn"):
        if name.startswith(f"{kind}not"):
            return True, kind + name.removeprefix(f"{kind}not"), lenient
    return False, name, lenient


def _decided(condition: Condition) -> bool:
    name = _parts(condition)[1]
    if name == "null":
        return condition.readable and condition.values in (("true",), ("false",))
    return condition.readable and name in _TEXT


def _patterns(condition: Condition) -> Iterator[Pattern]:
    name = _parts(condition)[1]
    if name != "null":
        wild, fields = _TEXT[name]
        for value in condition.values:
            yield Pattern(value.lower() if name == "bool" else value, wild, fields)


def _holds(condition: Condition, there: bool, matched: Mapping[Pattern, Truth]) -> Truth:
    not_equal, name, lenient = _parts(condition)
    if name == "null":
        return there is (condition.values == ("false",))
    if not there:
        return not_equal or lenient or condition.operator.lower().startswith("forallvalues:")
    found = any_of(matched[one] for one in _patterns(condition))
    return negated(found) if not_equal else found
