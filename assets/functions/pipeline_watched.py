"""Lambda step of a pipeline whose monitors are portable: gives slack to the baselines of the version that serves.

The schedules are there since the deploy, and each of their runs asks for the version that serves (``pipeline_run``). So
nothing has to be made; what is missing of the version is said here, while somebody looks.

Variables of the function: ``SCHEDULES``, their names joined by blanks, and ``WINDOW_ROWS`` (``monitor_slack``).
"""

from __future__ import annotations

import os
from typing import Any

from aws import client
from monitor_slack import give_slack_to_package
from pipeline_schedules import serving, sibling

_PARTS = ("ModelDataQuality", "ModelQuality")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point: return endpoint, the version that is watched, and the schedules' names joined by blanks.

    Raises ScheduleError, ValueError for a version without baselines, and ClientError for what AWS refuses.
    """
    del context
    sagemaker, endpoint = client("sagemaker"), event["endpoint"]
    watched, now = 0, serving(sagemaker, endpoint)
    while now != watched:
        package = sagemaker.describe_model_package(ModelPackageName=sibling(event["package"], now))
        baselines = package.get("DriftCheckBaselines", {})
        for part in _PARTS:
            if not baselines.get(part, {}).get("Constraints"):
                raise ValueError(f"the package has no {part} in its DriftCheckBaselines: nothing to compare with")
        give_slack_to_package(client("s3"), baselines, int(os.environ["WINDOW_ROWS"]))
        watched, now = now, serving(sagemaker, endpoint)
    return {"endpoint": endpoint, "version": watched, "schedules": os.environ["SCHEDULES"]}
