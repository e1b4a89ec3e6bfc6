"""The metric definitions that the service attaches to built-in algorithms.

XGBoost: names of AWS's open container source (aws/sagemaker-xgboost-container, `algorithm_mode/metrics.py`); it
defines the validation ones, the service reports the train ones as well. Its regexes end in `(\\S+)`, which is not a
number where another metric follows on the line, so here the group is a number.
Linear Learner: from a real DescribeHyperParameterTuningJob reply. K-Means: `test:msd` and `test:ssd` as AWS's SDK
documents them; the others by the same pattern. CloudWatch shows a TAB as `#011`.
"""

_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_XGBOOST = [
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
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
]

#: metric name -> the text between the channel and the value
_LINEAR_LEARNER = {
    "objective_loss": r"\S+_objective <loss>",
    "binary_classification_accuracy": "binary_classification_accuracy <score>",
    "binary_f_beta": r"binary_f_\S+ <score>",
    "precision": "precision <score>",
    "recall": "recall <score>",
    "multiclass_accuracy": "multiclass_accuracy <score>",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+ <score>",
    "dcg": "dcg <score>",
    "macro_precision": "macro_precision <score>",
    "macro_recall": "macro_recall <score>",
    "macro_f_beta": r"macro_f_\S+ <score>",
    "mse": "mse <loss>",
    "absolute_loss": "absolute_loss <loss>",
}
_PROGRESS = [
    {"Name": "train:progress", "Regex": r"#progress_metric: host=\S+, completed (\S+) %"},
    {
        "Name": "train:throughput",
        "Regex": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
    },
]


def _xgboost() -> list[dict[str, str]]:
    return [
        {"Name": f"{channel}:{metric}", "Regex": rf".*\[[0-9]+\].*#011{channel}-{metric}:{_NUMBER}"}
        for channel in ("train", "validation")
        for metric in _XGBOOST
    ]


def _linear_learner() -> list[dict[str, str]]:
    start = r"#quality_metric: host=\S+, "
    found = []
    for channel in ("train", "validation", "test"):
        for name, text in _LINEAR_LEARNER.items():
            if name == "objective_loss" and channel != "test":  # per epoch, and once more at the end
                found.append({"Name": f"{channel}:{name}", "Regex": rf"{start}epoch=\S+, {channel} {text}=(\S+)"})
                name = f"{name}:final"  # noqa: PLW2901 - the second definition of the same metric
            found.append({"Name": f"{channel}:{name}", "Regex": rf"{start}{channel} {text}=(\S+)"})
    return [*found, *_PROGRESS]


def _kmeans() -> list[dict[str, str]]:
    start = r"#quality_metric: host=\S+, "
    found = [
        {"Name": f"{channel}:{name}", "Regex": rf"{start}{channel} {name} <loss>=(\S+)"}
        for channel in ("test", "train")
        for name in ("msd", "ssd")
    ]
    return [*found, *_PROGRESS]


DEFINITIONS: dict[str, list[dict[str, str]]] = {
    "xgboost": _xgboost(),
    "linear-learner": _linear_learner(),
    "kmeans": _kmeans(),
}
