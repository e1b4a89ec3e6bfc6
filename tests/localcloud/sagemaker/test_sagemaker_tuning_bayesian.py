"""Strategy Bayesian learns from what its trials came to, and is repeatable."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from tests.localcloud.conftest import COMMAND, ROOT

PROBE = Path(__file__).with_name("bayesian_probe.py")
Trials = list[tuple[dict[str, str], float]]
SEEDS = range(1, 6)


@pytest.fixture(scope="module")
def searches() -> dict[tuple[Any, ...], Trials]:
    """What each request came to; two of them are made twice."""
    requests = [(strategy, "Maximize", seed, 30, 2) for strategy in ("Bayesian", "Random") for seed in SEEDS]
    requests += [("Bayesian", "Minimize", 1, 30, 2), ("Bayesian", "Maximize", 1, 9, 9)]
    done = subprocess.run(
        [str(COMMAND.with_name("python")), str(PROBE)],
        input=json.dumps([*requests, requests[0]]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *found, again = json.loads(done.stdout)
    assert again == found[0], "the same results must lead to the same trials"
    return dict(zip(requests, found, strict=True))


def best(trials: Trials) -> float:
    return max(value for _, value in trials)


def test_it_finds_better_places_than_chance(searches: dict[tuple[Any, ...], Trials]) -> None:
    learned = [searches["Bayesian", "Maximize", seed, 30, 2] for seed in SEEDS]
    drawn = [searches["Random", "Maximize", seed, 30, 2] for seed in SEEDS]
    assert mean(map(best, learned)) > mean(map(best, drawn)) + 0.1
    # and it stays there: the last ten trials are better than the first ten, which those of a random search are not
    gains = [mean(v for _, v in trials[-10:]) - mean(v for _, v in trials[:10]) for trials in (*learned, *drawn)]
    assert min(gains[:5]) > 0.3
    assert mean(gains[:5]) > mean(gains[5:]) + 0.5


def test_another_seed_searches_elsewhere(searches: dict[tuple[Any, ...], Trials]) -> None:
    assert searches["Bayesian", "Maximize", 1, 30, 2] != searches["Bayesian", "Maximize", 2, 30, 2]


def test_minimise_is_maximise_upside_down(searches: dict[tuple[Any, ...], Trials]) -> None:
    up, down = searches["Bayesian", "Maximize", 1, 30, 2], searches["Bayesian", "Minimize", 1, 30, 2]
    assert [tuned for tuned, _ in up] == [tuned for tuned, _ in down]


def test_every_value_is_a_text_within_its_range(searches: dict[tuple[Any, ...], Trials]) -> None:
    for trials in searches.values():
        for tuned, _ in trials:
            assert set(tuned) == {"eta", "decay", "alpha", "depth", "booster"}
            assert 0.0001 <= float(tuned["eta"]) <= 1
            assert 0 <= float(tuned["decay"]) <= 0.999
            assert -1 <= float(tuned["alpha"]) <= 2
            assert tuned["depth"] in [str(number) for number in range(1, 11)]
            assert tuned["booster"] in ("gbtree", "dart", "gblinear")


def test_all_at_once_are_all_different(searches: dict[tuple[Any, ...], Trials]) -> None:
    """When as many run as there may be, nothing can be learned: a random search."""
    trials = searches["Bayesian", "Maximize", 1, 9, 9]
    assert len({json.dumps(tuned) for tuned, _ in trials}) == 9
