"""What must hold of a workload's training beyond the shape: one way to a model, and only the keys that go with it.

Like ``checks`` it reads raw values and skips what is reported already.
"""

from __future__ import annotations

import re
from typing import Any

from sandcastle.config.catalogue import ALGORITHMS, FRAMEWORKS
from sandcastle.config.checks import Pair, whole
from sandcastle.config.problem import nearest
from sandcastle.config.training_spec import TrainSpec
from sandcastle.config.yaml_lines import Document, KeyPath

RESERVED = "sagemaker_"
"""What the names of hyperparameters begin with that tell a framework's container which script to run."""

_WITH_AN_ARTIFACT = ("algorithm", "framework", "artifact")


def check_training(pair: Pair) -> None:
    """Note every contradiction in how the workload's model comes about."""
    train = pair.workload.at(("train",))
    if not isinstance(train, dict):
        return
    _check_source(pair, train)
    if "artifact" in train:
        _check_artifact(pair, train)
        return
    for key, allowed in (("instance", "an instance type"), ("channels", "a map of channel to its content type")):
        if key not in train:
            pair.workload.problem(("train", key), "this key is required and missing", allowed=allowed, show_value=False)
    _check_script(pair, train)
    _check_metrics(pair, train)
    _check_hyperparameters(pair)
    check_limits(pair)


def check_limits(pair: Pair) -> None:
    """Note training that may run longer than a deploy can wait, and spot limits that contradict each other."""
    runtime = pair.setting("train", "max_runtime_minutes")
    wait = pair.setting("train", "max_wait_minutes")
    spot = pair.setting("train", "spot").value
    for setting in (runtime, *([wait] if spot is True else [])):
        if whole(setting.value) and setting.value > pair.longest_minutes:
            setting.document.problem(setting.path, pair.longest_reason, allowed=f"1 to {pair.longest_minutes} minutes")
    least = runtime.value if runtime.value is not None else TrainSpec.model_fields["max_runtime_minutes"].default
    if spot is True and wait.value is None:
        where = pair.setting("train", "spot")
        message = "spot training needs max_wait_minutes"
        where.document.problem(where.path, message, allowed="at least max_runtime_minutes")
    elif spot is True and whole(wait.value) and whole(least) and wait.value < least:
        wait.document.problem(
            wait.path,
            f"shorter than the training itself may take ({least} minutes)",
            allowed=f"{least} to {pair.longest_minutes} minutes",
        )
    elif not spot and pair.environment.at(("workloads", pair.name, "train", "max_wait_minutes")) is not None:
        pair.environment.problem(wait.path, "only spot training waits", allowed="spot: true beside it, or no such key")


def _check_source(pair: Pair, train: dict[str, Any]) -> None:
    if "algorithm" in train and "framework" in train:
        message = "a model comes from a built-in algorithm or from a framework that runs a script, not from both"
        pair.workload.problem(("train", "framework"), message, allowed="one of algorithm and framework")
    elif "algorithm" not in train and "framework" not in train:
        allowed = f"algorithm: {', '.join(ALGORITHMS)}; or framework: {', '.join(FRAMEWORKS)}"
        pair.workload.problem(("train",), "needs an algorithm or a framework", allowed=allowed)
    for key, known in (("algorithm", ALGORITHMS), ("framework", tuple(FRAMEWORKS))):
        written = train.get(key)
        if isinstance(written, str) and written not in known:
            pair.workload.problem(
                ("train", key), f"no {key} of this version{nearest(written, known)}", allowed=", ".join(known)
            )


def _check_artifact(pair: Pair, train: dict[str, Any]) -> None:
    """With an artifact nothing is trained, so that nothing about training may be asked for, here or there."""
    for document, path, keys in (
        (pair.workload, ("train",), train),
        (pair.environment, ("workloads", pair.name, "train"), _map(pair.environment, pair.name, "train")),
        (pair.environment, ("workloads", pair.name), _map(pair.environment, pair.name)),
    ):
        unused = [key for key in keys if key not in _WITH_AN_ARTIFACT]
        for key in unused if path[-1] == "train" else [key for key in unused if key == "hyperparameters"]:
            message = "nothing is trained here: the artifact is the model already"
            document.problem((*path, key), message, allowed="artifact without it, or it without artifact")
    artifact = train["artifact"]
    if not isinstance(artifact, dict):
        return
    if len(artifact) != 1:
        pair.workload.problem(("train", "artifact"), "needs one place", allowed="file or s3, and not both")
    elif isinstance(artifact.get("file"), str):
        _check_file(pair, ("train", "artifact", "file"), artifact["file"])


def _check_script(pair: Pair, train: dict[str, Any]) -> None:
    script, internet = train.get("script"), train.get("internet")
    if "framework" not in train:
        if script is not None:
            message = "a built-in algorithm runs no script"
            pair.workload.problem(("train", "script"), message, allowed="framework in place of algorithm")
        if internet is True:
            message = "only a script may need the internet: a built-in algorithm trains without"
            pair.workload.problem(("train", "internet"), message, allowed="false, or no such key")
        return
    if script is None:
        message = "a framework runs a script, and none is named"
        pair.workload.problem(("train", "framework"), message, allowed="script: train.py beside it")
    elif isinstance(script, str):
        _check_file(pair, ("train", "script"), script)
    if internet is not True and (pair.folder / "requirements.txt").is_file():
        message = "the folder has a requirements.txt, whose packages come from the internet, and training has none"
        pair.workload.problem(("train", "internet"), message, allowed="internet: true, or no requirements.txt")


def _check_file(pair: Pair, path: KeyPath, name: str) -> None:
    if not (pair.folder / name).is_file():
        files = sorted(file.name for file in pair.folder.glob(f"*{name[name.find('.') :]}"))
        allowed = ", ".join(files) or "a file that is there"
        pair.workload.problem(path, f"no such file in the workload's folder{nearest(name, files)}", allowed=allowed)


def _check_metrics(pair: Pair, train: dict[str, Any]) -> None:
    metrics = train.get("metrics")
    if not isinstance(metrics, dict):
        return
    if "framework" not in train and metrics:
        message = "a built-in algorithm has metrics of its own, which nobody may redefine"
        pair.workload.problem(("train", "metrics"), message, allowed="no such key, or a framework with a script")
        return
    for name, pattern in metrics.items():
        if not isinstance(pattern, str):
            continue
        reason = ""
        try:
            if re.compile(pattern).groups < 1:
                reason = "has no group: the value is what the first pair of parentheses finds"
        except re.error as error:
            reason = f"is no regular expression: {error}"
        if len(pattern) > 500:
            reason = "is longer than SageMaker takes"
        if reason:
            allowed = r"up to 500 characters such as accuracy=(\S+)"
            pair.workload.problem(("train", "metrics", name), reason, allowed=allowed)


def _check_hyperparameters(pair: Pair) -> None:
    for document, path in (
        (pair.workload, ("train", "hyperparameters")),
        (pair.environment, ("workloads", pair.name, "hyperparameters")),
    ):
        for name in _keys(document.at(path)):
            if name.startswith(RESERVED):
                message = "names that begin so are SageMaker's own, which say what script runs"
                document.problem((*path, name), message, allowed="another name")


def _map(document: Document, workload: str, *path: str) -> list[str]:
    return _keys(document.at(("workloads", workload, *path)))


def _keys(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []
