"""The hyperparameters of Linear Learner: names, ranges, defaults (developer guide, ll_hyperparameters).

Values that are wrong are refused as the service does (its algorithms check against a JSON schema); values that
are right on AWS but not built here are refused by name.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_io import UserError

AUTO = "auto"
Parse = Callable[[str], Any]

#: MXNet's Adam with the service's step decay: 0.99 every 10 mini batches, never below 1e-5
DECAY, DECAY_STEPS, SMALLEST_RATE = 0.99, 10, 1e-5


def _number(low: float, high: float = math.inf, *, open_low: bool = False, open_high: bool = False) -> Parse:
    def parse(text: str) -> float:
        value = float(text)
        below = value <= low if open_low else value < low
        above = value >= high if open_high else value > high
        if below or above or math.isnan(value):
            raise ValueError
        return value

    return parse


def _whole(low: int, high: int = 2**31 - 1) -> Parse:
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


def _word(*options: str) -> Parse:
    def parse(text: str) -> str:
        if text not in options:
            raise ValueError
        return text

    return parse


def _flag(text: str) -> bool:
    value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if value is None:
        raise ValueError
    return value


def _or_auto(parse: Parse) -> Parse:
    return lambda text: AUTO if text == AUTO else parse(text)


def _or_balanced(parse: Parse) -> Parse:
    return lambda text: "balanced" if text == "balanced" else parse(text)


_POSITIVE = _number(0, open_low=True)
_SHARE = _number(0, 1, open_low=True, open_high=True)
_LOSSES = (
    AUTO,
    "logistic",
    "squared_loss",
    "absolute_loss",
    "hinge_loss",
    "eps_insensitive_squared_loss",
    "eps_insensitive_absolute_loss",
    "quantile_loss",
    "huber_loss",
    "softmax_loss",
)

#: name -> (parser, default); None: no default
_TABLE: dict[str, tuple[Parse, Any]] = {
    "predictor_type": (_word("binary_classifier", "multiclass_classifier", "regressor"), None),
    "num_classes": (_whole(1, 1_000_000), 1),
    "feature_dim": (_or_auto(_whole(1)), AUTO),
    "mini_batch_size": (_whole(1), 1000),
    "epochs": (_whole(1), 15),
    "accuracy_top_k": (_whole(1), 3),
    "balance_multiclass_weights": (_flag, False),
    "beta_1": (_or_auto(_number(0, 1, open_high=True)), AUTO),
    "beta_2": (_or_auto(_number(0, 1, open_high=True)), AUTO),
    "bias_lr_mult": (_or_auto(_POSITIVE), AUTO),
    "bias_wd_mult": (_or_auto(_number(0)), AUTO),
    "binary_classifier_model_selection_criteria": (
        _word("accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision", "loss_function"),
        "accuracy",
    ),
    "early_stopping_patience": (_whole(1), 3),
    "early_stopping_tolerance": (_POSITIVE, 0.001),
    "f_beta": (_POSITIVE, 1.0),
    "huber_delta": (_number(0), 1.0),
    "init_bias": (float, 0.0),
    "init_method": (_word("uniform", "normal"), "uniform"),
    "init_scale": (_POSITIVE, 0.07),
    "init_sigma": (_POSITIVE, 0.01),
    "l1": (_or_auto(_number(0)), AUTO),
    "learning_rate": (_or_auto(_POSITIVE), AUTO),
    "loss": (_word(*_LOSSES), AUTO),
    "loss_insensitivity": (_POSITIVE, 0.01),
    "lr_scheduler_factor": (_or_auto(_SHARE), AUTO),
    "lr_scheduler_minimum_lr": (_or_auto(_POSITIVE), AUTO),
    "lr_scheduler_step": (_or_auto(_whole(1)), AUTO),
    "margin": (_POSITIVE, 1.0),
    "momentum": (_or_auto(_number(0, 1, open_high=True)), AUTO),
    "normalize_data": (_flag, True),
    "normalize_label": (_or_auto(_flag), AUTO),
    "num_calibration_samples": (_whole(1), 10_000_000),
    "num_models": (_or_auto(_whole(1)), AUTO),
    "num_point_for_scaler": (_whole(1), 10_000),
    "optimizer": (_word(AUTO, "sgd", "adam", "rmsprop"), AUTO),
    "positive_example_weight_mult": (_or_balanced(_POSITIVE), 1.0),
    "quantile": (_SHARE, 0.5),
    "target_precision": (_SHARE, 0.8),
    "target_recall": (_SHARE, 0.8),
    "unbias_data": (_or_auto(_flag), AUTO),
    "unbias_label": (_or_auto(_flag), AUTO),
    "use_bias": (_flag, True),
    "use_lr_scheduler": (_flag, True),
    "wd": (_or_auto(_number(0)), AUTO),
    "_tuning_objective_metric": (str, ""),
}
_LOSS_OF = {"binary_classifier": "logistic", "multiclass_classifier": "softmax_loss", "regressor": "squared_loss"}
_BUILT = {
    "binary_classifier": ("logistic",),
    "multiclass_classifier": ("softmax_loss",),
    "regressor": ("squared_loss", "absolute_loss"),
}
_SMALLEST_MULTICLASS = 3


def invalid(caused_by: str) -> UserError:
    """The service's text for hyperparameters that its schema refuses."""
    return UserError(
        "Unable to initialize the algorithm. Failed to validate hyperparameters. (caused by ValidationError)\n\n"
        f"Caused by: {caused_by}"
    )


@dataclass(frozen=True)
class Settings:
    """Typed hyperparameters with everything `auto` decided that does not depend on the data."""

    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        """A hyperparameter by its name."""
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def classes(self) -> int:
        """Number of outputs: one for a binary classifier and a regressor."""
        return int(self.num_classes) if self.predictor_type == "multiclass_classifier" else 1

    @property
    def learning_rates(self) -> list[float]:
        """One model is trained for each."""
        rates = [0.005, 0.02, 0.1] if self.learning_rate == AUTO else [float(self.learning_rate)]
        return rates if self.num_models == AUTO else rates[: self.num_models]

    def auto(self, name: str, default: Any) -> Any:
        """A value, or `default` when it is left to the algorithm."""
        return default if self.values[name] == AUTO else self.values[name]


def validated(given: Mapping[str, str]) -> Settings:
    """Raises UserError with the service's kind of text."""
    unknown = sorted(set(given) - set(_TABLE))
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise invalid(
            f"Additional properties are not allowed ({names} {'were' if len(unknown) > 1 else 'was'} unexpected)"
        )
    if "predictor_type" not in given:
        raise invalid("'predictor_type' is a required property")
    values = {name: default for name, (_, default) in _TABLE.items()}
    for name, text in given.items():
        try:
            values[name] = _TABLE[name][0](text)
        except ValueError as error:
            raise invalid(f"{text!r} is not valid for {name!r}") from error
    predictor = values["predictor_type"]
    if predictor == "multiclass_classifier" and values["num_classes"] < _SMALLEST_MULTICLASS:
        raise invalid(f"'num_classes' must be at least {_SMALLEST_MULTICLASS} for a multiclass_classifier")
    values["loss"] = _LOSS_OF[predictor] if values["loss"] == AUTO else values["loss"]
    if values["loss"] not in _BUILT[predictor]:
        raise UserError(f"localcloud's Linear Learner does not implement loss={values['loss']} for a {predictor}")
    if values["optimizer"] == "rmsprop":
        raise UserError("localcloud's Linear Learner does not implement optimizer=rmsprop")
    if values["balance_multiclass_weights"]:
        raise UserError("localcloud's Linear Learner does not implement balance_multiclass_weights")
    return Settings(values)
