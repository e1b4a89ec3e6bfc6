"""What must hold of a workload's tuning beyond the shape: ranges, the objective, and how long a deploy can wait for it.

Like ``checks`` it reads raw values and skips what is reported already. Limits and rules of ranges and strategies are
those of the SageMaker developer guide ("Define Hyperparameter Ranges", "How Hyperparameter Tuning Works").
"""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from sandcastle.config.checks import LONGEST_JOB_MINUTES, Pair, whole
from sandcastle.config.checks_training import RESERVED
from sandcastle.config.problem import listed, nearest
from sandcastle.config.training_spec import MOST_METRICS, TrainSpec, TuningSpec
from sandcastle.config.yaml_lines import Document, KeyPath

_AT: KeyPath = ("train", "tuning")


def check_tuning(pair: Pair) -> None:
    """Note every mistake of the section ``tuning``, and tuning that is asked for where there is no such section."""
    tune = pair.setting("train", "tune")
    tuning = pair.workload.at(_AT)
    if tuning is None:
        if tune.value is True and pair.workload.at(("train", "artifact")) is None:
            message = "the workload's train has no section tuning that says what is tuned"
            tune.document.problem(tune.path, message, allowed="false, or tuning in its workload.yaml")
        return
    if not isinstance(tuning, dict):
        return
    ranges = tuning.get("ranges")
    for name, written in ranges.items() if isinstance(ranges, dict) else ():
        _check_range(pair.workload, name, written)
    _check_objective(pair, tuning)
    _check_counts(pair.workload, tuning)
    if tune.value is True and not pair.has_pipeline:
        _check_wait(pair, tuning)
        _check_overrides(pair, ranges if isinstance(ranges, dict) else {})


def _check_range(document: Document, name: str, written: Any) -> None:
    path: KeyPath = (*_AT, "ranges", name)
    if name.startswith(RESERVED):
        document.problem(path, "names that begin so are SageMaker's own", allowed="another name")
    if not isinstance(written, dict):
        return
    kind = written.get("kind")
    if kind == "categorical":
        for key in ("min", "max", "scale"):
            if key in written:
                document.problem((*path, key), "a categorical range has values only", allowed="values: [...]")
        values = written.get("values")
        if values is None:
            document.problem(path, "a categorical range needs values", allowed="values: [...]")
        elif isinstance(values, list) and len({str(value) for value in values}) < len(values):
            document.problem((*path, "values"), "the same value twice", allowed="each value once")
    elif kind in ("continuous", "integer"):
        _check_numbers(document, path, kind, written)


def _check_numbers(document: Document, path: KeyPath, kind: str, written: dict[str, Any]) -> None:
    if "values" in written:
        document.problem((*path, "values"), "only a categorical range has values", allowed="min and max")
    ends: dict[str, float] = {}
    for key in ("min", "max"):
        if key not in written:
            document.problem(path, f"a range of numbers needs {key}", allowed="min and max")
        elif _number(written[key]):
            ends[key] = written[key]
            if kind == "integer" and written[key] != int(written[key]):
                document.problem((*path, key), "must be a whole number", allowed="or kind: continuous")
    if len(ends) < 2:
        return
    least, most, scale = ends["min"], ends["max"], written.get("scale")
    if least >= most:
        document.problem((*path, "max"), f"must be more than min ({least})", allowed=f"more than {least}")
    if scale == "Logarithmic" and least <= 0:
        document.problem((*path, "scale"), "a logarithm needs numbers above 0", allowed="min above 0, or Linear")
    if scale == "ReverseLogarithmic" and (kind == "integer" or least < 0 or most >= 1):
        message = "only continuous numbers from 0 to below 1 have this scale"
        document.problem((*path, "scale"), message, allowed="Auto, Linear or Logarithmic")


def _check_objective(pair: Pair, tuning: dict[str, Any]) -> None:
    """A script's objective is one of its metrics; what a built-in algorithm reports, SageMaker knows."""
    if pair.workload.at(("train", "framework")) is None:
        return
    metrics = pair.workload.at(("train", "metrics"))
    known = [str(name) for name in metrics] if isinstance(metrics, dict) else []
    objective = tuning.get("objective")
    if isinstance(objective, str) and objective not in known:
        message = f"not a metric of this script{nearest(objective, known)}"
        allowed = listed(known) or "a name in train.metrics, which has none"
        pair.workload.problem((*_AT, "objective"), message, allowed=allowed)
    if len(known) > MOST_METRICS:
        message = f"{len(known)} metrics, and a tuning job takes fewer than a training job"
        pair.workload.problem(("train", "metrics"), message, allowed=f"at most {MOST_METRICS} beside tuning")


def _check_counts(document: Document, tuning: dict[str, Any]) -> None:
    most, parallel = tuning.get("max_jobs"), tuning.get("parallel_jobs")
    if whole(most) and whole(parallel) and parallel > most:
        message = f"more at a time than in all ({most})"
        document.problem((*_AT, "parallel_jobs"), message, allowed=f"1 to {most}")
    ranges = tuning.get("ranges")
    if tuning.get("strategy") != "Grid" or not isinstance(ranges, dict):
        return
    kinds = {name: one.get("kind") for name, one in ranges.items() if isinstance(one, dict)}
    for name, kind in kinds.items():
        if kind in ("continuous", "integer"):
            message = "a grid has categorical ranges only"
            document.problem((*_AT, "ranges", name, "kind"), message, allowed="categorical, or another strategy")
    found = [one.get("values") for one in ranges.values() if isinstance(one, dict)]
    lists: list[list[Any]] = [one for one in found if isinstance(one, list)]
    if len(lists) == len(ranges):
        combinations = math.prod([len(one) for one in lists])
        if whole(most) and most != combinations:
            message = f"a grid tries each combination once, and there are {combinations}"
            document.problem((*_AT, "max_jobs"), message, allowed=str(combinations))


def _check_wait(pair: Pair, tuning: dict[str, Any]) -> None:
    """A deploy waits for all training jobs, one turn after the other."""
    most, parallel = (
        tuning.get("max_jobs"),
        tuning.get("parallel_jobs", TuningSpec.model_fields["parallel_jobs"].default),
    )
    key = "max_wait_minutes" if pair.setting("train", "spot").value is True else "max_runtime_minutes"
    minutes = pair.setting("train", key).value or TrainSpec.model_fields[key].default
    if not (whole(most) and whole(parallel) and whole(minutes)) or not 0 < parallel <= most:
        return
    turns = -(-most // parallel)
    if minutes <= LONGEST_JOB_MINUTES < turns * minutes:  # a job that is too long by itself is reported already
        tune = pair.setting("train", "tune")
        tune.document.problem(
            tune.path,
            f"{turns} turns of {parallel} jobs, each of up to {minutes} minutes, are longer than a deploy can wait",
            allowed=f"max_jobs / parallel_jobs x {key} of at most {LONGEST_JOB_MINUTES} minutes",
        )


def _check_overrides(pair: Pair, ranges: dict[str, Any]) -> None:
    path: KeyPath = ("workloads", pair.name, "hyperparameters")
    written = pair.environment.at(path)
    for name in written if isinstance(written, dict) else ():
        if name in ranges:
            message = "this deploy tunes it: one value would have no effect"
            pair.environment.problem((*path, name), message, allowed="tune: false, or no such key")


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
