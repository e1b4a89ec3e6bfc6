"""The hyperparameters of each trial: random within the ranges, or every combination of a grid.

Values are texts, as the training job gets them (facts containers 6). A random search with the same seed gives the same
trials again; which values AWS would give for a seed is not known. What learns from results is in ``bayesian``.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors

#: (share of the way from the least to the greatest, least, greatest) -> value
_Scale = Callable[[float, float, float], float]


def _linear(share: float, least: float, greatest: float) -> float:
    return least + share * (greatest - least)


def _logarithmic(share: float, least: float, greatest: float) -> float:
    return math.exp(_linear(share, math.log(least), math.log(greatest)))


def _reverse_logarithmic(share: float, least: float, greatest: float) -> float:
    return 1 - _logarithmic(share, 1 - least, 1 - greatest)


#: Auto is for the service to choose ([B]); which it chooses is not known, here it is linear
_SCALES: Mapping[str, _Scale] = {
    "Auto": _linear,
    "Linear": _linear,
    "Logarithmic": _logarithmic,
    "ReverseLogarithmic": _reverse_logarithmic,
}


@dataclass(frozen=True)
class NumberRange:
    """An integer or continuous range."""

    name: str
    least: float
    greatest: float
    scale: str
    whole: bool

    @classmethod
    def of(cls, entry: Mapping[str, str], whole: bool) -> NumberRange:
        """Read one entry. Raises ValidationException ([K] texts)."""
        name, scale = entry["Name"], entry.get("ScalingType", "Auto")
        convert = int if whole else float
        try:
            least, greatest = convert(entry["MinValue"]), convert(entry["MaxValue"])
        except ValueError:
            kind = "integers" if whole else "numbers"
            raise errors.validation(f"Hyperparameter range {name}: MinValue and MaxValue must be {kind}.") from None
        if not least <= greatest:
            raise errors.validation(f"Hyperparameter range {name}: MinValue must not be greater than MaxValue.")
        if scale == "Logarithmic" and least <= 0:
            raise errors.validation(f"Hyperparameter range {name}: Logarithmic scaling needs values greater than 0.")
        if scale == "ReverseLogarithmic" and (whole or not 0 <= least <= greatest < 1):
            raise errors.validation(
                f"Hyperparameter range {name}: ReverseLogarithmic scaling needs a continuous range from 0 to below 1."
            )
        return cls(name, least, greatest, scale, whole)

    def draw(self, source: random.Random) -> str:
        """A value within the range; both ends may come."""
        # every whole number gets as much room, the greatest too
        end = self.greatest + 1 if self.whole else self.greatest
        value = min(_SCALES[self.scale](source.random(), self.least, end), self.greatest)
        return str(int(value)) if self.whole else repr(max(value, self.least))


@dataclass(frozen=True)
class Search:
    """What can be tried: ranges of numbers, and lists of values."""

    numbers: tuple[NumberRange, ...]
    choices: Mapping[str, tuple[str, ...]]
    seed: str

    @classmethod
    def of(cls, ranges: Mapping[str, Any], seed: str) -> Search:
        """Read ParameterRanges. Raises ValidationException."""
        numbers = [NumberRange.of(entry, whole=True) for entry in ranges.get("IntegerParameterRanges", [])]
        numbers += [NumberRange.of(entry, whole=False) for entry in ranges.get("ContinuousParameterRanges", [])]
        choices = {entry["Name"]: tuple(entry["Values"]) for entry in ranges.get("CategoricalParameterRanges", [])}
        names = [number.name for number in numbers] + list(choices)
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated:
            raise errors.validation(f"Hyperparameter {repeated} has more than one range.")
        if not names:
            raise errors.validation("A hyperparameter tuning job needs at least one hyperparameter range.")
        return cls(tuple(numbers), choices, seed)

    @property
    def names(self) -> frozenset[str]:
        """Every hyperparameter that is tuned."""
        return frozenset({number.name for number in self.numbers} | set(self.choices))

    @property
    def combinations(self) -> int:
        """How many trials a grid has."""
        return math.prod(len(values) for values in self.choices.values())

    def random(self, trial: int) -> dict[str, str]:
        """The hyperparameters of a trial (from 1), whatever the order in which trials are asked for."""
        # a search has no secrets, and must be repeatable
        source = random.Random(f"{self.seed}/{trial}")  # noqa: S311
        drawn = {number.name: number.draw(source) for number in self.numbers}
        return drawn | {name: source.choice(values) for name, values in self.choices.items()}

    def grid(self, trial: int) -> dict[str, str]:
        """The combination of a trial (from 1)."""
        combination = next(itertools.islice(itertools.product(*self.choices.values()), trial - 1, None))
        return dict(zip(self.choices, combination, strict=True))
