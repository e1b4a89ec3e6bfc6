"""EventBridge asks a target's own policy before it delivers, and a function hears of an event as an asynchronous one.

MiniStack delivers whatever the policies of function, topic and queue say, and tries a failing function only once.
AWS (eventbridge/latest/userguide/eb-use-resource-based.html, eb-rule-event-delivery.html, eb-rule-dlq.html): what is
not allowed or not there fails at once, without another attempt, and goes to the target's dead-letter queue if it has
one; either way the rule counts a FailedInvocations.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch, eventbridge, lambda_svc, sns, sqs

from localcloud.adapter.identity import account_id
from localcloud.adapter.repairs import async_invocations
from localcloud.adapter.service_principals import lets_in

logger = logging.getLogger("localcloud.events")

_SERVICE = "events.amazonaws.com"
#: by the service of a target: what EventBridge does there, and what knows the policy
_POLICIES = {
    "lambda": ("lambda:InvokeFunction", lambda_svc.function_policy_for_arn),
    "sns": ("sns:Publish", sns.topic_policy_for_arn),
    "sqs": ("sqs:SendMessage", sqs.queue_policy_for_arn),
}


def install() -> None:
    """Check before each delivery; deliver to functions through the asynchronous queue."""
    before = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> None:
        refused = _refusal(target["Arn"], rule["Arn"])
        if refused is None:
            before(target, event, rule, view)
            return
        logger.warning("rule %s: %s", rule["Name"], refused[1])
        cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1.0, "Count", {"RuleName": rule["Name"]})
        _keep(target, view or eventbridge._pattern_event_view(event), rule["Arn"], *refused)

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_lambda = _to_function
    eventbridge._dispatch_to_sns = _to_topic


def _refusal(target: str, rule: str) -> tuple[str, str] | None:
    """Why EventBridge cannot deliver: the code that a dead-letter queue is told, and words. None: it can."""
    known = _POLICIES.get(target.split(":")[2]) if target.count(":") > 4 else None
    if known is None:
        return None
    action, policy_of = known
    found = policy_of(target)
    if found is None:
        return "NO_RESOURCE", f"{target} does not exist"
    if not lets_in(found[0], _SERVICE, action, target, rule, account_id()):
        return "NO_PERMISSIONS", f"the policy of {target} does not let {_SERVICE} do {action} for {rule}"
    return None


def _keep(target: Mapping[str, Any], view: Any, rule: str, code: str, message: str) -> None:
    """Send the event to the target's dead-letter queue, if it has one and may be written to."""
    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue_arn:
        return
    if _refusal(queue_arn, rule):
        logger.warning("dead-letter queue %s: not there, or not for %s", queue_arn, rule)
        return
    queue = sqs._queue_by_arn(queue_arn)
    known = {"RULE_ARN": rule, "TARGET_ARN": target["Arn"], "ERROR_CODE": code, "ERROR_MESSAGE": message}
    eventbridge._dispatch_to_sqs(
        eventbridge.parse_arn(queue_arn), json.dumps(view.event_with_detail()), {"MessageGroupId": rule}
    )
    queue["messages"][-1]["message_attributes"] = {
        name: {"DataType": "String", "StringValue": value} for name, value in known.items()
    }


def _to_function(arn: str, payload: str) -> None:
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if function and config:
        try:
            event = json.loads(payload)
        except ValueError:  # an input transformer may make any text; AWS hands over JSON only
            event = payload
        async_invocations.invoke(lambda_svc._execution_record_for_config(function, config), event)


def _to_topic(arn: str, payload: str) -> None:
    """Without a subject: MiniStack gives one."""
    try:
        sns.publish_internal(arn, payload)
    except sns.SnsPublishError as refused:
        logger.warning("topic %s: %s", arn, refused)
