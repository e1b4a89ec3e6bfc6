"""Logic with three values: True, False, and None for what is not known (Kleene's)."""

from __future__ import annotations

from collections.abc import Iterable

Truth = bool | None


def both(left: Truth, right: Truth) -> Truth:
    """Return whether both hold."""
    if left is False or right is False:
        return False
    return True if left and right else None


def any_of(values: Iterable[Truth]) -> Truth:
    """Return whether at least one holds; False of none."""
    unsure = False
    for value in values:
        if value:
            return True
        unsure |= value is None
    return None if unsure else False


def negated(value: Truth) -> Truth:
    """Return the opposite."""
    return None if value is None else not value


def chosen(test: Truth, then: Truth, otherwise: Truth) -> Truth:
    """Return one of the two as the test says; where it does not say, what both have in common."""
    if test is None:
        return then if then is otherwise else None
    return then if test else otherwise
