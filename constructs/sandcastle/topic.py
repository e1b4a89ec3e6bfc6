"""The topic that budgets and alarms write to."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct


class AlarmTopic(Construct):
    """An SNS topic that AWS Budgets and CloudWatch of this account may publish to, over TLS only.

    Not encrypted with a KMS key: the AWS-managed key of SNS does not let budgets and alarms publish (its policy
    cannot be changed), and a key of one's own costs a dollar a month to protect messages that hold a budget's name
    and an amount. Who receives mails is in the environment file; budgets mail them directly.
    """

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str) -> None:
        """``display_name`` heads the mails of subscribers."""
        super().__init__(scope, construct_id)
        self.topic = sns.CfnTopic(self, "Resource", display_name=display_name)
        sns.CfnTopicPolicy(self, "Policy", topics=[self.topic.ref], policy_document=_publishers(self.topic.ref))

    @property
    def arn(self) -> str:
        """The topic's ARN."""
        return self.topic.ref


def _publishers(topic: str) -> dict[str, Any]:
    own = {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}
    budgets = f"arn:{cdk.Aws.PARTITION}:budgets::{cdk.Aws.ACCOUNT_ID}:*"
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
