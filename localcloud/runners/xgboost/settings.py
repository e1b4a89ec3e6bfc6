"""The hyperparameters of the built-in XGBoost, their ranges and what depends on what.

Names, ranges and texts as in AWS's open container (aws/sagemaker-xgboost-container, version of the 3.x images).
"""

from collections.abc import Mapping
from typing import Any

from hyperparameters import Interval, Rule, choice, integer, number, validate, words
from sagemaker_io import UserError

#: metrics that the container computes itself, with scikit-learn; the rest is XGBoost's own
_CONTAINER_METRICS = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
    "mse",
)
MAXIMIZE = (*_CONTAINER_METRICS[:-1], "auc", "aucpr", "map", "ndcg")
_MINIMIZE = (
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
METRICS = (*MAXIMIZE, *_MINIMIZE)
_WITH_THRESHOLD = ("error", "ndcg", "map")

_ANY = Interval(low=0)
_SHARE = Interval(low=0, high=1)
_OPEN_SHARE = Interval(low=0, high=1, open_low=True)
_SWITCH = Interval(low=0, high=1)

_OBJECTIVES = (
    "aft_loss_distribution",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)


def _is_metric(text: str) -> bool:
    name, at, threshold = text.partition("@")
    if not at:
        return text in METRICS
    if name.strip() not in _WITH_THRESHOLD:
        raise UserError(
            f"Metric '{text}' is not supported. Parameter 'eval_metric' with customized threshold should be one of "
            f"these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
    return True


RULES: dict[str, Rule] = {
    "num_round": integer(Interval(low=1)),
    "csv_weights": integer(_SWITCH),
    "early_stopping_rounds": integer(Interval(low=1)),
    "booster": choice("gbtree", "gblinear", "dart"),
    "verbosity": integer(Interval(low=0, high=3)),
    "nthread": integer(Interval(low=1)),
    "eta": number(_SHARE),
    "gamma": number(_ANY),
    "max_depth": integer(_ANY),
    "min_child_weight": number(_ANY),
    "max_delta_step": number(_ANY),
    "subsample": number(_OPEN_SHARE),
    "colsample_bytree": number(_OPEN_SHARE),
    "colsample_bylevel": number(_OPEN_SHARE),
    "colsample_bynode": number(_OPEN_SHARE),
    "lambda": number(_ANY),
    "alpha": number(_ANY),
    "tree_method": choice("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": number(Interval(low=0, high=1, open_low=True, open_high=True)),
    "scale_pos_weight": number(Interval(low=0, open_low=True)),
    "dsplit": choice("row", "col"),
    "refresh_leaf": integer(_SWITCH),
    "process_type": choice("default", "update"),
    "grow_policy": choice("depthwise", "lossguide"),
    "max_leaves": integer(_ANY),
    "max_bin": integer(_ANY),
    "predictor": choice("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": choice("uniform", "weighted"),
    "normalize_type": choice("tree", "forest"),
    "rate_drop": number(_SHARE),
    "one_drop": integer(_SWITCH),
    "skip_drop": number(_SHARE),
    "lambda_bias": number(_SHARE),
    "tweedie_variance_power": number(Interval(low=1, high=2, open_low=True, open_high=True)),
    "objective": choice(*_OBJECTIVES),
    "num_class": integer(Interval(low=2)),
    "base_score": number(_ANY),
    "_tuning_objective_metric": choice(*(f"validation:{name}" for name in METRICS)),
    "eval_metric": words(_is_metric, METRICS),
    "seed": integer(Interval(low=-(2**31), high=2**31 - 1, open_low=True, open_high=True)),
    "num_parallel_tree": integer(Interval(low=1)),
    "save_model_on_termination": choice("true", "false"),
    "aft_loss_distribution": choice("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": number(_ANY),
    "sampling_method": choice("uniform", "gradient_based"),
}
_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}

#: valid for the service, but not built here: refused by name instead of ignored
_NOT_HERE = (
    "_kfold",
    "_num_cv_round",
    "updater",
    "monotone_constraints",
    "interaction_constraints",
    "deterministic_histogram",
    "prob_buffer_row",
    "use_dask_gpu_training",
)


def validated(given: Mapping[str, str]) -> dict[str, Any]:
    """Typed hyperparameters. Raises UserError with the container's text."""
    missing_here = [name for name in given if name in _NOT_HERE]
    if missing_here:
        raise UserError(f"localcloud's XGBoost does not implement the hyperparameter {missing_here[0]}")
    values = validate(given, RULES, ["num_round"], _ALIASES)
    objective = values.get("objective")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    wanted = list(values.get("eval_metric", []))
    if "auc" in wanted and not (objective or "").startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in wanted and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
    if values.get("tree_method") == "gpu_hist":
        raise UserError("localcloud has no GPU: tree_method gpu_hist cannot be used")
    tuned = values.pop("_tuning_objective_metric", None)
    if tuned:
        wanted = sorted({*wanted, tuned.partition(":")[2]})
    unknown_here = [name for name in wanted if name in _CONTAINER_METRICS]
    if unknown_here:
        raise UserError(f"localcloud's XGBoost does not compute the eval_metric {unknown_here[0]}")
    if wanted:
        values["eval_metric"] = wanted
    return values
