"""What chance explains: how low a share gets, and how far a distribution seems to move, though nothing has changed.

A baseline is a sample, and so is the window of rows that is compared with it. The distribution of a share in the window
given that in the baseline is beta-binomial, with Jeffreys' prior (L. D. Brown, T. T. Cai and A. DasGupta, "Interval
Estimation for a Binomial Proportion", Statistical Science 2001); the greatest distance between two cumulative
distributions follows Kolmogorov's, whose tail is at most 2 exp(-2 x^2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

ROBUST = 1.8
"""What Model Monitor's comparison method Robust takes off a distance, in units of ``unit`` (awslabs/deequ,
Distance.scala)."""

_PRIOR = 0.5


@lru_cache(maxsize=4096)
def floor(share: float, before: int, now: int, risk: float) -> float:
    """Return the least share that a window of ``now`` rows has; with this ``risk`` it has less by chance.

    ``share`` is that of ``before`` rows. Both are of rows that count, and may be few: of no row nothing is known.
    """
    if not now:
        return 0.0
    missed, met = (1 - share) * before + _PRIOR, share * before + _PRIOR
    log = _log_beta(missed, met + now) - _log_beta(missed, met)
    below = 0.0
    for misses in range(now):
        below += math.exp(log)
        if 1 - below <= risk:
            return (now - misses) / now
        log += math.log((now - misses) * (missed + misses) / ((misses + 1) * (met + now - misses - 1)))
    return 0.0


def unit(before: int, now: int) -> float:
    """Return the unit of distances between samples of these sizes."""
    return math.sqrt(1 / before + 1 / now)


def noise(before: int, now: int, risk: float) -> float:
    """Return the Robust distance that two samples of one distribution have with this ``risk``."""
    return max(0.0, math.sqrt(math.log(2 / risk) / 2) - ROBUST) * unit(before, now)


def moved(levels: Sequence[Sequence[float]], distance: float, whole: bool) -> float:
    """Return how far the cumulative distribution of a sketch moves when each value grows by ``distance``.

    A value on level i stands for 2^i values. ``whole`` numbers stay whole: as many grow by one more as it takes.
    """
    weights = sorted((value, 2**level) for level, values in enumerate(levels) for value in values)
    ranks: dict[float, int] = {}
    total = 0
    for value, weight in weights:
        total += weight
        ranks[value] = total
    if not whole:
        return _gap(ranks, {distance: 1.0}) / max(total, 1)
    step, part = divmod(distance, 1)
    return _gap(ranks, {step: 1 - part, step + 1: part}) / max(total, 1)


def _gap(ranks: Mapping[float, int], steps: Mapping[float, float]) -> float:
    """Return the greatest difference of the ranks when values grow: of each, the given share by the given step.

    The greatest is at one of the values; from there to the next it only becomes less, as what has grown catches up.
    """
    values, of = list(ranks), list(ranks.values())
    places = dict.fromkeys(steps, -1)
    greatest = 0.0
    for place, value in enumerate(values):
        grown = 0.0
        for step, share in steps.items():
            while places[step] < place and values[places[step] + 1] <= value - step:
                places[step] += 1
            grown += share * of[places[step]] if places[step] >= 0 else 0.0
        greatest = max(greatest, of[place] - grown)
    return greatest


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)
