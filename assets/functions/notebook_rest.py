"""Custom::SandcastleNotebookRest: brings a notebook instance to rest, before CloudFormation deletes it.

CloudFormation stops an instance that is in service before it deletes it; that it waits for one which is just starting,
changing or stopping is not known (facts on teardown, 1.6). At rest, every way of deleting it works.
"""

from __future__ import annotations

from typing import Any

from aws import client
from janitor import run
from notebook_instance import rest


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. Property: ``Name``."""
    run(event, context, lambda: rest(client("sagemaker"), event["ResourceProperties"]["Name"]))
