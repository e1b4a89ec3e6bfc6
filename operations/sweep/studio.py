"""Empties a Studio domain from the inside out: apps, spaces, profiles, then the domain with its home file system."""

from __future__ import annotations

from operations.audit.finding import Finding
from operations.sweep.turns import insist
from operations.target import Target

APP_MINUTES = 25
"""An app goes within a minute, reported are up to 20 (facts, 1.4)."""


def app(target: Target, finding: Finding) -> None:
    """Delete an app and wait; deleted and failed ones stay listed for a day and hold nothing back."""
    client = target.client("sagemaker")

    def turn() -> str:
        status: str = client.describe_app(**finding.removal.parameters)["Status"]
        if status == "InService":
            finding.removal.make(target)
        return "" if status in ("Deleted", "Failed") else f"it is {status}"

    insist(target, turn, APP_MINUTES)
