"""Patterns as languages: which texts match, decided exactly for all texts at once.

A pattern is compiled to two automata over bit masks. ``must`` accepts a text when it matches whatever the symbols stand
for; ``may`` when there are values with which it could. For texts without symbols the two are one.

``vectors`` walks through every text that a target matches and returns which combinations of other patterns match
there: with these combinations every question about unions, complements and intersections of the patterns is decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from operations.review.access.symbols import CELLS, Symbol, character, is_symbol, symbol_of

Match = bool | None
"""Whether a pattern matches: None when that depends on what the symbols stand for."""

LIMIT = 30_000
"""States that one walk may visit. Our own environments' questions need hundreds."""

_FIELDS = 6  # arn:partition:service:region:account:resource


class TooLarge(Exception):
    """The patterns of one question are too many, or too entangled, to be decided."""


@dataclass(frozen=True)
class Place:
    """A place of an automaton: the characters that it takes, and whether it may take none or many.

    ``only`` None takes any character but those in ``never``. ``start`` and ``end`` bound the expansion of ``symbol``.
    """

    only: frozenset[str] | None = None
    never: str = ""
    loop: bool = False
    symbol: Symbol | None = None
    start: int = -1
    end: int = -1

    def takes(self, letter: str) -> bool:
        """Say whether the character can stand here; a symbol's where only its own can, or as many as there may be."""
        if self.only is not None:
            return letter in self.only
        if is_symbol(letter):
            known = symbol_of(letter)
            return self.loop and known is not None and (not self.never or known.is_one_field)
        return letter not in self.never

    def meets(self, characters: frozenset[str] | None) -> bool:
        """Say whether it takes any character of the set (None: of all)."""
        if self.only is None:
            return characters is None or not characters <= set(self.never)
        return characters is None or bool(self.only & characters)


@dataclass(frozen=True)
class Pattern:
    """A text with wildcards: ``*`` any text, ``?`` any character.

    ``wild`` False takes both literally. ``fields`` gives it the form of an ARN: a missing field is any (IAM user guide,
    "Resource": an incomplete ARN), and wildcards stay in their field where AWS does not promise more ("If the *
    wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries").
    """

    text: str
    wild: bool = True
    fields: bool = False

    @cached_property
    def literal(self) -> bool:
        """Whether it is one text, with nothing in it that is not known."""
        return not any((self.wild and letter in "*?") or is_symbol(letter) for letter in self.text)

    @property
    def must(self) -> Automaton:
        """What surely matches."""
        return _automaton(self, expand=False)

    @property
    def may(self) -> Automaton:
        """What matches for some values of the symbols."""
        return _automaton(self, expand=True)

    @property
    def plain(self) -> bool:
        """Whether both automata are one for texts without symbols."""
        return self.must.places == self.may.places


@lru_cache(maxsize=20_000)
def _automaton(pattern: Pattern, *, expand: bool) -> Automaton:
    return Automaton(_compiled(pattern, expand=expand), expanded=expand)


def _compiled(pattern: Pattern, *, expand: bool) -> tuple[Place, ...]:
    text = _completed(pattern.text) if pattern.fields else pattern.text
    fenced = pattern.fields and not expand and text.startswith("arn:") and text.count(":") >= _FIELDS - 1
    places: list[Place] = []
    colons = 0
    for letter in text:
        colons += letter == ":"
        inside = ":" if fenced and colons < _FIELDS - 1 else ""
        if pattern.wild and letter in "*?":
            place = Place(never=inside, loop=letter == "*")
            if not (place.loop and places and places[-1] == place):
                places.append(place)
        elif expand and (symbol := symbol_of(letter)):
            start, end = len(places), len(places) + len(symbol.shape)
            places += [Place(run.characters, "", run.many, symbol, start, end) for run in symbol.shape]
        else:
            places.append(Place(frozenset(letter)))
    return tuple(places)


def _completed(text: str) -> str:
    """Return the ARN with a wildcard for each field that it lacks; other texts, and open ones, as they are."""
    if not text.startswith("arn:") or any((one := symbol_of(letter)) and not one.is_one_field for letter in text):
        return text
    return text + ":*" * max(0, _FIELDS - 1 - text.count(":"))


class Automaton:
    """Places in a row; a mask says at which of them a text may stand. Bit ``len(places)`` is the end."""

    def __init__(self, places: tuple[Place, ...], *, expanded: bool) -> None:
        self.places = places
        self.expanded = expanded
        self.end = 1 << len(places)
        self._begun = sum(
            1 << at for at, one in enumerate(places) if one.start == at and one.symbol and one.symbol.fixed
        )
        self._skip = sum(1 << at for at, place in enumerate(places) if place.loop)
        self._steps: dict[str, tuple[int, int]] = {}
        self._jumps: dict[tuple[int, str], int] = {}
        self._wanted: dict[int, frozenset[str]] = {}
        self.start = self._closed(1)

    def step(self, mask: int, letter: str, *, free: bool = False) -> int:
        """Return where the text may stand after one more character, which may be a symbol's.

        ``free``: the target leaves this and all that follows open. A value that begins here is then a text of its own
        among those that are looked at, with the symbol in it, and needs not be looked at letter by letter.
        """
        if self.expanded and is_symbol(letter):
            return self._jump(mask, letter)
        if free:
            mask &= ~self._begun
        steps = self._steps.get(letter)
        if steps is None:
            takes = [1 << at for at, place in enumerate(self.places) if place.takes(letter)]
            loops = sum(takes) & self._skip
            steps = self._steps[letter] = (sum(takes) & ~loops, loops)
        moved = ((mask & steps[0]) << 1) | (mask & steps[1])
        return self._closed(moved) if moved else 0

    def wanted(self, mask: int) -> frozenset[str]:
        """Return the characters that matter here: the literal ones, and one of each cell where sets are met."""
        found = self._wanted.get(mask)
        if found is None:
            live = [place for at, place in enumerate(self.places) if mask >> at & 1]
            literal = {next(iter(place.only)) for place in live if place.only is not None and len(place.only) == 1}
            begun = [place for at, place in enumerate(self.places) if (mask & self._begun) >> at & 1]
            literal |= {character(place.symbol) for place in begun if place.symbol}
            cells = any(place.never or (place.only is not None and len(place.only) > 1) for place in live)
            found = self._wanted[mask] = frozenset(literal | ({"cells"} if cells else set()))
        return found

    def _closed(self, mask: int) -> int:
        while more := ((mask & self._skip) << 1) & ~mask:
            mask |= more
        return mask

    def _jump(self, mask: int, letter: str) -> int:
        reached = 0
        for at in _bits(mask):
            found = self._jumps.get((at, letter))
            if found is None:
                found = self._jumps[at, letter] = self._past(at, letter)
            reached |= found
        return reached

    def _past(self, at: int, letter: str) -> int:
        """Return every place where a text at this place may be after some value of the symbol.

        Each step is one character of the value. ``twin``: the value began where the expansion of another symbol did
        and is still in it. Then an equal symbol ends with it, and one that is surely different does not.
        """
        symbol = symbol_of(letter)
        if symbol is None:  # a character of the private planes that no symbol has: it cannot be read
            return self.end * 2 - 1
        shape = symbol.shape
        if at == len(self.places) and not all(run.many for run in shape):
            return 0
        here = self.places[at] if at < len(self.places) else None
        twin = bool(here and here.symbol and here.start == at and here.symbol.fixed and symbol.fixed)
        if twin and here and here.symbol == symbol:
            return self._closed(1 << here.end)  # the same value on both sides
        reached, seen, waiting = 0, set(), [(at, 0, twin)]
        while waiting:
            place, run, twin = state = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            if run == len(shape):
                reached |= self._landed(place, twin, here, symbol)
            elif shape[run].many:
                waiting.append((place, run + 1, twin))
            waiting += self._moves(place, run, twin, here, symbol)
        return self._closed(reached)

    def _landed(self, place: int, twin: bool, here: Place | None, symbol: Symbol) -> int:
        """Return the place as a mask where the value may end there, 0 where it cannot."""
        over = twin and here is not None and place == here.end
        return 0 if over and here and here.symbol and here.symbol.differs_from(symbol) else 1 << place

    def _moves(
        self, place: int, run: int, twin: bool, here: Place | None, symbol: Symbol
    ) -> Iterator[tuple[int, int, bool]]:
        """Yield the states after one more character of the value, or after a place that takes none."""
        if place == len(self.places):
            return
        one = self.places[place]
        inside = twin and here is not None and place < here.end
        if one.loop:
            yield place + 1, run, inside
        if run == len(symbol.shape) or not one.meets(symbol.shape[run].characters):
            return
        further = run if symbol.shape[run].many else run + 1
        yield (place if one.loop else place + 1), further, inside


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


@lru_cache(maxsize=100_000)
def vectors(target: Pattern, patterns: tuple[Pattern, ...]) -> frozenset[tuple[Match, ...]]:
    """Return which combinations of the patterns match, over all texts that the target matches.

    Raises TooLarge when that needs more than ``LIMIT`` states.
    """
    return frozenset(_walk(target.must, patterns))


def _walk(target: Automaton, patterns: tuple[Pattern, ...]) -> Iterator[tuple[Match, ...]]:
    open_symbols = any(is_symbol(letter) for place in target.places for letter in place.only or ()) or any(
        is_symbol(letter) for pattern in patterns for letter in pattern.text
    )
    doubled = [open_symbols or not pattern.plain for pattern in patterns]
    automata: list[Automaton] = []
    for pattern, two in zip(patterns, doubled, strict=True):
        automata += [pattern.must, pattern.may] if two else [pattern.must]
    start = tuple(one.start for one in automata)
    waiting = [(at, start) for at in _bits(target.start)]
    seen = set(waiting)
    while waiting:
        at, masks = waiting.pop()
        if at == len(target.places) or not any(masks):  # dead: whatever follows, nothing matches
            yield _vector(automata, masks, doubled)
            continue
        place = target.places[at]
        free = place.loop and not place.never and at == len(target.places) - 1
        for letter in _letters(place, automata, masks):
            after = tuple(
                [one.step(mask, letter, free=free) if mask else 0 for one, mask in zip(automata, masks, strict=True)]
            )
            for further in (at, at + 1) if place.loop else (at + 1,):
                for state in _with_empty(target, further, after):
                    if state not in seen:
                        seen.add(state)
                        waiting.append(state)
        if len(seen) > LIMIT:
            raise TooLarge(f"{len(patterns)} patterns are too entangled to be decided")


def _with_empty(target: Automaton, at: int, masks: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    yield at, masks
    while at < len(target.places) and target.places[at].loop:
        at += 1
        yield at, masks


def _letters(place: Place, automata: list[Automaton], masks: tuple[int, ...]) -> set[str]:
    """Return characters that stand for all that can come next in the target's text."""
    if place.only is not None:
        return set(place.only)
    wanted: set[str] = set()
    for one, mask in zip(automata, masks, strict=True):
        wanted |= one.wanted(mask)
    cells = "cells" in wanted or bool(place.never)
    wanted.discard("cells")
    fresh = {next((one for one in cell if one not in wanted), "") for cell in (CELLS if cells else CELLS[-1:])}
    symbols = {one for one in wanted if is_symbol(one)}
    plain = {one for one in (wanted | fresh) - symbols if one and one not in place.never}
    if not place.loop:
        return plain
    return plain | {one for one in symbols if (known := symbol_of(one)) and (not place.never or known.is_one_field)}


def _vector(automata: list[Automaton], masks: tuple[int, ...], doubled: list[bool]) -> tuple[Match, ...]:
    found: list[Match] = []
    pairs = zip(automata, masks, strict=True)
    for two in doubled:
        one, mask = next(pairs)
        surely = bool(mask & one.end)
        if two:
            one, mask = next(pairs)
            found.append(True if surely else None if mask & one.end else False)
        else:
            found.append(surely)
    return tuple(found)


def matches(text: str, pattern: Pattern) -> Match:
    """Say whether one text matches, symbols in both allowed."""
    ((found,),) = vectors(Pattern(text, wild=False), (pattern,))
    return found


def covers(wide: Pattern, narrow: Pattern) -> bool:
    """Say whether the wide pattern surely matches every text of the narrow one."""
    try:
        return all(found is True for (found,) in vectors(narrow, (wide,)))
    except TooLarge:
        return False


def overlaps(left: Pattern, right: Pattern) -> bool:
    """Say whether some text may match both."""
    try:
        return any(found is not False for (found,) in vectors(left, (right,)))
    except TooLarge:
        return True


VARIABLE = re.compile(r"\$\{([^}]*)\}")
"""A policy variable (IAM user guide, "Policy variables"); ``${*}``, ``${?}`` and ``${$}`` are the characters."""
