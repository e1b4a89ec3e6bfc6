"""Hyperparameter validation with the texts of AWS's algorithm toolkit.

Order of the checks, as there: required ones, unknown ones and types, ranges, then what depends on one another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_io import UserError


@dataclass(frozen=True)
class Interval:
    """A range of numbers; `open_low`/`open_high` leave the bound itself out."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        """Whether the number is inside."""
        low_ok = self.low is None or (value > self.low if self.open_low else value >= self.low)
        high_ok = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return low_ok and high_ok

    def __str__(self) -> str:
        """Mathematical notation: `[1, +inf)`."""
        low = "(-inf" if self.low is None else f"{'(' if self.open_low else '['}{self.low}"
        high = "+inf)" if self.high is None else f"{self.high}{')' if self.open_high else ']'}"
        return f"{low}, {high}"


@dataclass(frozen=True)
class Rule:
    """What one hyperparameter may be."""

    parse: Callable[[str], Any]
    check: Callable[[str, Any], None]


def integer(interval: Interval) -> Rule:
    """A whole number."""
    return Rule(int, lambda name, value: _in(name, value, interval))


def number(interval: Interval) -> Rule:
    """A real number."""
    return Rule(float, lambda name, value: _in(name, value, interval))


def choice(*options: str) -> Rule:
    """One of some words."""
    return Rule(str, lambda name, value: _in(name, value, list(options)))


def words(accept: Callable[[str], bool], shown: Sequence[str]) -> Rule:
    """A comma separated list."""

    def check(name: str, value: list[str]) -> None:
        if not all(accept(each) for each in value):
            raise UserError(f"Hyperparameter {name}: value {value} not in range {list(shown)}")

    return Rule(lambda text: [part.strip() for part in text.split(",")], check)


def _in(name: str, value: Any, allowed: Any) -> None:
    if value not in allowed:
        raise UserError(f"Hyperparameter {name}: {value} is not in {allowed}")


def validate(
    given: Mapping[str, str], rules: Mapping[str, Rule], required: Sequence[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """The typed values, aliases replaced. Raises UserError with the toolkit's text."""
    named = {aliases.get(name, name): text for name, text in given.items()}
    for name in required:
        if name not in named:
            raise UserError(f"Missing required hyperparameter: {name}")
    values: dict[str, Any] = {}
    for name, text in named.items():
        if name not in rules:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = rules[name].parse(text)
        except ValueError as error:
            raise UserError(
                f"Hyperparameter {name}: could not parse value (caused by {type(error).__name__})"
            ) from error
    for name, value in values.items():
        rules[name].check(name, value)
    return values
