"""Custom::SandcastleNotebookLogs: what a notebook instance logged, which CloudFormation does not know.

It runs when instance and role are gone, so that no late line brings a stream back.
"""

from __future__ import annotations

from typing import Any

from aws import client
from janitor import run
from log_streams import delete_streams

LOG_GROUP = "/aws/sagemaker/NotebookInstances"


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. Property: ``Prefix``, with which the names of all instances of the stack begin."""

    def turn() -> str:
        delete_streams(client("logs"), LOG_GROUP, event["ResourceProperties"]["Prefix"])
        return ""

    run(event, context, turn)
