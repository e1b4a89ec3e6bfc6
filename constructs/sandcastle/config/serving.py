"""How a workload is served, as the stacks see it: the environment's settings laid over the workload's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sandcastle.config.base import Hyperparameters, text_of
from sandcastle.config.serving_spec import MAIN, EndpointKind, EndpointOverride, ScalingSpec, ServeSpec


@dataclass(frozen=True)
class Variant:
    """A model on instances that gets a part of the requests: ``weight`` of the sum of all weights.

    ``hyperparameters`` are all of those that its own training has, None where it serves the workload's model.
    """

    name: str
    weight: float
    instance: str
    instances: int
    hyperparameters: Mapping[str, str] | None


@dataclass(frozen=True)
class Scaling:
    """Target tracking for each variant: between two counts of instances, at ``target`` for each instance.

    The target is requests a minute, or for an asynchronous endpoint requests that wait.
    """

    minimum: int
    maximum: int
    target: float


@dataclass(frozen=True)
class Deployment:
    """How an update goes over to the new instances; ``percent`` counts for canary and linear only."""

    kind: Literal["all-at-once", "canary", "linear"]
    percent: int
    wait_minutes: int


@dataclass(frozen=True)
class Serve:
    """How a model is served. ``script`` is set exactly when a framework's container serves.

    ``variants`` begins with ``main`` and is empty where there are no instances: for kinds serverless and none.
    ``memory_mb`` and ``max_concurrency`` count for serverless, ``concurrency`` (of one instance) for async.
    ``instance`` is what a batch transform runs on, too.
    """

    kind: EndpointKind
    instance: str
    content_type: str
    accept: str
    script: str | None
    internet: bool
    capture_percent: int
    variants: tuple[Variant, ...]
    scaling: Scaling | None
    deployment: Deployment | None
    memory_mb: int
    max_concurrency: int
    concurrency: int

    @property
    def variant_names(self) -> tuple[str, ...]:
        """Names of the endpoint's variants, none without an endpoint."""
        if self.kind == "none":
            return ()
        return tuple(one.name for one in self.variants) or (MAIN,)

    @property
    def started_instances(self) -> Counter[str]:
        """How many instances of each type a deployment starts."""
        found = Counter[str]()
        for one in self.variants:
            found[one.instance] += one.instances
        return found

    @property
    def idle_instances(self) -> Counter[str]:
        """How many instances of each type run when nobody asks anything."""
        found = Counter[str]()
        for one in self.variants:
            found[one.instance] += one.instances if self.scaling is None else self.scaling.minimum
        return +found

    @property
    def alarms(self) -> int:
        """How many alarms are billed: of errors and latency, and those that scaling has."""
        watched = 2 * len(self.variants) if self.kind == "real-time" else 0
        scaled = 2 * len(self.variants) if self.scaling else 0
        return watched + scaled + self.scales_to_zero

    @property
    def scales_to_zero(self) -> bool:
        """Whether the endpoint has no instances while nobody asks; then an alarm starts the first."""
        return self.scaling is not None and self.scaling.minimum == 0


def served(own: ServeSpec, endpoint: EndpointOverride, hyperparameters: Hyperparameters) -> Serve:
    """Lay what the environment says over what the workload says. ``hyperparameters`` are those of its training."""
    instance, kind = endpoint.instance or own.instance, endpoint.kind
    main = Variant(MAIN, 1.0, instance, endpoint.instances, None)
    others = tuple(
        Variant(
            name=name,
            weight=one.weight,
            instance=one.instance or instance,
            instances=one.instances or endpoint.instances,
            hyperparameters=None if one.hyperparameters is None else _texts(hyperparameters | one.hyperparameters),
        )
        for name, one in sorted(endpoint.variants.items())
    )
    spec = endpoint.deployment
    return Serve(
        kind=kind,
        instance=instance,
        content_type=own.content_type,
        accept=own.accept,
        script=own.script,
        internet=own.internet,
        capture_percent=endpoint.capture_percent if kind == "real-time" else 0,
        variants=(main, *others) if kind in ("real-time", "async") else (),
        scaling=_scaling(endpoint.scaling),
        deployment=Deployment(spec.kind, spec.percent, spec.wait_minutes) if spec else None,
        memory_mb=endpoint.memory_mb,
        max_concurrency=endpoint.max_concurrency,
        concurrency=endpoint.concurrency,
    )


def _scaling(spec: ScalingSpec | None) -> Scaling | None:
    if spec is None:
        return None
    return Scaling(spec.min, spec.max, spec.invocations_per_minute or spec.backlog_per_instance or 0.0)


def _texts(values: Hyperparameters) -> dict[str, str]:
    return {key: text_of(value) for key, value in sorted(values.items())}
