"""What must hold of a workload's monitors: an endpoint that captures, and a model that can be judged.

What transform jobs are asked needs neither: there is a model, whatever the kind of the endpoint.
"""

from __future__ import annotations

from typing import Any

from sandcastle.config import catalogue
from sandcastle.config.checks import Pair
from sandcastle.config.checks_pipeline import NO_SCRIPT
from sandcastle.config.monitoring import BATCH, MONITOR_IMAGE, PORTABLE_IMAGE
from sandcastle.config.yaml_lines import Document, KeyPath

_CAPTURE = "SageMaker captures data of real-time endpoints only, and a monitor reads what is captured"


def check_monitors(pair: Pair) -> None:
    """Note whatever does not go with the workload's monitors, if it has some."""
    at: KeyPath = ("workloads", pair.name, "monitors")
    if not pair.monitors:
        return
    if pair.has_pipeline:
        message = "a pipeline brings its own two monitors, which compare with the version that it deployed, each hour"
        pair.environment.problem(at, message, allowed="no such key beside a pipeline", show_value=False)
        return
    if set(pair.monitors) != {BATCH}:
        _check_endpoint(pair, at)
    if "model-quality" in pair.monitors:
        _check_model(pair, at)


def check_engine(document: Document, pairs: list[Pair], region: str | None) -> None:
    """Note an engine that the region does not have."""
    at: KeyPath = ("monitoring", "engine")
    engine = document.at(at)
    watched = [pair for pair in pairs if pair.monitors or pair.has_pipeline]
    image = {"model-monitor": MONITOR_IMAGE, "portable": PORTABLE_IMAGE}.get(str(engine), "")
    if watched and region and image and catalogue.image_uri(image, region) is None:
        document.problem(at, f"needs the image {image!r}, which AWS does not publish in {region}", allowed="auto")


def _check_endpoint(pair: Pair, at: KeyPath) -> None:
    endpoint: KeyPath = ("workloads", pair.name, "endpoint")
    kind = pair.environment.at((*endpoint, "kind"))
    if kind not in (None, "real-time"):
        allowed = f"endpoint.kind real-time, {BATCH} alone, or no monitors"
        pair.environment.problem(at, f"endpoint.kind {kind}: {_CAPTURE}", allowed=allowed, show_value=False)
        return
    if pair.environment.at((*endpoint, "capture_percent")) == 0:
        message = "the monitors read what the endpoint captures, and this captures nothing"
        pair.environment.problem((*endpoint, "capture_percent"), message, allowed="1 to 100, or no monitors")
    variants: Any = pair.environment.at((*endpoint, "variants"))
    for name, variant in variants.items() if isinstance(variants, dict) else ():
        if isinstance(variant, dict) and variant.get("hyperparameters"):
            message = "a variant with a model of its own: one baseline cannot stand for two models"
            allowed = "no hyperparameters, or no monitors"
            pair.environment.problem((*endpoint, "variants", name, "hyperparameters"), message, allowed=allowed)


def _check_model(pair: Pair, at: KeyPath) -> None:
    """Note a model whose answers nothing can compare with the truth before it serves."""
    algorithm = pair.workload.at(("train", "algorithm"))
    if pair.workload.at(("evaluate", "kind")) == "clusters":
        message = "model-quality: a cluster has no label that it could be compared with"
    elif algorithm in NO_SCRIPT:
        message = f"model-quality: the image of {algorithm} runs no script of ours, so that nothing makes its baseline"
    else:
        return
    pair.environment.problem(at, message, allowed="data-quality", show_value=False)
