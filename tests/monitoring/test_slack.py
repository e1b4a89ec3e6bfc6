"""Baselines with slack, in front of both analyzers: how often a clean window is called violated, and what is found.

A window has 1,000 rows. What is found: half a standard deviation of any column, a category that
is as much more frequent.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tests.functions.conftest as _functions  # makes the functions importable
from tests.monitoring.programs import CSV, Engine, environment, inside, put, verdicts_of

assert _functions
monitor_slack: Any = import_module("monitor_slack")
slack_data: Any = import_module("slack_data")

_WINDOW = 1000
_NAMES = ["answer", "normal", "uniform", "skewed", "counts", "category", "gaps"]
_SHARE = 0.5
"""Of the category that becomes more frequent."""


def table(chance: np.random.Generator, rows: int, shift: float = 0.0) -> str:
    """Return rows as CSV with a header; all but the answer are shifted by so many standard deviations."""
    share = _SHARE + shift * math.sqrt(_SHARE * (1 - _SHARE))
    normal = chance.normal(loc=shift, size=rows)
    gaps = np.where(chance.random(rows) < 0.1, "", np.char.mod("%.5f", chance.normal(loc=shift, size=rows)))
    columns = [
        chance.choice(["no", "yes"], size=rows, p=[0.9, 0.1]),
        np.char.mod("%.5f", normal),
        np.char.mod("%.5f", chance.random(rows) + shift / math.sqrt(12)),
        np.char.mod("%.5f", chance.lognormal(size=rows) + shift * math.sqrt((math.e - 1) * math.e)),
        np.char.mod("%d", np.floor(chance.poisson(4, size=rows) + shift * 2 + (chance.random(rows) if shift else 0.0))),
        chance.choice(["a", "b", "c"], size=rows, p=[share, 0.7 * (1 - share), 0.3 * (1 - share)]),
        gaps,
    ]
    lines = [",".join(_NAMES), *map(",".join, zip(*(column.tolist() for column in columns), strict=True))]
    return "\n".join(lines) + "\n"


class Hours:
    """Windows against baselines that an engine made and that got slack; each baseline has twenty windows."""

    def __init__(self, engine: Engine, folder: Path, rows: int, shift: float, seed: int) -> None:
        self._engine, self._folder, self._rows, self._shift = engine, folder, rows, shift
        self._chance = np.random.default_rng(seed)

    def verdicts(self, windows: int) -> list[list[tuple[str, str]]]:
        """Return what is called wrong in each window."""
        found = []
        for number in range(windows):
            if number % 20 == 0:
                baseline = self._baseline()
            data = put(self._folder / "window/rows.csv", table(self._chance, _WINDOW, self._shift))
            found.append(verdicts_of(inside(self._engine, self._folder / "out", environment(CSV, data, **baseline))))
        return found

    def _baseline(self) -> dict[str, Path]:
        data = put(self._folder / "training/rows.csv", table(self._chance, self._rows))
        made = inside(self._engine, self._folder / "made", environment(CSV, data))
        statistics = made["statistics"]
        relaxed = slack_data.relaxed(made["constraints"], statistics, _WINDOW, monitor_slack.RISK, labelled=True)
        place = self._folder / "baseline"
        put(place / "statistics.json", json.dumps(statistics))
        put(place / "constraints.json", json.dumps(relaxed))
        return {f"baseline_{name}": place / f"{name}.json" for name in ("statistics", "constraints")}


def found_in(hours: list[list[tuple[str, str]]]) -> dict[str, float]:
    """Return in which share of the windows each column was called drifted."""
    counts = Counter(name for hour in hours for name, check in set(hour) if check == "baseline_drift_check")
    return {name: counts[name] / len(hours) for name in _NAMES}


MANY = pytest.mark.exhaustive


@pytest.mark.parametrize(
    ("engine", "rows", "windows"),
    [
        ("portable", 1000, 20),
        pytest.param("portable", 1000, 400, marks=MANY),
        pytest.param("portable", 5000, 400, marks=MANY),
        pytest.param("service", 1000, 200, marks=MANY),
        pytest.param("service", 5000, 200, marks=MANY),
    ],
)
def test_at_most_one_clean_window_in_200_is_called_violated(
    tmp_path: Path, engine: Engine, rows: int, windows: int
) -> None:
    hours = Hours(engine, tmp_path, rows, 0.0, 1).verdicts(windows)
    assert sum(bool(hour) for hour in hours) <= windows / 200, [hour for hour in hours if hour]


@pytest.mark.parametrize(
    ("engine", "rows", "windows"),
    [
        ("portable", 1000, 20),
        pytest.param("portable", 1000, 100, marks=MANY),
        pytest.param("portable", 5000, 100, marks=MANY),
        pytest.param("service", 1000, 100, marks=MANY),
        pytest.param("service", 5000, 100, marks=MANY),
    ],
)
def test_half_a_deviation_of_each_column_is_found_in_95_of_100_windows(
    tmp_path: Path, engine: Engine, rows: int, windows: int
) -> None:
    found = found_in(Hours(engine, tmp_path, rows, 0.5, 2).verdicts(windows))
    assert found.pop("answer") == 0
    assert min(found.values()) >= 0.95, found


@pytest.mark.parametrize("shift", [0.0, 0.5])
@pytest.mark.parametrize("windows", [3, pytest.param(60, marks=MANY)])
def test_both_engines_say_the_same(tmp_path: Path, shift: float, windows: int) -> None:
    hours = [Hours(engine, tmp_path / engine, 1000, shift, 3).verdicts(windows) for engine in ("portable", "service")]
    assert hours[0] == hours[1]
