"""Endpoints that nobody watches: without a monitor of what they are asked, or without a budget over what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from operations.review.assembly import Assembly, Resource, Stack
from operations.review.cascade import exported
from operations.review.change import Concern, Key
from operations.review.values import imports, plain, references

_ENDPOINT = "AWS::SageMaker::Endpoint"
_CONFIG = "AWS::SageMaker::EndpointConfig"
_SCHEDULES = ("AWS::SageMaker::MonitoringSchedule", "AWS::Scheduler::Schedule")
_STEPS = 4
"""How far a schedule may be from its endpoint: schedule, job definition, endpoint; one more for what is between."""


def endpoint_concerns(base: Assembly, head: Assembly) -> Iterator[Concern]:
    """Yield endpoints that are new or lost something, and are now without monitor, capture or budget."""
    watched = monitored(base), monitored(head)
    budget = _has_budget(base), _has_budget(head)
    for key, one in _endpoints(head).items():
        config = _config(one, head)
        old = _endpoints(base).get(key)
        new = old is None
        if key not in watched[1] and key in watched[0]:
            words = "its last monitor is removed: nobody sees any more whether its data drift"
            yield Concern("endpoint-unmonitored", one.stack, one.path, words, blocks=True)
        elif new and key not in watched[1] and _can_be_monitored(config):
            yield Concern("endpoint-unmonitored", one.stack, one.path, "a new endpoint without a monitor", blocks=True)
        if old is not None and _captures(_config(old, base)) and not _captures(config):
            words = "data capture is off: what it is asked is not kept" + (
                ", and its monitors have nothing to look at" if key in watched[1] else ""
            )
            yield Concern("capture-off", one.stack, one.path, words, blocks=key in watched[1])
        if not budget[1] and (new or budget[0]):
            words = "there is no budget (AWS::Budgets::Budget) over it" + (" any more" if budget[0] else "")
            yield Concern("endpoint-unbudgeted", one.stack, one.path, words, blocks=True)
        if old is not None and _kind(_config(old, base)) == "real-time" and _kind(config) == "serverless":
            words = (
                "SageMaker does not turn an endpoint on instances into a serverless one (developer guide, serverless "
                "inference: ValidationError); it needs another name, or to be deleted first"
            )
            yield Concern("deploy-fails", one.stack, one.path, words, blocks=True)


def monitored(assembly: Assembly) -> set[Key]:
    """Return the endpoints that some enabled schedule leads to."""
    resources = {(one.stack, one.logical_id): one for one in assembly.resources()}
    exports = dict(exported(assembly))
    names = {str(plain(one.properties.get("EndpointName"))): key for key, one in _endpoints(assembly).items()}
    found: set[Key] = set()
    for key, one in resources.items():
        if one.type not in _SCHEDULES or one.properties.get("State") == "DISABLED":
            continue
        reached, edge = {key}, {key}
        for _ in range(_STEPS):
            edge = {used for at in edge if at in resources for used in _used(resources[at], exports, names)} - reached
            edge = {at for at in edge if at in resources and resources[at].type != _CONFIG}
            reached |= edge
        found |= {at for at in reached if resources[at].type == _ENDPOINT}
    return found


def _used(one: Resource, exports: Mapping[str, list[tuple[str, str, str]]], names: Mapping[str, Key]) -> set[Key]:
    """Return what the resource refers to; an endpoint also by its name, written out."""
    if one.type == _ENDPOINT:
        return set()
    found = {(one.stack, logical_id) for logical_id, _ in references(one.properties)}
    found |= {at[:2] for export in imports(one.properties) for at in exports.get(export, ())}
    if one.type.endswith("JobDefinition") or one.type in _SCHEDULES:
        text = str(plain(dict(one.properties)))
        found |= {key for name, key in names.items() if name != "None" and name in text}
    return found


def _endpoints(assembly: Assembly) -> dict[Key, Resource]:
    return {(one.stack, one.logical_id): one for one in assembly.resources() if one.type == _ENDPOINT}


def _config(endpoint: Resource, assembly: Assembly) -> Resource | None:
    stack: Stack = assembly.stacks[endpoint.stack]
    used = {name for name, _ in references(endpoint.properties.get("EndpointConfigName"))}
    return next((one for key, one in stack.resources.items() if key in used and one.type == _CONFIG), None)


def _kind(config: Resource | None) -> str:
    """Return how the endpoint answers: ``real-time``, ``async``, ``serverless``, or ``unknown``."""
    if config is None:
        return "unknown"
    if config.properties.get("AsyncInferenceConfig"):
        return "async"
    variants = config.properties.get("ProductionVariants")
    parts = [one for one in variants if isinstance(one, Mapping)] if isinstance(variants, list) else []
    if any("ServerlessConfig" in one for one in parts):
        return "serverless"
    return "real-time" if parts else "unknown"


def _can_be_monitored(config: Resource | None) -> bool:
    """Say whether Model Monitor can watch it: no serverless endpoint captures data (developer guide, exclusions)."""
    return _kind(config) in ("real-time", "unknown")


def _captures(config: Resource | None) -> bool:
    capture = config.properties.get("DataCaptureConfig") if config else None
    if not isinstance(capture, Mapping) or capture.get("EnableCapture") in (False, "false"):
        return False
    return capture.get("InitialSamplingPercentage") not in (0, "0")


def _has_budget(assembly: Assembly) -> bool:
    return any(one.type == "AWS::Budgets::Budget" for one in assembly.resources())
