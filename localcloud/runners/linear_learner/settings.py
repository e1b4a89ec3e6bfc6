"""The hyperparameters of Linear Learner: names, ranges, defaults (developer guide, ll_hyperparameters).

Values that are wrong are refused as the service does (its algorithms check against a JSON schema); values that
are right on AWS but not built here are refused by name.
"""

from collections.abc import Mapping

import parameter_table
from first_party import bad_hyperparameters
from parameter_table import AUTO, Parse, flag, number, or_auto, whole, word
from sagemaker_io import UserError

#: MXNet's Adam with the service's step decay: 0.99 every 10 mini batches, never below 1e-5
DECAY, DECAY_STEPS, SMALLEST_RATE = 0.99, 10, 1e-5


def _or_balanced(parse: Parse) -> Parse:
    return lambda text: "balanced" if text == "balanced" else parse(text)


_POSITIVE = number(0, open_low=True)
_SHARE = number(0, 1, open_low=True, open_high=True)
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

_TABLE: parameter_table.Table = {
    "predictor_type": (word("binary_classifier", "multiclass_classifier", "regressor"), None),
    "num_classes": (whole(1, 1_000_000), 1),
    "feature_dim": (or_auto(whole(1)), AUTO),
    "mini_batch_size": (whole(1), 1000),
    "epochs": (whole(1), 15),
    "accuracy_top_k": (whole(1), 3),
    "balance_multiclass_weights": (flag, False),
    "beta_1": (or_auto(number(0, 1, open_high=True)), AUTO),
    "beta_2": (or_auto(number(0, 1, open_high=True)), AUTO),
    "bias_lr_mult": (or_auto(_POSITIVE), AUTO),
    "bias_wd_mult": (or_auto(number(0)), AUTO),
    "binary_classifier_model_selection_criteria": (
        word("accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision", "loss_function"),
        "accuracy",
    ),
    "early_stopping_patience": (whole(1), 3),
    "early_stopping_tolerance": (_POSITIVE, 0.001),
    "f_beta": (_POSITIVE, 1.0),
    "huber_delta": (number(0), 1.0),
    "init_bias": (float, 0.0),
    "init_method": (word("uniform", "normal"), "uniform"),
    "init_scale": (_POSITIVE, 0.07),
    "init_sigma": (_POSITIVE, 0.01),
    "l1": (or_auto(number(0)), AUTO),
    "learning_rate": (or_auto(_POSITIVE), AUTO),
    "loss": (word(*_LOSSES), AUTO),
    "loss_insensitivity": (_POSITIVE, 0.01),
    "lr_scheduler_factor": (or_auto(_SHARE), AUTO),
    "lr_scheduler_minimum_lr": (or_auto(_POSITIVE), AUTO),
    "lr_scheduler_step": (or_auto(whole(1)), AUTO),
    "margin": (_POSITIVE, 1.0),
    "momentum": (or_auto(number(0, 1, open_high=True)), AUTO),
    "normalize_data": (flag, True),
    "normalize_label": (or_auto(flag), AUTO),
    "num_calibration_samples": (whole(1), 10_000_000),
    "num_models": (or_auto(whole(1)), AUTO),
    "num_point_for_scaler": (whole(1), 10_000),
    "optimizer": (word(AUTO, "sgd", "adam", "rmsprop"), AUTO),
    "positive_example_weight_mult": (_or_balanced(_POSITIVE), 1.0),
    "quantile": (_SHARE, 0.5),
    "target_precision": (_SHARE, 0.8),
    "target_recall": (_SHARE, 0.8),
    "unbias_data": (or_auto(flag), AUTO),
    "unbias_label": (or_auto(flag), AUTO),
    "use_bias": (flag, True),
    "use_lr_scheduler": (flag, True),
    "wd": (or_auto(number(0)), AUTO),
    "_tuning_objective_metric": (str, ""),
}
_LOSS_OF = {"binary_classifier": "logistic", "multiclass_classifier": "softmax_loss", "regressor": "squared_loss"}
_BUILT = {
    "binary_classifier": ("logistic",),
    "multiclass_classifier": ("softmax_loss",),
    "regressor": ("squared_loss", "absolute_loss"),
}
_SMALLEST_MULTICLASS = 3


class Settings(parameter_table.Settings):
    """Typed hyperparameters with everything `auto` decided that does not depend on the data."""

    @property
    def classes(self) -> int:
        """Number of outputs: one for a binary classifier and a regressor."""
        return int(self.num_classes) if self.predictor_type == "multiclass_classifier" else 1

    @property
    def learning_rates(self) -> list[float]:
        """One model is trained for each."""
        rates = [0.005, 0.02, 0.1] if self.learning_rate == AUTO else [float(self.learning_rate)]
        return rates if self.num_models == AUTO else rates[: self.num_models]


def validated(given: Mapping[str, str]) -> Settings:
    """Raises UserError with the service's kind of text."""
    values = parameter_table.parsed(given, _TABLE, ("predictor_type",))
    predictor = values["predictor_type"]
    if predictor == "multiclass_classifier" and values["num_classes"] < _SMALLEST_MULTICLASS:
        raise bad_hyperparameters(f"'num_classes' must be at least {_SMALLEST_MULTICLASS} for a multiclass_classifier")
    values["loss"] = _LOSS_OF[predictor] if values["loss"] == AUTO else values["loss"]
    if values["loss"] not in _BUILT[predictor]:
        raise UserError(f"localcloud's Linear Learner does not implement loss={values['loss']} for a {predictor}")
    if values["optimizer"] == "rmsprop":
        raise UserError("localcloud's Linear Learner does not implement optimizer=rmsprop")
    if values["balance_multiclass_weights"]:
        raise UserError("localcloud's Linear Learner does not implement balance_multiclass_weights")
    return Settings(values)
