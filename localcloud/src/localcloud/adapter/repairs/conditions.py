"""``Fn::Join`` in a template's conditions.

MiniStack's conditions know no ``Fn::Join`` and take it for a text that equals nothing, so that the bootstrap template
of CDK is told that it was given policies when it was given none. AWS: Fn::Join is allowed in conditions
(CloudFormation user guide, "Condition functions").
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers, stacks


def install() -> None:
    """Wrap the evaluation wherever it was imported by name."""
    before = engine._evaluate_conditions

    def evaluate(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        joined = {name: _joined(one, params) for name, one in template.get("Conditions", {}).items()}
        found: dict[str, bool] = before({**template, "Conditions": joined}, params)
        return found

    for module in (engine, changesets, handlers, stacks):
        module._evaluate_conditions = evaluate


def _joined(value: Any, params: dict[str, Any]) -> Any:
    """The expression with every Fn::Join of parameters and texts worked out."""
    if isinstance(value, list):
        return [_joined(item, params) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        delimiter, parts = value["Fn::Join"]
        if isinstance(parts, dict):  # a list parameter: one text, or a list already
            given = params[parts["Ref"]]["Value"]
            parts = given if isinstance(given, list) else str(given).split(",")
        return str(delimiter).join(str(_text(part, params)) for part in parts)
    return {key: _joined(item, params) for key, item in value.items()}


def _text(part: Any, params: dict[str, Any]) -> Any:
    if isinstance(part, dict) and part.get("Ref") in params:
        return params[part["Ref"]]["Value"]
    return _joined(part, params)
