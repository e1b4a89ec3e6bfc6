"""Choosing the best of the models that were evaluated."""

from __future__ import annotations

from typing import Any

import pipeline_choose
import pytest


def candidates(**accuracies: object) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for name, accuracy in accuracies.items():
        event |= {
            f"{name}_accuracy": accuracy,
            f"{name}_model": f"s3://models/{name}/model.tar.gz",
            f"{name}_folder": f"s3://data/runs/e1/Evaluate{name}/",
        }
    return event


def test_the_most_accurate_one_is_chosen_with_all_that_belongs_to_it() -> None:
    assert pipeline_choose.handler(candidates(Top1=0.8, Top2=0.91234, Plain=0.9), None) == {
        "name": "Top2",
        "model": "s3://models/Top2/model.tar.gz",
        "folder": "s3://data/runs/e1/EvaluateTop2",
        "accuracy": 0.91234,
        "accuracy_text": "0.9123",
    }


@pytest.mark.parametrize(
    ("given", "best"),
    [
        ({"Plain": 0.9, "Top2": 0.9, "Top1": 0.9}, "Top1"),
        ({"Plain": 0.9, "Top2": 0.9, "Top1": 0.8}, "Top2"),
        ({"Plain": 0.4}, "Plain"),
        ({"Top1": "0.7", "Plain": "0.6"}, "Top1"),
        ({"Top1": 0, "Plain": 0.0}, "Top1"),
    ],
)
def test_of_equals_the_first_counts_and_only_those_that_are_there(given: dict[str, object], best: str) -> None:
    assert pipeline_choose.handler(candidates(**given), None)["name"] == best


@pytest.mark.parametrize("accuracy", ["NaN", float("nan"), "", None, "high", -0.1, 1.01])
def test_what_is_no_share_is_refused_by_name(accuracy: object) -> None:
    with pytest.raises(ValueError, match=r"Top2_accuracy is .*; it must be a number from 0 to 1"):
        pipeline_choose.handler(candidates(Top1=0.8, Top2=accuracy), None)


def test_without_a_candidate_there_is_nothing_to_choose() -> None:
    with pytest.raises(ValueError, match="no candidate: expected Top1_accuracy, Top2_accuracy, Plain_accuracy"):
        pipeline_choose.handler({"accuracy": 0.9}, None)
