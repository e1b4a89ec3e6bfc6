"""Invented clients in the form of the bank-marketing table, for when the real one is not downloaded.

Nothing here is a real person or fitted to one. Each column is drawn by itself, in about the proportions
that the public table is known for, and the answer follows from some of the columns, with chance deciding:
clients who said yes before say yes more often, the many calls of May bring little, a mobile phone helps.
What is kept exactly is the form: the columns, their values, and about 11.3 % of yes. Results on these rows
say that the machinery works; they say nothing about a bank.

Runs on Python 3.8 and newer with pandas 1.1 and newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import table

if TYPE_CHECKING:
    import numpy.typing as npt

ROWS = 8000
SEED = 1729
SHARE_OF_YES = 0.113
"""Of the public table: 4,640 of 41,188."""

# Relative frequency of each value, in the order of table.CATEGORIES. Rows of weights, not of probabilities.
_WEIGHTS: dict[str, tuple[float, ...]] = {
    "job": (25, 22, 3.5, 2.6, 7, 4.2, 3.5, 9.6, 2.1, 16.4, 2.5, 0.8),
    "marital": (11, 60, 28, 0.3),
    "education": (10, 5.6, 14.7, 23, 0.1, 12.7, 29.5, 4.2),
    "default": (79, 20.9, 0.1),
    "housing": (45, 2.4, 52),
    "loan": (82, 2.4, 15),
    "contact": (63.5, 36.5),
    "month": (6.4, 15, 0.5, 17.4, 12.9, 1.4, 33.4, 10, 1.8, 1.4),
    "day_of_week": (19, 20.7, 20.9, 19.6, 19.7),
    "poutcome": (10.3, 86.3, 3.4),
}

# How a value moves the log-odds of yes. What is not named moves nothing.
_EFFECTS: dict[str, dict[str, float]] = {
    "poutcome": {"success": 2.6, "failure": 0.2},
    "month": {"mar": 2.2, "dec": 2.0, "sep": 1.8, "oct": 1.8, "apr": 0.8, "may": -0.7},
    "contact": {"telephone": -0.9},
    "job": {"student": 0.8, "retired": 0.7, "blue-collar": -0.4, "services": -0.2},
    "default": {"unknown": -0.5},
    "education": {"university.degree": 0.2, "illiterate": 0.3},
}


def clients(rows: int = ROWS, seed: int = SEED) -> pd.DataFrame:
    """Return ``rows`` invented clients in the columns that ``table.clean`` reads; the same for the same seed.

    ``RandomState`` is used because numpy guarantees its stream for all time.
    """
    random = np.random.RandomState(seed)
    raw = pd.DataFrame(
        {name: random.choice(values, size=rows, p=_shares(_WEIGHTS[name])) for name, values in table.CATEGORIES.items()}
    )
    raw["age"] = _ages(random, raw["job"].to_numpy())
    raw["campaign"] = np.minimum(random.geometric(0.4, rows), 40)
    known = (raw["poutcome"] != "nonexistent").to_numpy()
    raw["previous"] = np.where(known, 1 + random.binomial(4, 0.12, rows), 0)
    recent = known & ((raw["poutcome"] == "success").to_numpy() | (random.random_sample(rows) < 0.05))
    raw["pdays"] = np.where(recent, np.minimum(random.poisson(6, rows), 27), table.NEVER_CONTACTED)
    chance = _chances(_log_odds(raw))
    raw[table.ANSWER] = np.where(random.random_sample(rows) < chance, "yes", "no")
    return raw


def _shares(weights: tuple[float, ...]) -> npt.NDArray[Any]:
    shares: npt.NDArray[Any] = np.asarray(weights) / np.sum(weights)
    return shares


def _ages(random: np.random.RandomState, jobs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    usual = 18 + random.gamma(4.5, 4.8, len(jobs))
    usual = np.where(jobs == "student", 18 + random.gamma(2.0, 4.0, len(jobs)), usual)
    usual = np.where(jobs == "retired", random.normal(63, 9, len(jobs)), usual)
    ages: npt.NDArray[Any] = np.clip(usual, 17, 95).astype(int)
    return ages


def _log_odds(raw: pd.DataFrame) -> npt.NDArray[Any]:
    """How much each row leans towards yes, up to a constant."""
    total = np.zeros(len(raw))
    for name, effects in _EFFECTS.items():
        for value, effect in effects.items():
            total += effect * (raw[name] == value).to_numpy()
    age = raw["age"].to_numpy()
    total += 0.9 * ((age < 25) | (age > 60))
    total -= 0.12 * (raw["campaign"].to_numpy() - 1)
    total += 0.8 * (raw["pdays"] != table.NEVER_CONTACTED).to_numpy()
    return total


def _chances(log_odds: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Shift the log-odds by the constant (found by bisection) that makes the mean chance SHARE_OF_YES."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.mean(_logistic(log_odds + middle)) < SHARE_OF_YES:
            low = middle
        else:
            high = middle
    return _logistic(log_odds + low)


def _logistic(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    result: npt.NDArray[Any] = 1.0 / (1.0 + np.exp(-values))
    return result
