"""What runs by a schedule: the jobs of monitors, whichever engine starts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.review.assembly import Resource
from operations.review.cost.jobs import Job, jobs_of
from operations.review.cost.line import Line
from operations.review.cost.reading import at, document, mapping, number, target, text, word
from operations.review.cost.scene import Scene
from operations.review.cost.times import firings
from sandcastle.config.catalogue import HOURS_PER_MONTH
from sandcastle.config.idle import PIPELINE_MONITORS, WATCHING_MINUTES

METRICS_OF_A_COLUMN = 3
"""At most, by either engine (docs/monitoring.md)."""


def schedule(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what the jobs of a schedule of Model Monitor cost: it fires for ever, whether or not anybody asks."""
    config = mapping(resource.properties.get("MonitoringScheduleConfig"))
    definition = scene.stack.resources.get(target(config.get("MonitoringJobDefinitionName")) or "")
    inline = config.get("MonitoringJobDefinition")
    cluster = at(definition.properties, "JobResources", "ClusterConfig") if definition else None
    cluster = cluster or at(inline, "MonitoringResources", "ClusterConfig")
    limits = definition.properties if definition else inline
    seconds = number(at(limits, "StoppingCondition", "MaxRuntimeInSeconds"), scene.stack)
    job = Job(
        "processing",
        word(at(cluster, "InstanceType"), scene.stack),
        number(at(cluster, "InstanceCount"), scene.stack),
        limit_minutes=None if seconds is None else seconds / 60,
    )
    yield from looks(scene, resource, _named(resource), job, _expression(config))


def scheduled(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what a schedule of EventBridge Scheduler starts, if it is a job; calls alone cost nothing worth a line."""
    target_ = mapping(resource.properties.get("Target"))
    told = document(target_.get("Input"))
    expression = text(resource.properties.get("ScheduleExpression"))
    for one in jobs_of(mapping(told.get("request"))) or jobs_of(told):
        yield from looks(scene, resource, _named(resource) if "request" in told else "a scheduled job", one, expression)
    if text(target_.get("Arn")).endswith("startPipelineExecution") or "SageMakerPipelineParameters" in target_:
        yield scene.unpriced(
            resource, "runs", "runs of a pipeline by schedule", "fixed", "each costs what a run costs, listed by use"
        )


def _metrics(scene: Scene, resource: Resource, part: str) -> Line:
    """Return the line of the metrics that a monitor of data quality writes, by the hour in which they have a value."""
    assumed = scene.assumed
    units = METRICS_OF_A_COLUMN * assumed.columns * min(1.0, assumed.asked_hours / HOURS_PER_MONTH)
    how = f"{METRICS_OF_A_COLUMN} of each of {assumed.columns:g} columns, asked in {assumed.asked_hours:g} h a month"
    return scene.item(resource, part, "metrics of a monitor", "use", "custom metric", units, how)


def looks(scene: Scene, resource: Resource, what: str, job: Job, expression: str) -> Iterator[Line]:
    """Yield the line of a job that a schedule starts again and again, and what the night takes off it."""
    times, hours = firings(expression), job.instance_hours(WATCHING_MINUTES)
    each_hour = times is not None and abs(times - HOURS_PER_MONTH) < 1
    if times is None:
        yield scene.unpriced(resource, "looks", what, "fixed", f"how often {expression} fires is not known here")
        return
    how = f"{times:,.0f} runs of {job.minutes(WATCHING_MINUTES):g} min on {job.words}"
    line = scene.instance(
        resource, "looks", what, "fixed", job.use, job.instance, None if hours is None else hours * times, how
    )
    yield line
    if each_hour and (away := scene.night(line)):
        yield away
    if "DataQuality" in what:
        yield _metrics(scene, resource, "metrics")


def watched_by_pipeline(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield the two monitors of the endpoint that a pipeline deploys; its function makes them with the endpoint."""
    instance = word(at(resource.properties, "Environment", "Variables", "MONITOR_INSTANCE"), scene.stack)
    for number_, gap in enumerate(PIPELINE_MONITORS):
        times = HOURS_PER_MONTH / gap
        line = scene.instance(
            resource, f"looks {number_}", ("monitor DataQuality", "monitor ModelQuality")[number_], "fixed",
            "processing", instance, times * WATCHING_MINUTES / 60,
            f"{times:,.0f} runs of {WATCHING_MINUTES} min on 1 x {instance or '?'}, once a run has deployed",
        )  # fmt: skip
        yield line
        if away := scene.night(line):
            yield away
    yield _metrics(scene, resource, "metrics")


def _named(resource: Resource) -> str:
    """Return which monitor a schedule is of: the construct that it is in."""
    return f"monitor {(resource.path.split('/')[-2:])[0]}"


def _expression(config: Any) -> str:
    return text(at(config, "ScheduleConfig", "ScheduleExpression"))
