"""Messages to the environment's topic."""

from __future__ import annotations

from typing import Any

_LONGEST_SUBJECT = 100
_LONGEST_MESSAGE = 200_000
"""Characters that SNS takes: subjects up to 100, messages up to 256 KiB."""


def tell(sns: Any, topic_arn: str, environment: str, subject: str, text: str) -> None:
    """Publish a message about the environment, and log it. Raises ClientError."""
    head = f"Sandcastle {environment}: {subject}"[:_LONGEST_SUBJECT]
    print(head, text, sep="\n")
    sns.publish(
        TopicArn=topic_arn,
        Subject=head,
        Message=text[:_LONGEST_MESSAGE],
        MessageAttributes={"sandcastle": {"DataType": "String", "StringValue": environment}},
    )
