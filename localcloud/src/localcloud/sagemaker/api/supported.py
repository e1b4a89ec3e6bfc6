"""Which members of a request localcloud honours. Everything else that AWS takes is refused, naming itself.

Each operation states a tree beside its handler::

    {"TrainingJobName": ANY, "ResourceConfig": {"InstanceType": ANY}, "EnableNetworkIsolation": only(False)}

A tree applies to every element of a list. ``only(...)`` allows values that mean what localcloud does anyway
(encryption off), so that clients which always send a member are served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors


@dataclass(frozen=True)
class Only:
    """The member may be sent with one of these values."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Anything:
    """The member is honoured with any value that the service model allows."""


ANY = Anything()
#: a member's rule, or the rules of the members inside it
Rule = Anything | Only | Mapping[str, "Rule"]
Tree = Mapping[str, Rule]

TAGS: Tree = {"Key": ANY, "Value": ANY}


def only(*values: Any) -> Only:
    """Allow the member with these values alone."""
    return Only(values)


def check_supported(operation: str, rule: Rule, request: Mapping[str, Any]) -> None:
    """Raise ValidationException ``[localcloud] <operation>: <member> is not supported yet`` for the first."""
    _check(operation, rule, request, "")


def _check(operation: str, rule: Rule, value: Any, path: str) -> None:
    if isinstance(rule, Anything) or value is None:
        return
    if isinstance(rule, Only):
        # `type` too: JSON's false is not 0
        if not any(value == allowed and type(value) is type(allowed) for allowed in rule.values):
            raise errors.not_supported(operation, f"{path} = {value!r}")
    elif isinstance(value, list):
        for item in value:
            _check(operation, rule, item, path)
    else:
        for name, item in value.items():
            where = f"{path}.{name}".lstrip(".")
            if name not in rule:
                raise errors.not_supported(operation, where)
            _check(operation, rule[name], item, where)
