"""Invented card payments in the form of the credit-card table, for when the real one is not downloaded.

Nothing here is a real payment or fitted to one. The components are independent and ever narrower, as principal
components are; payments come more by day than by night. What makes a payment a fraud is invented: some are told by one
or two components far from the usual, some only by two components that do not go together, some by small sums at night,
and some look like any other payment, so that no model can find them all. Frauds are one in forty instead of one
in six hundred, because a test split of this size would hold three otherwise. Results on these rows say that the
machinery works; they say nothing about cards or people.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import table

if TYPE_CHECKING:
    import numpy.typing as npt

ROWS = 16000
SEED = 492
SHARE_OF_FRAUD = 0.025
"""Raised from the published table's 0.00173 (492 of 284,807)."""

_SECONDS = 172_792
"""From the table's first payment to its last: two days."""
_DAY = 86_400
_PATTERNS = {"far": 0.4, "together": 0.3, "night": 0.2, "like any other": 0.1}
"""What gives a fraud away, and the share of frauds of the kind."""


def payments(rows: int = ROWS, seed: int = SEED) -> pd.DataFrame:
    """Return ``rows`` invented payments in the table's columns, by time; the same for the same seed.

    ``RandomState`` is used because numpy guarantees its stream for all time.
    """
    random = np.random.RandomState(seed)
    frauds = round(rows * SHARE_OF_FRAUD)
    fraud = np.zeros(rows, dtype=int)
    fraud[random.choice(rows, frauds, replace=False)] = 1
    widths = np.linspace(1.95, 0.33, len(table.COMPONENTS))
    components = random.standard_normal((rows, len(table.COMPONENTS))) * widths
    time = _times(random, rows)
    amount = np.exp(random.normal(3.1, 1.6, rows))
    kinds = random.choice(list(_PATTERNS), size=frauds, p=list(_PATTERNS.values()))
    for row, kind in zip(np.flatnonzero(fraud), kinds):
        if kind == "far":
            for name, direction in (("V14", -1), ("V12", -1), ("V10", -1), ("V4", 1), ("V11", 1)):
                column = table.COMPONENTS.index(name)
                components[row, column] += direction * widths[column] * random.uniform(1.5, 4.0)
        elif kind == "together":
            # Each of the two is usual by itself; a linear model sees nothing.
            first, second = (table.COMPONENTS.index(name) for name in ("V3", "V7"))
            strength, sign = random.uniform(1.3, 2.2), random.choice((-1, 1))
            components[row, first] = sign * strength * widths[first]
            components[row, second] = -sign * strength * widths[second] * random.uniform(0.9, 1.1)
        elif kind == "night":
            time[row] = random.choice((0, 1)) * _DAY + random.uniform(1, 5) * 3600
            amount[row] = random.uniform(0.5, 2.0)
    raw = pd.DataFrame(components.round(6), columns=list(table.COMPONENTS))
    raw.insert(0, "Time", np.minimum(time, _SECONDS).round())
    raw["Amount"] = amount.round(2)
    raw[table.LABEL] = fraud
    return raw.sort_values("Time", kind="stable").reset_index(drop=True)


def _times(random: np.random.RandomState, rows: int) -> npt.NDArray[Any]:
    """Draw seconds from midnight on: a third as many payments at night (1 to 6 o'clock) as by day."""
    times = random.uniform(0, _SECONDS, rows * 2)
    hours = times % _DAY / 3600
    kept = times[(hours < 1) | (hours > 6) | (random.random_sample(rows * 2) < 1 / 3)]
    drawn: npt.NDArray[Any] = kept[:rows]
    return drawn
