"""The topic that budgets and alarms write to."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from sandcastle.permissions import ACCOUNT, PARTITION
from sandcastle.resource import Resource


class AlarmTopic(Construct):
    """An SNS topic that AWS Budgets and CloudWatch of this account may publish to, over TLS only.

    Not encrypted with a KMS key: the AWS-managed key of SNS does not let budgets and alarms publish (its policy
    cannot be changed), and a key of one's own costs a dollar a month to protect messages that hold a budget's name
    and an amount. Who receives mails is in the environment file; budgets mail them directly.
    """

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str) -> None:
        """``display_name`` heads the mails of subscribers."""
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
