"""The evaluation's numbers against scikit-learn's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.evaluation.metrics import Confusion, area_under_roc

# Few distinct scores, so that ties are common: they are where ranking goes wrong.
SCORED = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=60
)


@given(SCORED)
def test_counts_and_rates_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    from sklearn import metrics

    labels, answers = [label for label, _ in pairs], [score >= 0.5 for _, score in pairs]
    found = Confusion.count(labels, answers)
    expected = metrics.confusion_matrix(labels, answers, labels=[0, 1])
    assert [
        [found.true_negative, found.false_positive],
        [found.false_negative, found.true_positive],
    ] == expected.tolist()
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, answers))
    if found.predicted_positive:
        assert found.precision == pytest.approx(metrics.precision_score(labels, answers))
    if found.support:
        assert found.recall == pytest.approx(metrics.recall_score(labels, answers))
    if found.support or found.predicted_positive:
        assert found.f1 == pytest.approx(metrics.f1_score(labels, answers))
    assert found.observed_rate == pytest.approx(sum(labels) / len(labels))
    assert found.predicted_rate == pytest.approx(sum(answers) / len(answers))
    assert found.baseline == pytest.approx(max(sum(labels), len(labels) - sum(labels)) / len(labels))


@given(SCORED)
def test_area_under_the_curve_is_scikit_learns(pairs: list[tuple[int, float]]) -> None:
    from sklearn import metrics

    labels, scores = [label for label, _ in pairs], [score for _, score in pairs]
    area = area_under_roc(labels, scores)
    if len(set(labels)) == 2:
        assert area == pytest.approx(metrics.roc_auc_score(labels, scores))
    else:
        assert area is None


def test_rates_that_would_divide_by_zero_are_absent() -> None:
    nothing_found = Confusion.count([0, 0], [False, False])
    assert nothing_found.precision is None
    assert nothing_found.recall is None
    assert nothing_found.f1 is None
    assert nothing_found.accuracy == 1
    assert Confusion(0, 0, 0, 0).accuracy is None


def test_labels_and_answers_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Confusion.count([0, 1], [True])
