"""Hears what is said to an environment's topic: a queue that is subscribed to it."""

from __future__ import annotations

import json
from typing import Any

from tests.lifecycle.conftest import Cloud


class Listener:
    """The messages of one topic, from the moment of its making on."""

    def __init__(self, cloud: Cloud, topic_arn: str) -> None:
        self._sqs = cloud.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="listener-" + topic_arn.rsplit(":", 1)[1])["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": attributes["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self.heard: list[tuple[str, str]] = []

    def subjects(self) -> list[str]:
        """Return the subjects of all messages so far."""
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                body: dict[str, Any] = json.loads(message["Body"])
                self.heard.append((body.get("Subject", ""), body["Message"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [subject for subject, _ in self.heard]

    def close(self) -> None:
        """Remove the queue."""
        self._sqs.delete_queue(QueueUrl=self._queue)
