"""What a serving container is told through its environment. Plain Python, texts may be tokens."""

from __future__ import annotations

from sandcastle.config import Serve

CODE = "/opt/ml/model/code"
"""Where a framework's archive has the script that serves, when it is unpacked."""


def script_variables(serve: Serve, region: str) -> dict[str, str]:
    """Return what tells a framework's container which script serves; nothing for a built-in algorithm."""
    if serve.script is None:
        return {}
    return {
        "SAGEMAKER_PROGRAM": serve.script,
        "SAGEMAKER_SUBMIT_DIRECTORY": CODE,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
    }
