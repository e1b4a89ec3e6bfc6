"""Metrics that a processing job leaves in files, for the service to deliver to CloudWatch.

Where and in which form: developer guide, model-monitor-byoc-cloudwatch.html. The file names no namespace; which one it
is for data and for models: facts containers 5.3 (the page's own has a slash and a singular that no alarm in the field
has). Delivered under the job's role, also under network isolation, where the job itself could not.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from localcloud.jobs.aws import message_of
from localcloud.jobs.layout import METRICS

logger = logging.getLogger("localcloud.jobs.metrics")

DATA, MODEL = "aws/sagemaker/Endpoints/data-metrics", "aws/sagemaker/Endpoints/model-metrics"
#: of what went through transform jobs
BATCH_DATA, BATCH_MODEL = "aws/sagemaker/ModelMonitoring/data-metrics", "aws/sagemaker/ModelMonitoring/model-metrics"
#: PutMetricData takes up to 1,000 data points a call
_BATCH = 1000
_MEMBERS = ("MetricName", "Timestamp", "Dimensions", "Value", "StatisticValues", "Unit")


def namespace(environment: Mapping[str, str]) -> str:
    """Of a job with these variables: without an endpoint a schedule looks at transform jobs."""
    of_model = environment.get("analysis_type") == "MODEL_QUALITY"
    if "sagemaker_monitoring_schedule_name" in environment and not environment.get("sagemaker_endpoint_name"):
        return BATCH_MODEL if of_model else BATCH_DATA
    return MODEL if of_model else DATA


def deliver(cloudwatch: Any, folders: Sequence[Path], into: str) -> str | None:
    """PutMetricData of what is below these /opt/ml; None, or why something was not taken."""
    try:
        data = [datum for folder in folders for datum in _read(folder / METRICS)]
        for start in range(0, len(data), _BATCH):
            cloudwatch.put_metric_data(Namespace=into, MetricData=data[start : start + _BATCH])
    except ClientError as error:
        return f"metrics: {message_of(error)}"
    except (BotoCoreError, ParamValidationError, ValueError, OSError) as error:
        return f"metrics: {error}"
    return None


def _read(folder: Path) -> Iterator[dict[str, Any]]:
    """Raises ValueError, which names file and line, for one that is no metric."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                datum = {member: found[member] for member in _MEMBERS if member in found}
                yield {**datum, "Timestamp": datetime.fromisoformat(datum["Timestamp"])}
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path.name}, line {number}, is no metric: {error}") from error
