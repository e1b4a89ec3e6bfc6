"""Faults of calls that a service makes inside the server, as a role: late or refused like those that come by HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from localcloud.adapter.requests import ApiCall
from localcloud.faults import gate
from localcloud.faults.replies import Refusal
from localcloud.faults.rules import default_rules


def before(service: str, operation: str, principal: str, region: str, parameters: Mapping[str, Any]) -> Refusal | None:
    """Apply the rules to a call that is about to be served: it waits, or is refused with what is returned.

    Hold no lock. Rules that kill a calling function find none here.
    """
    if default_rules().empty:
        return None
    made = ApiCall(service, operation, principal, region, "json", parameters)
    for rule in default_rules().before(made):
        if rule.effect == "delay":
            time.sleep(float(rule.given["seconds"]))
        elif rule.effect != "crash-function":
            return gate.refusal(rule, made)
    return None


def after(service: str, operation: str, principal: str, region: str, parameters: Mapping[str, Any]) -> None:
    """Let persons act on a call that was served."""
    if not default_rules().empty:
        gate.act_after(ApiCall(service, operation, principal, region, "json", parameters))
