"""Runs a portable monitor of a pipeline's endpoint: as ``monitor_run``, with the baseline of the version that serves.

The schedule's input has, beside what ``monitor_run`` wants, ``packages``: what the ARNs of the pipeline's versions
begin with. So a schedule is made once, and whichever version is put in service is compared with its own baseline.
"""

from __future__ import annotations

from typing import Any

from aws import client
from botocore.exceptions import ClientError
from monitor_run import run, source
from pipeline_endpoint import is_missing
from pipeline_settings import version_of_config

_BASELINE = "/opt/ml/processing/input/baseline"


def handler(event: dict[str, Any], context: Any) -> str:
    """Lambda entry point: return the name of the job, nothing when no version is in service. Raises ClientError."""
    del context
    folder = baseline(client("sagemaker"), event)
    if not folder:
        print(f"{event['endpoint']} serves no version of a pipeline: there is nothing to compare with")
        return ""
    request = event["request"]
    inputs = [*request["ProcessingInputs"], source("baseline", f"{folder}/", _BASELINE)]
    return run({**event, "request": {**request, "ProcessingInputs": inputs}})


def baseline(sagemaker: Any, event: dict[str, Any]) -> str:
    """Return the folder of the baseline that the schedule compares with; nothing when there is none."""
    try:
        serving = sagemaker.describe_endpoint(EndpointName=event["endpoint"])["EndpointConfigName"]
    except ClientError as error:
        if not is_missing(error):
            raise
        return ""
    version = version_of_config(serving)
    if version is None:
        return ""
    package = sagemaker.describe_model_package(ModelPackageName=f"{event['packages']}/{version}")
    judges_model = event["request"]["Environment"].get("analysis_type") == "MODEL_QUALITY"
    found = package.get("DriftCheckBaselines", {}).get("ModelQuality" if judges_model else "ModelDataQuality", {})
    return str(found.get("Constraints", {}).get("S3Uri", "")).rpartition("/")[0]
