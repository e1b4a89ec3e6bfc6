"""What the analyzer measures with: types of values, sketches, distances, curves; of any input."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.localcloud.jobs.monitor_programs as _programs  # makes the modules importable

assert _programs
classification: Any = import_module("classification")
datatypes: Any = import_module("datatypes")
drift: Any = import_module("drift")
records: Any = import_module("records")
sketch: Any = import_module("sketch")

_NUMBERS = st.floats(-1e9, 1e9).map(lambda value: round(value, 3))
_SAMPLES = st.lists(_NUMBERS, min_size=1, max_size=60)
_COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12", "Integral"),
        ("-3", "Integral"),
        ("+ 3", "Integral"),
        ("0.5", "Fractional"),
        (".5", "Fractional"),
        ("5.", "Fractional"),
        ("-0.0", "Fractional"),
        # a number in scientific notation is none for the container, whose page says to write it out
        ("1e-05", "String"),
        ("1,5", "String"),
        ("-", "String"),
        (".", "String"),
        ("١٢", "String"),
        ("true", "Boolean"),
        ("True", "String"),
        ("", "Unknown"),
        (None, "Unknown"),
    ],
)
def test_kinds_of_values(text: str | None, kind: str) -> None:
    assert datatypes.kind_of(text) == kind


@given(st.integers())
def test_an_integer_is_integral(value: int) -> None:
    assert datatypes.kind_of(str(value)) == "Integral"
    assert datatypes.number_of(str(value)) == float(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_of_json_is_fractional_and_keeps_its_value(value: float) -> None:
    text = records.text_of(value)
    assert datatypes.kind_of(text) == "Fractional"
    assert datatypes.number_of(text) == value


@given(st.text())
def test_any_text_has_a_kind_and_numbers_can_be_read(text: str) -> None:
    kind = datatypes.kind_of(text)
    if kind in ("Integral", "Fractional"):
        datatypes.number_of(text)
    assert (kind == "Unknown") == (text == "")


@given(st.lists(st.sampled_from(["", "1", "0.5", "true", "x"])))
def test_the_type_of_a_column_depends_on_which_kinds_there_are(values: list[str]) -> None:
    inferred = datatypes.infer(Counter(map(datatypes.kind_of, values)))
    present = [value for value in values if value]
    if not present:
        assert inferred == "Unknown"
    elif all(value == "1" for value in present):
        assert inferred == "Integral"
    elif set(present) <= {"1", "0.5"}:
        assert inferred == "Fractional"
    else:
        assert inferred == "String"
    # more of the same changes nothing, and neither do gaps
    assert datatypes.infer(Counter(map(datatypes.kind_of, [*values, *values, ""]))) == inferred


@given(_SAMPLES)
def test_a_small_sketch_is_the_data(values: list[float]) -> None:
    levels = sketch.build(values)
    assert len(levels) == 1
    points = np.unique(values)
    assert sketch.ranks(levels, points).tolist() == [sum(v <= point for v in values) for point in points]


@settings(max_examples=10, deadline=None)
@given(st.integers(2049, 60_000), st.integers(0, 9))
def test_a_large_sketch_stands_for_as_many_values_and_ranks_them_within_one_percent(size: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=size)
    levels = sketch.build(values)
    assert sketch.total(levels) == size
    assert sum(map(len, levels)) <= sketch.K * len(levels)
    assert levels == sketch.build(values)
    where = np.quantile(values, [0.01, 0.25, 0.5, 0.75, 0.99])
    exact = np.searchsorted(np.sort(values), where, side="right")
    assert np.abs(sketch.ranks(levels, where) - exact).max() <= size * 0.01


def naive(one: list[float], other: list[float]) -> float:
    """The greatest gap of two empirical distributions, as the definition has it."""
    everywhere = {*one, *other}
    return max(abs(sum(v <= p for v in one) / len(one) - sum(v <= p for v in other) / len(other)) for p in everywhere)


@given(_SAMPLES, _SAMPLES)
def test_numerical_distance(one: list[float], other: list[float]) -> None:
    first, second = sketch.build(one), sketch.build(other)
    plain = drift.numerical(first, second, robust=False)
    assert plain == pytest.approx(naive(one, other))
    assert 0 <= plain <= 1
    assert plain == drift.numerical(second, first, robust=False)
    assert drift.numerical(first, first, robust=False) == 0
    n, m = len(one), len(other)
    assert drift.numerical(first, second, robust=True) == pytest.approx(
        max(0, plain - 1.8 * ((n + m) / (n * m)) ** 0.5)
    )
    # where all lies to one side of all, nothing can be further apart
    assert drift.numerical(first, sketch.build([max(one) + 1]), robust=False) == pytest.approx(1)


@given(_SAMPLES, _SAMPLES, _SAMPLES)
def test_no_way_round_is_shorter(one: list[float], other: list[float], between: list[float]) -> None:
    a, b, c = sketch.build(one), sketch.build(other), sketch.build(between)
    direct = drift.numerical(a, b, robust=False)
    assert direct <= drift.numerical(a, c, robust=False) + drift.numerical(c, b, robust=False) + 1e-9


@given(_COUNTS, _COUNTS, st.integers(2, 5))
def test_categorical_distance(one: dict[str, int], other: dict[str, int], times: int) -> None:
    plain = drift.categorical(one, other, robust=False)
    assert 0 <= plain <= 1
    assert plain == drift.categorical(other, one, robust=False)
    assert drift.categorical(one, {value: count * times for value, count in one.items()}, robust=False) == (
        pytest.approx(0)
    )
    assert drift.categorical(one, other, robust=True) <= plain
    assert drift.categorical(one, {"never seen": 3}, robust=False) == pytest.approx(
        max(1.0, *(count / sum(one.values()) for count in one.values()))
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=2, max_size=60))
def test_curves_rise_from_corner_to_corner(rows: list[tuple[bool, int]]) -> None:
    positive, score = np.array([p for p, _ in rows]), np.array([s / 9 for _, s in rows])
    assert 0 <= classification.area(positive, score) <= 1
    curves = classification.curves(positive, score)
    for name in ("false_positive_rates", "true_positive_rates"):
        rates = curves[name]
        assert (rates[0], rates[-1]) == (0.0, 1.0)
        assert rates == sorted(rates)
        assert len(rates) == len(set(score)) + 2


def test_a_curve_has_no_more_than_a_thousand_points() -> None:
    score = np.linspace(0, 1, 5000)
    curves = classification.curves(score > 0.5, score)
    assert len(curves["precisions"]) == 1001
    assert (curves["recalls"][0], curves["recalls"][-1]) == (0.0, 1.0)
