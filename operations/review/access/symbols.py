"""Symbols: what a template does not know yet (names that AWS makes up, parameters), one character each in a text.

A text with such characters is still a ``str``: it can be joined and split. What is known about the value behind a
symbol is its shape; everything else about it stays open until the deploy, and nothing here guesses it.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache

DIGITS = frozenset(string.digits)
HEXADECIMAL = frozenset(string.digits + "abcdef")
PLACE = frozenset(string.digits + string.ascii_lowercase + "-")
ALPHANUMERIC = frozenset(string.digits + string.ascii_letters)
BUCKET = PLACE | {"."}
NAME = ALPHANUMERIC | set("-._+=,@")
"""Sets of characters. Each is a union of ``CELLS``, so that one character of a cell can stand for all of it."""

CELLS = (
    string.digits, "abcdef", string.ascii_lowercase[6:], "ABCDEF", string.ascii_uppercase[6:],
    "-", ".", "_+=,@", "/", ":",
    "".join(map(chr, range(0x100, 0x180))),
)  # fmt: skip
"""Characters that no set tells apart; those of the last one stand for every character that is in no set."""

_FIRST, _LAST = 0xF0000, 0x10FFFD  # the private-use planes of Unicode: no template has these


@dataclass(frozen=True)
class Run:
    """Characters of a set (None: any character): exactly one, or as many as there may be, none too."""

    characters: frozenset[str] | None
    many: bool = False


Shape = tuple[Run, ...]
"""Where it begins and ends with exactly one character, two values are compared as wholes (``language.Automaton``)."""


@dataclass(frozen=True)
class Symbol:
    """A value that is not known before the deploy; equal symbols have equal values.

    ``fixed``: one text, the same for every request, and no pattern. (A parameter may hold a ``*``; a policy variable
    differs from request to request.) Two fixed symbols of one ``family`` never have the same value.
    """

    key: tuple[str, ...]
    name: str
    shape: Shape
    family: str = ""
    fixed: bool = True

    @property
    def is_one_field(self) -> bool:
        """Whether its value has no colon, so that it stays in its field of an ARN."""
        return all(run.characters is not None and ":" not in run.characters for run in self.shape)

    def differs_from(self, other: Symbol) -> bool:
        """Say whether the two can never be equal."""
        return self.fixed and other.fixed and bool(self.family) and self.family == other.family and self != other


_known: dict[str, Symbol] = {}


@cache
def character(symbol: Symbol) -> str:
    """Return the character that stands for the symbol; the same one for an equal symbol."""
    if _FIRST + len(_known) > _LAST:
        raise ValueError("more than 131,000 unknown values in the templates")
    made = chr(_FIRST + len(_known))
    _known[made] = symbol
    return made


def symbol_of(letter: str) -> Symbol | None:
    """Return the symbol that a character stands for, None for a plain character."""
    return _known.get(letter)


def is_symbol(letter: str) -> bool:
    """Say whether the character is a symbol's (also one that nobody made: a text with such is refused)."""
    return ord(letter) >= _FIRST


def some_of(characters: frozenset[str], least: int = 2) -> Shape:
    """Return the shape of at least so many characters of the set, two or more."""
    return (Run(characters), Run(characters, many=True), *(Run(characters),) * (least - 1))


ANYTHING: Shape = (Run(None, many=True),)
SOMETHING: Shape = (Run(None), Run(None, many=True))


def generated(characters: frozenset[str]) -> Shape:
    """Return the shape of a name that CloudFormation makes up.

    It is the stack's name, the logical id (both may be shortened) and a random text, joined by hyphens
    (AWS CloudFormation user guide, "Name type": ``mystack-mytable-...``). Eight characters of the random part count.
    """
    hyphen = (Run(frozenset("-")),)
    words = (Run(characters), Run(characters, many=True))
    return (*words, *hyphen, *words, *hyphen, *some_of(characters & ALPHANUMERIC, 8))
