"""A rule of EventBridge that could never work is refused, and one with targets is not deleted.

MiniStack's CloudFormation keeps any event pattern and any target; its API drops targets with their rule, and keeps
targets and members of targets that it never delivers to. AWS: API_DeleteRule (the text as reported), and
InvalidEventPatternException of API_PutRule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import CfnError, Props

#: what ``_invoke_target`` delivers to
_SERVICES = ("lambda", "sns", "sqs", "states", "events")
#: members of a target that are honoured; RetryPolicy is about targets out of reach, which does not happen here
_MEMBERS = frozenset(
    {
        "Id",
        "Arn",
        "RoleArn",
        "Input",
        "InputPath",
        "InputTransformer",
        "SqsParameters",
        "HttpParameters",
        "DeadLetterConfig",
        "RetryPolicy",
    }
)


def install() -> None:
    """Wrap the API's functions and the type's handlers."""
    before_delete, before_targets = eventbridge._delete_rule, eventbridge._put_targets
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Events::Rule"]
    before_create, before_update = handlers["create"], handlers["update"]

    def delete_rule(data: dict[str, Any]) -> Any:
        key = eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default"))
        if eventbridge._targets.get(key):
            return _refused("Rule can't be deleted since it has targets.")
        return before_delete(data)

    def put_targets(data: dict[str, Any]) -> Any:
        unknown = _unsupported(data.get("Targets") or ())
        return _refused(f"[localcloud] {unknown} is not supported yet") if unknown else before_targets(data)

    def create(logical_id: str, props: Props, stack: str) -> Any:
        _check(props)
        return before_create(logical_id, props, stack)

    def update(physical_id: str, old: Props, new: Props, *rest: Any, **options: Any) -> Any:
        _check(new)
        return before_update(physical_id, old, new, *rest, **options)

    eventbridge._delete_rule, eventbridge._put_targets = delete_rule, put_targets
    handlers["create"], handlers["update"] = create, update


def _check(props: Props) -> None:
    """Raises CfnError."""
    pattern, targets = props.get("EventPattern"), props.get("Targets") or []
    if not pattern and not props.get("ScheduleExpression"):
        raise CfnError("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    reason = eventbridge._event_pattern_error(json.dumps(pattern) if isinstance(pattern, dict) else pattern or "")
    if reason:
        raise CfnError(f"Event pattern is not valid. Reason: {reason}")
    eventbridge._ensure_default_bus()
    bus = eventbridge._event_bus_name_from_ref(props.get("EventBusName", "default"))[0]
    if bus is not None and bus not in eventbridge._event_buses:
        raise CfnError(f"Event bus {bus} does not exist.")
    unknown = _unsupported(targets)
    if unknown:
        raise CfnError(f"[localcloud] AWS::Events::Rule: {unknown} is not supported yet")
    for target in targets:
        wrong = eventbridge._validate_target_arn(target)
        if wrong:
            raise CfnError(str(json.loads(wrong[2])["message"]))


def _unsupported(targets: Iterable[Mapping[str, Any]]) -> str | None:
    """The first thing about targets that nothing here would do."""
    for target in targets:
        parts = str(target.get("Arn", "")).split(":")
        if len(parts) > 2 and parts[2] not in _SERVICES and parts[2] in eventbridge._SUPPORTED_TARGET_SERVICES:
            return f"a target of service {parts[2]}"
        unknown = sorted(set(target) - _MEMBERS)
        if unknown:
            return f"{unknown[0]} of a target"
    return None


def _refused(message: str) -> Any:
    return eventbridge.error_response_json("ValidationException", message, 400)
