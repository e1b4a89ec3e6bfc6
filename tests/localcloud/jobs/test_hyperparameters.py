"""Hyperparameters: what the built-in algorithms refuse, in the service's words, and what they make of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.jobs.runner_modules import load

xgboost = load("xgboost", "settings")
linear = load("linear_learner", "settings")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "1", "silent": "0"}, "Extraneous hyperparameter found: silent"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        (
            {"num_round": "1", "max_depth": "deep"},
            "Hyperparameter max_depth: could not parse value (caused by ValueError)",
        ),
        ({"num_round": "1.5"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        ({"num_round": "1", "eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"num_round": "1", "learning_rate": "-1"}, "Hyperparameter eta: -1.0 is not in [0, 1]"),
        ({"num_round": "1", "subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        (
            {"num_round": "1", "tweedie_variance_power": "2"},
            "Hyperparameter tweedie_variance_power: 2.0 is not in (1, 2)",
        ),
        (
            {"num_round": "1", "booster": "forest"},
            "Hyperparameter booster: forest is not in ['gbtree', 'gblinear', 'dart']",
        ),
        ({"num_round": "1", "eval_metric": "auc,magic"}, "Hyperparameter eval_metric: value ['auc', 'magic'] not in"),
        ({"num_round": "1", "eval_metric": "auc@2"}, "Metric 'auc@2' is not supported."),
        (
            {"num_round": "1", "objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"num_round": "1", "objective": "reg:squarederror", "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        ({"num_round": "1", "_kfold": "3"}, "localcloud's XGBoost does not implement the hyperparameter _kfold"),
        ({"num_round": "1", "eval_metric": "accuracy"}, "localcloud's XGBoost does not compute the eval_metric"),
    ],
)
def test_xgboost_refuses(given: dict[str, str], message: str) -> None:
    with pytest.raises(xgboost.UserError) as caught:
        xgboost.validated(given)
    assert str(caught.value).startswith(message)


def test_xgboost_types_and_aliases() -> None:
    values = xgboost.validated(
        {
            "num_round": "10",
            "learning_rate": "0.2",
            "min_split_loss": "4",
            "objective": "binary:logistic",
            "eval_metric": "error@0.3",
            "_tuning_objective_metric": "validation:auc",
        }
    )
    assert values == {
        "num_round": 10,
        "eta": 0.2,
        "gamma": 4.0,
        "objective": "binary:logistic",
        "eval_metric": ["auc", "error@0.3"],
    }


_SCHEMA = (
    "Unable to initialize the algorithm. Failed to validate hyperparameters. (caused by ValidationError)\n\nCaused by: "
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, f"{_SCHEMA}'predictor_type' is a required property"),
        (
            {"predictor_type": "regressor", "silent": "0"},
            f"{_SCHEMA}Additional properties are not allowed ('silent' was unexpected)",
        ),
        ({"predictor_type": "magic"}, f"{_SCHEMA}'magic' is not valid for 'predictor_type'"),
        ({"predictor_type": "regressor", "mini_batch_size": "0"}, f"{_SCHEMA}'0' is not valid for 'mini_batch_size'"),
        ({"predictor_type": "regressor", "epochs": "many"}, f"{_SCHEMA}'many' is not valid for 'epochs'"),
        ({"predictor_type": "regressor", "l1": "nan"}, f"{_SCHEMA}'nan' is not valid for 'l1'"),
        ({"predictor_type": "regressor", "target_recall": "1"}, f"{_SCHEMA}'1' is not valid for 'target_recall'"),
        ({"predictor_type": "regressor", "use_bias": "maybe"}, f"{_SCHEMA}'maybe' is not valid for 'use_bias'"),
        ({"predictor_type": "multiclass_classifier"}, f"{_SCHEMA}'num_classes' must be at least 3"),
        ({"predictor_type": "regressor", "loss": "huber_loss"}, "localcloud's Linear Learner does not implement loss="),
        ({"predictor_type": "regressor", "optimizer": "rmsprop"}, "localcloud's Linear Learner does not implement"),
    ],
)
def test_linear_learner_refuses(given: dict[str, str], message: str) -> None:
    with pytest.raises(linear.UserError) as caught:
        linear.validated(given)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("use_bias", "false", False),
        ("normalize_data", "true", True),
        ("learning_rate", "auto", "auto"),
        ("learning_rate", "0.1", 0.1),
        ("positive_example_weight_mult", "balanced", "balanced"),
        ("positive_example_weight_mult", "2", 2.0),
        ("mini_batch_size", "200", 200),
    ],
)
def test_linear_learner_parses(name: str, text: str, value: Any) -> None:
    settings = linear.validated({"predictor_type": "binary_classifier", name: text})
    assert getattr(settings, name) == value


def test_linear_learner_defaults() -> None:
    settings = linear.validated({"predictor_type": "binary_classifier"})
    assert (settings.mini_batch_size, settings.epochs, settings.early_stopping_patience) == (1000, 15, 3)
    assert settings.loss == "logistic"
    assert settings.binary_classifier_model_selection_criteria == "accuracy"
