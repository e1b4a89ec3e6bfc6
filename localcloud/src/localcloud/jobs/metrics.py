"""Metrics that a training job prints: found by regular expression, reported to CloudWatch."""

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.jobs.aws import message_of

logger = logging.getLogger("localcloud.jobs.metrics")

#: where and under which dimension the service puts them (SDK: TrainingJobAnalytics)
NAMESPACE, DIMENSION = "/aws/sagemaker/TrainingJobs", "TrainingJobName"
#: PutMetricData takes up to 1,000 data points a call
_BATCH = 1000
#: a metric stands near the start of its line; a longer line is data that somebody printed
_LONGEST = 4096


class MetricScanner:
    """Applies `[{"Name", "Regex"}]` to log lines; group 1 of a match is the value."""

    def __init__(self, definitions: Sequence[dict[str, str]]) -> None:
        self._rules = []
        for each in definitions:
            rule = re.compile(each["Regex"])
            # ".*" at the start makes search() try every position of the line; match() finds the same at once
            self._rules.append((each["Name"], rule.match if rule.pattern.startswith(".*") else rule.search))
        self.values: list[tuple[str, float, float]] = []
        """(name, value, epoch seconds) in the order found."""

    def feed(self, line: str, now: float) -> None:
        """Look at one escaped line. A match that is not a number is no metric, as on AWS."""
        line = line[:_LONGEST]
        for name, find in self._rules:
            match = find(line)
            if match and match.groups():
                try:
                    self.values.append((name, float(match[1]), now))
                except (TypeError, ValueError):
                    logger.debug("metric %s: %r is not a number", name, match[1])


def publish(cloudwatch: Any, job: str, values: Sequence[tuple[str, float, float]]) -> str | None:
    """PutMetricData under the job's role; None, or why it was refused. NaN and infinities have no place there."""
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": DIMENSION, "Value": job}],
            "Timestamp": datetime.fromtimestamp(when, UTC),
            "Value": value,
        }
        for name, value, when in values
        if abs(value) < float("inf")
    ]
    try:
        for start in range(0, len(data), _BATCH):
            cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + _BATCH])
    except ClientError as error:
        return f"metrics: {message_of(error)}"
    except BotoCoreError as error:
        return f"metrics: {error}"
    return None
