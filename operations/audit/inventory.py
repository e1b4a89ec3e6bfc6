"""Asks every service what belongs to an environment and adds it up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.audit import (
    budgets,
    dashboards,
    logs,
    monitor_logs,
    network,
    sagemaker,
    scaling,
    schedules,
    stacks,
    storage,
    studio,
    tagged,
)
from operations.audit.call import Clients
from operations.audit.finding import Finding, Memory, Owner
from operations.audit.survey import Collector, Survey

COLLECTORS: dict[str, Collector] = {
    "cloudformation": stacks.stacks,
    **{f"sagemaker {kind.kind}s": sagemaker.collector(kind) for kind in sagemaker.KINDS},
    "sagemaker pipeline executions": sagemaker.executions,
    "sagemaker model packages": sagemaker.packages,
    "sagemaker monitoring runs": sagemaker.monitoring_runs,
    "sagemaker domains": studio.domains,
    "sagemaker user profiles": studio.profiles,
    "sagemaker spaces": studio.spaces,
    "sagemaker apps": studio.apps,
    "s3": storage.buckets,
    "efs": network.file_systems,
    "ec2": network.networks,
    "ec2 network interfaces": network.interfaces,
    "logs": logs.log_groups,
    "logs of jobs, notebooks and apps": logs.log_streams,
    "logs of monitoring jobs": monitor_logs.monitor_streams,
    "cloudwatch alarms": scaling.alarms,
    "cloudwatch dashboards": dashboards.dashboards,
    "application-autoscaling": scaling.scalable_targets,
    "scheduler": schedules.schedules,
    "budgets": budgets.budgets,
    **{f"{kind.service} {kind.listing.removeprefix('list_')}": tagged.collector(kind) for kind in tagged.KINDS},
}
"""One question per service and kind; an environment of this version can leave nothing elsewhere."""

_SIDE_BY_SIDE = 8
"""Kinds asked for at a time, and single questions: the account's limits for lists are a few a second."""


@dataclass(frozen=True)
class Inventory:
    """Everything found, the services that could not be asked (with the reason), and what ours would be known by."""

    environment: str
    findings: tuple[Finding, ...]
    unanswered: dict[str, str]
    memory: Memory = field(default_factory=Memory)
    counts: dict[str, int] = field(default_factory=dict)
    """How many each question found, by question."""

    @property
    def billable(self) -> tuple[Finding, ...]:
        """What costs money if it stays."""
        return tuple(finding for finding in self.findings if finding.billable)

    @property
    def monthly_usd(self) -> float:
        """The known cost of a month, in US dollars; what has no price is not in it."""
        return round(sum(finding.monthly_usd or 0.0 for finding in self.findings), 2)

    @property
    def clean(self) -> bool:
        """Whether nothing is left: every service answered, and none had anything."""
        return not self.findings and not self.unanswered

    def of(self, *kinds: str) -> list[Finding]:
        """Return what there is of some kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]

    def document(self) -> dict[str, Any]:
        """Return the inventory for a machine."""
        return {
            "environment": self.environment,
            "clean": self.clean,
            "billable": len(self.billable),
            "monthly_usd": self.monthly_usd,
            "asked": len(COLLECTORS),
            "findings": [finding.document() for finding in self.findings],
            "unanswered": self.unanswered,
        }


def take_inventory(clients: Clients, owner: Owner) -> Inventory:
    """Ask every service. One that refuses is named in ``unanswered``: an audit never guesses that it is empty."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as single, ThreadPoolExecutor(_SIDE_BY_SIDE) as kinds:
        survey = Survey(clients, owner, single)

        def ask(collect: Collector) -> list[Finding] | str:
            try:
                return list(collect(survey))
            except (ClientError, BotoCoreError) as error:
                return str(error)

        answers = dict(zip(COLLECTORS, kinds.map(ask, COLLECTORS.values()), strict=True))
        memory = _memory(survey)
    findings = [finding for answer in answers.values() if not isinstance(answer, str) for finding in answer]
    once = {(finding.kind, finding.name): finding for finding in reversed(findings)}
    unanswered = {service: answer for service, answer in answers.items() if isinstance(answer, str)}
    kept = tuple(finding for finding in findings if once[finding.kind, finding.name] is finding)
    counts = {service: len(answer) for service, answer in answers.items() if not isinstance(answer, str)}
    return Inventory(owner.environment, kept, unanswered, memory | _names(kept), counts)


def _memory(survey: Survey) -> Memory:
    try:
        return survey.memory
    except (ClientError, BotoCoreError):
        return survey.owner.memory  # whoever needed more has said so


def _names(findings: tuple[Finding, ...]) -> Memory:
    """Return what later inventories need to know the leavings of what is now found."""
    kinds = ("endpoint", "inference component", "notebook instance", "training job", "processing job", "transform job")
    return Memory(
        domains=frozenset(finding.name for finding in findings if finding.kind == "domain"),
        names=frozenset(finding.name for finding in findings if finding.kind in kinds),
    )
