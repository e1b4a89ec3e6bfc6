"""The analyzer's metrics are those of scikit-learn, for any answers and any truth."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tests.localcloud.jobs.monitor_programs as _programs  # makes the modules importable

assert _programs
pytestmark = pytest.mark.exhaustive
classification: Any = import_module("classification")

_NUMBERS = st.floats(-1e9, 1e9).map(lambda value: round(value, 3))
_CLASSES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=50)


class _Oracle:
    """scikit-learn's metrics, imported by whoever asks: that takes as long as all that the other tests do."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("sklearn.metrics"), name)


oracle = _Oracle()


@given(_CLASSES)
def test_multiclass_metrics_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    truth, told = (np.array(column) for column in zip(*rows, strict=True))
    found = classification.multiclass(classification.confusion(truth, told, 4))
    rest: dict[str, Any] = {"average": "weighted", "zero_division": 0}
    expected = {
        "accuracy": oracle.accuracy_score(truth, told),
        "weighted_recall": oracle.recall_score(truth, told, **rest),
        "weighted_precision": oracle.precision_score(truth, told, **rest),
        "weighted_f0_5": oracle.fbeta_score(truth, told, beta=0.5, **rest),
        "weighted_f1": oracle.fbeta_score(truth, told, beta=1, **rest),
        "weighted_f2": oracle.fbeta_score(truth, told, beta=2, **rest),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=2, max_size=60))
def test_the_area_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    positive, score = np.array([p for p, _ in rows]), np.array([s / 9 for _, s in rows])
    found = classification.area(positive, score)
    assume(len(set(positive.tolist())) == 2)
    assert found == pytest.approx(oracle.roc_auc_score(positive, score))


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS), min_size=2, max_size=40))
def test_regression_metrics_are_those_of_scikit_learn(rows: list[tuple[float, float]]) -> None:
    truth, told = (np.array(column) for column in zip(*rows, strict=True))
    found = classification.regression(truth, told)
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(truth, told))
    assert found["mse"] == pytest.approx(oracle.mean_squared_error(truth, told))
    if np.ptp(truth) > 1:
        assert found["r2"] == pytest.approx(oracle.r2_score(truth, told), rel=1e-6)
