"""Jobs: those that a deploy runs by custom resources, and those of a pipeline's steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.review.assembly import Resource
from operations.review.cost.line import Line
from operations.review.cost.reading import at, document, mapping, sequence
from operations.review.cost.scene import Scene
from operations.words import count as counted
from sandcastle.config.catalogue import HOURS_PER_MONTH, PricedUse

_NAMES = {
    "Custom::SandcastleDataset": "preparing the data",
    "Custom::SandcastleTrainedModel": "training",
    "Custom::SandcastleBaseline": "a monitor's baseline",
    "Custom::SandcastleEvaluation": "judging the model",
}


@dataclass(frozen=True)
class Job:
    """Instances that a job, or each of ``times`` jobs, has; None for what is only known when it runs."""

    use: PricedUse
    instance: str | None
    count: float | None
    times: float = 1
    limit_minutes: float | None = None
    spot: bool = False
    disk_gb: float | None = None

    def minutes(self, assumed: float) -> float:
        """Return for how long its instances are billed: no longer than it may run."""
        return assumed if self.limit_minutes is None else min(assumed, self.limit_minutes)

    def instance_hours(self, assumed: float) -> float | None:
        """Return the hours of all its instances together."""
        return None if self.count is None else self.count * self.times * self.minutes(assumed) / 60

    @property
    def words(self) -> str:
        """What runs, in words."""
        size = f"{self.count:g}" if self.count is not None else "?"
        return (f"{self.times:g} jobs of " if self.times != 1 else "") + f"{size} x {self.instance or '?'}"


def requested(resource: Resource) -> bool:
    """Whether a custom resource says which job its function starts."""
    return "Request" in resource.properties and jobs_of(document(resource.properties["Request"])) != []


def jobs_of(request: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> list[Job]:
    """Return the jobs of a request to SageMaker (CreateProcessingJob, ...), or of a pipeline step's arguments."""
    known = parameters or {}
    limit = at(request, "StoppingCondition", "MaxRuntimeInSeconds")
    if "ProcessingResources" in request:
        return [_job("processing", at(request, "ProcessingResources", "ClusterConfig"), limit, known)]
    if "TransformResources" in request:
        return [_job("transform", request["TransformResources"], None, known)]
    if "TrainingJobDefinition" in request:
        times = at(request, "HyperParameterTuningJobConfig", "ResourceLimits", "MaxNumberOfTrainingJobs")
        inner = jobs_of(mapping(request["TrainingJobDefinition"]), known)
        return [Job(**{**vars(one), "times": _figure(times, known) or 1}) for one in inner]
    if "ResourceConfig" in request:
        spot = request.get("EnableManagedSpotTraining") is True
        return [_job("training", request["ResourceConfig"], limit, known, spot=spot)]
    return []


def job(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what the job of a custom resource costs: it runs when a deploy finds that its inputs changed."""
    name = _NAMES.get(resource.type, "a job of the deploy")
    yield from lines(scene, resource, name, jobs_of(document(resource.properties.get("Request"))))


def pipeline(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what a run of a pipeline costs, by the kind of its jobs."""
    definition = resource.properties.get("PipelineDefinition")
    body = document(mapping(definition).get("PipelineDefinitionBody", definition))
    written = [mapping(one) for one in sequence(body.get("Parameters"))]
    parameters = {f"Parameters.{one.get('Name')}": one.get("DefaultValue") for one in written}
    found = [
        one for step in _steps(body.get("Steps"), 0) for one in jobs_of(mapping(step.get("Arguments")), parameters)
    ]
    if not body:
        yield scene.unpriced(resource, "run", "a pipeline's runs", "use", "its definition is not in the template")
    yield from lines(scene, resource, f"a run of pipeline {resource.path}", found)


def lines(scene: Scene, resource: Resource, name: str, jobs: list[Job]) -> Iterator[Line]:
    """Yield a line for each instance type and use, and one for the disks while the jobs run."""
    minutes, times = scene.assumed.job_minutes, scene.assumed.trainings
    kinds = sorted({(one.use, one.instance or "") for one in jobs})
    for use, instance in kinds:
        alone = sum(1 for one, _ in kinds if one == use) == 1
        same = [one for one in jobs if (one.use, one.instance or "") == (use, instance)]
        hours = [one.instance_hours(minutes) for one in same]
        each = None if None in hours else sum(one for one in hours if one is not None)
        how = f"{times:g} a month, {_together(same)}, {same[0].minutes(minutes):g} min each"
        if any(one.spot for one in same):
            how += ", at the price on demand: spot capacity costs less"
        found = scene.instance(
            resource, use if alone else f"{use} {instance}", name if len(kinds) == 1 else f"{name}, {use}", "use",
            use, instance or None,
            None if each is None else each * times, how, unit="run",
        )  # fmt: skip
        if found.each is not None:
            found = found.changed(each=None if each is None else found.each * each)
        yield found
    for use in sorted({one.use for one in jobs if one.use in ("processing", "training")}):
        sizes = [_gigabyte_months(one, minutes) for one in jobs if one.use == use]
        size = None if None in sizes else sum(one for one in sizes if one is not None)
        yield scene.item(
            resource, f"{use} disk", f"disks of {use} jobs", "use", f"{use} storage",
            None if size is None else size * times, "for as long as the jobs run",
        )  # fmt: skip


def _together(jobs: list[Job]) -> str:
    if len(jobs) == 1:
        return jobs[0].words
    return f"{counted(int(sum(one.times for one in jobs)), 'job')} on {jobs[0].instance or '?'}"


def _gigabyte_months(one: Job, minutes: float) -> float | None:
    hours = one.instance_hours(minutes)
    return None if hours is None or one.disk_gb is None else one.disk_gb * hours / HOURS_PER_MONTH


def _job(use: PricedUse, cluster: Any, limit: Any, known: Mapping[str, Any], *, spot: bool = False) -> Job:
    instance, seconds = _value(at(cluster, "InstanceType"), known), _figure(limit, known)
    return Job(
        use,
        instance if isinstance(instance, str) else None,
        _figure(at(cluster, "InstanceCount"), known),
        limit_minutes=None if seconds is None else seconds / 60,
        spot=spot,
        disk_gb=_figure(at(cluster, "VolumeSizeInGB"), known),
    )


def _value(value: Any, known: Mapping[str, Any]) -> Any:
    """Return the value, that of a pipeline's parameter in place of ``{"Get": "Parameters.X"}``."""
    return known.get(str(value["Get"])) if isinstance(value, Mapping) and set(value) == {"Get"} else value


def _figure(value: Any, known: Mapping[str, Any]) -> float | None:
    found = _value(value, known)
    try:
        return None if isinstance(found, bool) else float(found)
    except (TypeError, ValueError):
        return None


def _steps(steps: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield all steps, those behind conditions too: a run reckoned high rather than low."""
    for step in sequence(steps):
        yield mapping(step)
        for branch in ("IfSteps", "ElseSteps") if depth < 20 else ():
            yield from _steps(at(step, "Arguments", branch), depth + 1)
