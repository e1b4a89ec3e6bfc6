"""How each kind is removed, and in which order: triggers, what runs, what it is made of, what it writes to, roles.

The order is that of the fact sheet on teardown, 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from operations.audit.finding import Finding
from operations.sweep import identity, network, running, studio
from operations.sweep.storage import bucket, event_rule
from operations.sweep.turns import insist
from operations.target import Target


@dataclass(frozen=True)
class Step:
    """One kind: ``remove`` is called for each finding, side by side, and ``first`` once with all of them before."""

    kind: str
    remove: Callable[[Target, Finding], None]
    first: Callable[[Target, Sequence[Finding]], None] | None = None


def call(target: Target, finding: Finding) -> None:
    """Make the one call that removes it; a refusal that passes is waited out, what is gone is gone."""

    def turn() -> str:
        finding.removal.make(target)
        return ""

    insist(target, turn, 10)


ORDER = (
    Step("schedule", call),
    Step("schedule group", call),
    Step("event rule", event_rule),
    Step("pipeline execution", running.execution),
    Step("tuning job", running.job("hyper_parameter_tuning", "HyperParameterTuningJob")),
    Step("training job", running.training),
    Step("processing job", running.job("processing", "ProcessingJob")),
    Step("transform job", running.job("transform", "TransformJob")),
    Step("warm pool", running.warm_pool),
    Step("monitoring schedule", running.schedule),
    Step("data quality job definition", call),
    Step("model quality job definition", call),
    Step("model bias job definition", call),
    Step("model explainability job definition", call),
    Step("pipeline", call),
    Step("scalable target", call),
    Step("inference component", running.until_gone("describe_inference_component", "InferenceComponentStatus", 60)),
    Step("endpoint", running.until_gone("describe_endpoint", "EndpointStatus", running.ENDPOINT_MINUTES)),
    Step("endpoint config", call),
    Step("model", call),
    Step("model package", call),
    Step("model package group", running.package_group),
    Step("app", studio.app),
    Step("space", running.until_gone("describe_space", "Status", 15)),
    Step("user profile", running.until_gone("describe_user_profile", "Status", 15)),
    Step("domain", running.until_gone("describe_domain", "Status", 30)),
    Step("studio lifecycle config", call),
    Step("notebook instance", running.notebook),
    Step("notebook lifecycle config", call),
    Step("feature group", running.until_gone("describe_feature_group", "FeatureGroupStatus", 20)),
    Step("MLflow server", running.until_gone("describe_mlflow_tracking_server", "TrackingServerStatus", 90)),
    Step("MLflow app", running.until_gone("describe_mlflow_app", "Status", 90)),
    Step("budget action", identity.action),
    Step("budget", call),
    Step("state machine", call),
    Step("function", call),
    Step("alarm", call),
    Step("dashboard", call),
    Step("topic", call),
    Step("bucket", bucket),
    Step("file system", network.file_system),
    Step("mount target", network.mount_target),
    Step("vpc endpoint", call),
    Step("network interface", network.interface),
    Step("Studio security group", call, first=network.disentangle),
    Step("security group", call, first=network.disentangle),
    Step("subnet", call),
    Step("route table", call),
    Step("vpc", call),
    Step("policy", identity.policy),
    Step("role", identity.role),
    Step("log stream", call),
    Step("log group", call),
)
"""Stacks are not among them: they are deleted by CloudFormation."""

_KINDS = [step.kind for step in ORDER]

_AT_RUN_TIME = frozenset(
    [
        *_KINDS[_KINDS.index("pipeline execution") : _KINDS.index("budget action")],
        "file system",
        "mount target",
        "Studio security group",
    ]
)

NEEDS_ITS_ROLE = frozenset(_KINDS[_KINDS.index("pipeline execution") : _KINDS.index("app")])
"""Kinds that run under a role, which SageMaker also needs to end them."""


def holds_stacks_back(finding: Finding) -> bool:
    """Say whether it can keep a stack from going: what runs, and what SageMaker keeps in the network.

    Schedules cannot: their group takes them along. Those that end the environment's life are to stay until then.

    Of interfaces, those that nothing uses any more; the others go with what uses them.
    """
    return finding.kind in _AT_RUN_TIME or (finding.kind == "network interface" and finding.state == "available")
