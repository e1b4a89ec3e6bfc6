"""A notebook instance as SageMaker describes it, and how to stop it (facts on teardown, 1.6).

Only an instance in service can be stopped; one on its way somewhere is waited for. Everything is refused with the same
code, so that the text tells what is meant.
"""

from __future__ import annotations

from typing import Any

from aws import code_of, text_of
from botocore.exceptions import ClientError

MISSING = "Missing"
"""What ``status_of`` returns for an instance that does not exist."""

AT_REST = ("Deleting", "Failed", MISSING, "Stopped")
"""States in which no instance is billed and none comes to be by itself."""

IN_MOTION = ("Pending", "Stopping", "Updating")
"""States that end by themselves, and in which nothing can be done."""


def status_of(sagemaker: Any, name: str) -> str:
    """Return the instance's status. Raises ClientError."""
    try:
        found: str = sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"]
    except ClientError as error:
        if code_of(error) == "ValidationException" and "RecordNotFound" in text_of(error):
            return MISSING
        raise
    return found


def rest(sagemaker: Any, name: str) -> str:
    """Take one step towards an instance at rest; return what is left in words."""
    status = status_of(sagemaker, name)
    if status in AT_REST:
        return ""
    if status not in IN_MOTION:
        stop(sagemaker, name)
    return f"notebook instance {name}, {status}"


def stop(sagemaker: Any, name: str) -> None:
    """Stop it, unless it is on its way somewhere or gone. Raises ClientError."""
    try:
        sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    except ClientError as error:
        text = text_of(error)
        if code_of(error) != "ValidationException" or not ("Unable to transition" in text or "RecordNotFound" in text):
            raise
