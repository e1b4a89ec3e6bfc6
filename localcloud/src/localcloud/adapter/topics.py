"""Publishing to a topic as an AWS service does: the topic's policy decides, not an identity's."""

from __future__ import annotations

from ministack.services import sns

from localcloud.adapter.calls import call_query
from localcloud.adapter.identity import account_id, region, request_scope
from localcloud.adapter.service_principals import lets_in


def publish_as_service(service: str, topic_arn: str, source_arn: str, subject: str, message: str) -> str | None:
    """Publish as ``service`` (``budgets.amazonaws.com``): None, or why it was not allowed.

    A topic's default policy only lets its own account in, so that a service needs a statement of its own.
    """
    parts = topic_arn.split(":")
    account = parts[4] if len(parts) == 6 else account_id()
    with request_scope(account, parts[3] if len(parts) == 6 else region()):
        found = sns.topic_policy_for_arn(topic_arn)
        if found is None:
            return f"topic {topic_arn} does not exist"
        if not lets_in(found[0], service, "sns:Publish", topic_arn, source_arn, account):
            return f"the policy of topic {topic_arn} does not let {service} publish"
        parameters = {"Action": "Publish", "TopicArn": topic_arn, "Subject": subject[:100], "Message": message}
        status, reply = call_query("sns", parameters)
        return None if status < 400 else reply
