"""The hyperparameters of K-Means: names, ranges, defaults.

Developer guide, k-means-api-config; the names that begin with an underscore, and force_dense, from the "Final
configuration" lines of real jobs: the service accepts them, here they change nothing.
"""

import json
from collections.abc import Mapping
from typing import Any

import parameter_table
from parameter_table import AUTO, Settings, number, or_auto, whole, word

_METRICS = ("msd", "ssd")


def _metrics(text: str) -> list[str]:
    found = json.loads(text)
    if not isinstance(found, list) or not found or any(each not in _METRICS for each in found):
        raise ValueError
    return list(dict.fromkeys(found))


_INITIAL = word("random", "kmeans++")
_TABLE: parameter_table.Table = {
    "k": (whole(1), None),
    "feature_dim": (whole(1), None),
    "mini_batch_size": (whole(1), 5000),
    "epochs": (whole(1), 1),
    "init_method": (_INITIAL, "random"),
    "extra_center_factor": (or_auto(whole(1)), AUTO),
    "half_life_time_size": (whole(0), 0),
    "local_lloyd_init_method": (_INITIAL, "kmeans++"),
    "local_lloyd_max_iter": (whole(1), 300),
    "local_lloyd_num_trials": (or_auto(whole(1)), AUTO),
    "local_lloyd_tol": (number(0, 1), 0.0001),
    "eval_metrics": (_metrics, ["msd"]),
    "force_dense": (str, "true"),
    "_disable_wait_to_read": (str, "false"),
    "_enable_profiler": (str, "false"),
    "_kvstore": (str, AUTO),
    "_log_level": (str, "info"),
    "_num_gpus": (str, AUTO),
    "_num_kv_servers": (str, "1"),
    "_num_slices": (str, "1"),
    "_tuning_objective_metric": (str, ""),
}


def validated(given: Mapping[str, str]) -> Settings:
    """Raises UserError with the service's kind of text."""
    values: dict[str, Any] = parameter_table.parsed(given, _TABLE, ("feature_dim", "k"))
    return Settings(values)
