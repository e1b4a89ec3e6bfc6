"""What must hold of the sections ``endpoint`` and ``serve`` beyond their shape: what goes with which kind of endpoint.

Unlike the other checks these read the sections typed, since most are about what was written at all; a section that is
not of its shape is reported already, and passed over.
"""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import ValidationError

from sandcastle.config import catalogue
from sandcastle.config.checks import Pair, Setting
from sandcastle.config.problem import listed, nearest
from sandcastle.config.serving import Serve, served
from sandcastle.config.serving_spec import MAIN, MEMORY, EndpointKind, EndpointOverride, ServeSpec
from sandcastle.config.yaml_lines import KeyPath

_NO_ENDPOINT = "a model without an endpoint has nothing to set"
_WHERE: dict[str, tuple[tuple[EndpointKind, ...], str]] = {
    "instance": (("real-time", "async"), "a serverless endpoint has no instances"),
    "instances": (("real-time", "async"), "a serverless endpoint has no instances"),
    "capture_percent": (
        ("real-time",),
        "SageMaker captures data of real-time endpoints only; what an asynchronous one reads and writes lies in S3",
    ),
    "variants": (("real-time",), "only a real-time endpoint divides requests among variants"),
    "scaling": (("real-time", "async"), "SageMaker scales a serverless endpoint by itself, up to max_concurrency"),
    "deployment": (
        ("real-time",),
        "only a real-time endpoint is updated step by step: it has requests to divide and alarms that watch them",
    ),
    "memory_mb": (("serverless",), "instances have the memory of their type; only a serverless endpoint chooses it"),
    "max_concurrency": (("serverless",), "only a serverless endpoint has a limit of its own"),
    "concurrency": (("async",), "only an asynchronous endpoint is told how much to take at a time"),
}
"""Keys that do not go with every kind: those that they go with, and why not with others."""

LONGEST_UPDATE_MINUTES = 480
"""BlueGreenUpdatePolicy, MaximumExecutionTimeoutInSeconds: 28,800 at most."""

FLEET_MINUTES = 60
"""What an update may take beside its waiting: new instances start, the container answers its first health check."""

_BURSTABLE = ("ml.t2.", "ml.t3.")


def serve_of(pair: Pair) -> Serve | None:
    """Return how the workload is served, for reckoning: a section that is not of its shape counts by its instance.

    None when it names none.
    """
    own, instance = _own(pair), pair.setting("endpoint", "instance", own="serve").value
    if own is None or not isinstance(instance, str):
        return None
    return served(own, _endpoint(pair) or EndpointOverride(instance=instance), {})


def check_serving(pair: Pair, root: Path) -> None:
    """Note every contradiction in how a workload is served. ``root`` is the project's folder."""
    _check_script(pair, root / "assets" / "workloads" / pair.name)
    if pair.has_pipeline:
        return  # ``checks_pipeline`` says what goes with one
    endpoint, own = _endpoint(pair), _own(pair)
    if endpoint is None or own is None:
        return
    serve = served(own, endpoint, {})
    place = _Place(pair)
    _check_kind(place, endpoint)
    _check_variants(place, endpoint, trains=pair.workload.at(("train", "artifact")) is None)
    _check_scaling(place, endpoint, serve)
    _check_deployment(place, endpoint, serve)
    if endpoint.memory_mb not in MEMORY:
        allowed = ", ".join(str(one) for one in MEMORY)
        place.problem("memory_mb", message="serverless memory comes in whole gigabytes", allowed=allowed)


def check_hosting(pair: Pair, region: str) -> None:
    """Note instance types that the region does not offer for hosting."""
    offered = catalogue.instance_types("hosting", region)
    settings = [pair.setting("endpoint", "instance", own="serve")]
    variants = pair.environment.at(("workloads", pair.name, "endpoint", "variants"))
    for name in variants if isinstance(variants, dict) else ():
        path: KeyPath = ("workloads", pair.name, "endpoint", "variants", name, "instance")
        settings.append(Setting(pair.environment.at(path), pair.environment, path))
    for setting in settings:
        if isinstance(setting.value, str) and offered and setting.value not in offered:
            setting.document.problem(
                setting.path,
                f"not an instance type for hosting in {region}{nearest(setting.value, offered)}",
                allowed=listed(offered, setting.value),
            )


class _Place:
    """The section ``endpoint`` of one workload in an environment file."""

    def __init__(self, pair: Pair) -> None:
        self._document = pair.environment
        self._path: KeyPath = ("workloads", pair.name, "endpoint")

    def problem(self, *keys: str, message: str, allowed: str, show_value: bool = True) -> None:
        self._document.problem((*self._path, *keys), message, allowed=allowed, show_value=show_value)


def _check_kind(place: _Place, endpoint: EndpointOverride) -> None:
    """Note keys that do not go with the kind; a zero of capture goes with every kind."""
    written = endpoint.model_fields_set - {"kind"}
    if endpoint.kind == "none":
        for key in sorted(written):
            place.problem(key, message=f"kind none: {_NO_ENDPOINT}", allowed="no such key, or another kind")
        return
    for key in sorted(written & _WHERE.keys()):
        kinds, why = _WHERE[key]
        if endpoint.kind not in kinds and not (key == "capture_percent" and endpoint.capture_percent == 0):
            place.problem(key, message=f"kind {endpoint.kind}: {why}", allowed=f"kind {' or '.join(kinds)}")


def _check_variants(place: _Place, endpoint: EndpointOverride, *, trains: bool) -> None:
    for name, variant in endpoint.variants.items():
        if variant.hyperparameters and not trains:
            message = "the workload's model is a pre-trained archive: nothing is trained, with these or others"
            place.problem("variants", name, "hyperparameters", message=message, allowed="no such key")
    if MAIN in endpoint.variants:
        place.problem(
            "variants", MAIN, message="is the variant that every endpoint has, with weight 1", allowed="another name"
        )


def _check_scaling(place: _Place, endpoint: EndpointOverride, serve: Serve) -> None:
    scaling = endpoint.scaling
    if scaling is None or endpoint.kind not in _WHERE["scaling"][0]:
        return
    wanted, other = ("invocations_per_minute", "backlog_per_instance")
    if endpoint.kind == "async":
        wanted, other = other, wanted
    if getattr(scaling, other) is not None:
        why = "requests to an asynchronous endpoint wait in a queue" if endpoint.kind == "async" else "no request waits"
        place.problem("scaling", other, message=f"kind {endpoint.kind}: {why}", allowed=f"{wanted} in its place")
    elif getattr(scaling, wanted) is None:
        place.problem("scaling", wanted, message="this key is required and missing", allowed="a number above 0")
    if scaling.min == 0 and endpoint.kind == "real-time":
        message = "only an asynchronous endpoint can do without any instance: requests wait for the first"
        place.problem("scaling", "min", message=message, allowed="1 or more, or kind async")
    if scaling.min > scaling.max:
        place.problem("scaling", "min", message="more than max", allowed=f"at most {scaling.max}")
    for variant in serve.variants:
        keys = ("instances",) if variant.name == MAIN else ("variants", variant.name, "instances")
        if not scaling.min <= variant.instances <= scaling.max and scaling.min <= scaling.max:
            least = max(scaling.min, 1)
            place.problem(
                *keys, message="scaling would change it at once", allowed=f"{least} to {scaling.max}, as in scaling"
            )
        if variant.instance.startswith(_BURSTABLE):
            message = "burstable instances cannot be scaled by their load (Application Auto Scaling refuses them)"
            place.problem("scaling", message=message, allowed="an instance type that is not ml.t2 or ml.t3")


def _check_deployment(place: _Place, endpoint: EndpointOverride, serve: Serve) -> None:
    deployment = endpoint.deployment
    if deployment is None or endpoint.kind not in _WHERE["deployment"][0]:
        return
    if deployment.kind == "all-at-once":
        if "percent" in deployment.model_fields_set:
            message = "all-at-once has no steps: all requests go over together"
            place.problem("deployment", "percent", message=message, allowed="kind: canary or linear, or no such key")
        return
    if deployment.kind == "linear" and deployment.percent < 10:
        place.problem("deployment", "percent", message="a step of linear is at least 10 percent", allowed="10 to 50")
    if any(variant.instances < 2 for variant in serve.variants):
        message = f"{deployment.kind} goes over in whole instances, at most half of them at a time"
        allowed = "instances: 2 or more for each variant, or kind: all-at-once"
        place.problem("deployment", "kind", message=message, allowed=allowed)
    minutes = deployment.wait_minutes * steps(deployment.kind, deployment.percent)
    if minutes + FLEET_MINUTES > LONGEST_UPDATE_MINUTES:
        most = (LONGEST_UPDATE_MINUTES - FLEET_MINUTES) // steps(deployment.kind, deployment.percent)
        message = f"all steps together wait {minutes} minutes; SageMaker gives an update up after 8 hours"
        place.problem("deployment", "wait_minutes", message=message, allowed=f"1 to {most}, or a larger percent")


def steps(kind: str, percent: int) -> int:
    """Return in how many steps requests go over; after each the alarms watch for a while."""
    return {"all-at-once": 1, "canary": 2}.get(kind) or math.ceil(100 / percent)


def _check_script(pair: Pair, folder: Path) -> None:
    framework = pair.workload.at(("train", "framework"))
    script = pair.workload.at(("serve", "script"))
    path: KeyPath = ("serve", "script")
    if framework is None and script is not None:
        message = "the container of an algorithm answers by itself; only a framework's runs a script"
        pair.workload.problem(path, message, allowed="framework: ... below train, or no such key")
    elif isinstance(framework, str) and script is None:
        message = "a framework's container needs a script that loads the model and answers"
        pair.workload.problem(path, message, allowed="a file of the folder, such as inference.py")
    elif isinstance(script, str) and not (folder / script).is_file():
        pair.workload.problem(path, "there is no such file in the workload's folder", allowed="a file of the folder")


def _own(pair: Pair) -> ServeSpec | None:
    try:
        return ServeSpec.model_validate(pair.workload.at(("serve",)))
    except ValidationError:
        return None


def _endpoint(pair: Pair) -> EndpointOverride | None:
    workload = pair.environment.at(("workloads", pair.name))
    try:
        return EndpointOverride.model_validate(workload.get("endpoint", {}) if isinstance(workload, dict) else {})
    except ValidationError:
        return None
