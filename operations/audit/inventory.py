"""Asks every service what belongs to an environment and adds it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.audit import management, network, sagemaker, storage
from operations.audit.finding import Clients, Collector, Finding, Owner

COLLECTORS: dict[str, Collector] = {
    "cloudformation": management.stacks,
    "sagemaker endpoints": sagemaker.endpoints,
    "sagemaker endpoint configs": sagemaker.endpoint_configs,
    "sagemaker models": sagemaker.models,
    "sagemaker training jobs": sagemaker.training_jobs,
    "sagemaker processing jobs": sagemaker.processing_jobs,
    "s3": storage.buckets,
    "cloudwatch logs": management.log_groups,
    "cloudwatch alarms": management.alarms,
    "budgets": management.budgets,
    "sns": management.topics,
    "lambda": management.functions,
    "step functions": management.state_machines,
    "iam": management.roles,
    "ec2": network.networks,
}
"""One question per service; an environment of this version can leave nothing elsewhere."""


@dataclass(frozen=True)
class Inventory:
    """Everything found, and the services that could not be asked (with the reason)."""

    environment: str
    findings: tuple[Finding, ...]
    unanswered: dict[str, str]

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

    def document(self) -> dict[str, Any]:
        """Return the inventory for a machine."""
        return {
            "environment": self.environment,
            "clean": self.clean,
            "billable": len(self.billable),
            "monthly_usd": self.monthly_usd,
            "findings": [finding.document() for finding in self.findings],
            "unanswered": self.unanswered,
        }


def take_inventory(clients: Clients, owner: Owner) -> Inventory:
    """Ask every service. One that refuses is named in ``unanswered``: an audit never guesses that it is empty."""
    findings: list[Finding] = []
    unanswered: dict[str, str] = {}
    for service, collect in COLLECTORS.items():
        try:
            findings += collect(clients, owner)
        except (ClientError, BotoCoreError) as error:
            unanswered[service] = str(error)
    return Inventory(owner.environment, tuple(findings), unanswered)
