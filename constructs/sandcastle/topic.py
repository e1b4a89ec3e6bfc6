"""The topic that budgets and alarms write to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from constructs import Construct

from sandcastle.permissions import ACCOUNT, PARTITION
from sandcastle.resource import Resource

ABOUT = "sandcastle"
"""The attribute of what an environment says of itself (``assets/functions/messages.py``): its name."""


class AlarmTopic(Construct):
    """An SNS topic that AWS Budgets and CloudWatch of this account may publish to, over TLS only.

    Not encrypted with a KMS key: the AWS-managed key of SNS does not let budgets and alarms publish (its policy
    cannot be changed), and a key of one's own costs a dollar a month to protect messages that hold a budget's name
    and an amount.

    Budgets mail people directly, so their addresses get from the topic only what the environment itself says (its end,
    its nights, runs of pipelines that failed): those messages carry an attribute of ours. Each address has to confirm
    once, as SNS asks it to.
    """

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str, emails: Sequence[str] = ()) -> None:
        """``display_name`` heads the mails that subscribers get; ``emails`` are to hear of the environment."""
        super().__init__(scope, construct_id)
        self.arn = Resource(self, "Resource", "AWS::SNS::Topic", DisplayName=display_name).ref
        Resource(
            self,
            "Policy",
            "AWS::SNS::TopicPolicy",
            tagged=False,
            Topics=[self.arn],
            PolicyDocument=_publishers(self.arn),
        )
        for email in emails:
            Resource(
                self,
                f"Mail-{email}",
                "AWS::SNS::Subscription",
                tagged=False,
                TopicArn=self.arn,
                Protocol="email",
                Endpoint=email,
                FilterPolicy={ABOUT: [{"exists": True}]},
            )


def _publishers(topic: str) -> dict[str, Any]:
    own = {"aws:SourceAccount": ACCOUNT}
    budgets = f"arn:{PARTITION}:budgets::{ACCOUNT}:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Budgets",
                "Effect": "Allow",
                "Principal": {"Service": "budgets.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {"StringEquals": own, "ArnLike": {"aws:SourceArn": budgets}},
            },
            {
                "Sid": "Alarms",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {"StringEquals": own},
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
