"""Rules of EventBridge: what they start must not start again while everything is brought to rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ours import Ours

_RULE = "AWS::Events::Rule"


def disable_rules(ours: Ours, events: Any, held: Mapping[str, str]) -> None:
    """Disable the rules of the stacks; ``held`` are types by physical id, which for a rule is its name.

    CloudFormation deletes them later, with their stacks. A disabled one may be disabled again.
    """
    for name in sorted(one for one, kind in held.items() if kind == _RULE):
        ours.ask(events.disable_rule, Name=name)
