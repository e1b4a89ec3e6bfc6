"""How the closed algorithms' hyperparameters are read: each has a parser that raises ValueError, and a default."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from first_party import bad_hyperparameters

AUTO = "auto"
Parse = Callable[[str], Any]
#: name -> (parser, default); None: no default
Table = Mapping[str, tuple[Parse, Any]]


def number(low: float, high: float = math.inf, *, open_low: bool = False, open_high: bool = False) -> Parse:
    """A number in a range, whose bounds belong to it unless they are open."""

    def parse(text: str) -> float:
        value = float(text)
        below = value <= low if open_low else value < low
        above = value >= high if open_high else value > high
        if below or above or math.isnan(value):
            raise ValueError
        return value

    return parse


def whole(low: int, high: int = 2**31 - 1) -> Parse:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def word(*options: str) -> Parse:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in options:
            raise ValueError
        return text

    return parse


def flag(text: str) -> bool:
    """True or false."""
    value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if value is None:
        raise ValueError
    return value


def or_auto(parse: Parse) -> Parse:
    """`auto`, or what the parser takes."""
    return lambda text: AUTO if text == AUTO else parse(text)


@dataclass(frozen=True)
class Settings:
    """Typed hyperparameters."""

    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        """A hyperparameter by its name."""
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def auto(self, name: str, default: Any) -> Any:
        """A value, or `default` when it is left to the algorithm."""
        return default if self.values[name] == AUTO else self.values[name]


def parsed(given: Mapping[str, str], table: Table, required: tuple[str, ...]) -> dict[str, Any]:
    """All values, defaults included. Raises UserError with the service's kind of text."""
    unknown = sorted(set(given) - set(table))
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise bad_hyperparameters(
            f"Additional properties are not allowed ({names} {'were' if len(unknown) > 1 else 'was'} unexpected)"
        )
    for name in required:
        if name not in given:
            raise bad_hyperparameters(f"{name!r} is a required property")
    values = {name: default for name, (_, default) in table.items()}
    for name, text in given.items():
        try:
            values[name] = table[name][0](text)
        except ValueError as error:
            raise bad_hyperparameters(f"{text!r} is not valid for {name!r}") from error
    return values
