"""What a training job says of itself while it runs: the lines of its log as they come, and the metrics in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from operations.target import Target

TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"

_NUMBER = r"([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"

_BUILT_IN = (
    # XGBoost, a line for each round: "[12]#011train-auc:0.91#011validation-auc:0.88" (CloudWatch writes a TAB so)
    re.compile(rf"(?P<channel>train|validation|test)-(?P<name>[a-z][\w@.-]*):{_NUMBER}"),
    # Linear Learner and K-Means: "#quality_metric: host=algo-1, epoch=3, train msd <loss>=0.37"
    re.compile(rf"#quality_metric: .*?(?P<channel>train|validation|test) (?P<name>\S+) <\w+>={_NUMBER}"),
)
"""How the built-in algorithms print metrics, for jobs that name none (facts on containers)."""


class LogTail:
    """The log of one training job, read on from where the last look ended.

    Only the first host's stream: the hosts of a job print the same metrics.
    """

    def __init__(self, target: Target, job: str) -> None:
        """Read nothing yet."""
        self._client, self._job = target.client("logs"), job
        self._stream: str | None = None
        self._token: dict[str, str] = {}

    def new_lines(self) -> list[str]:
        """Return what was logged since the last call; nothing as long as there is no log."""
        from botocore.exceptions import ClientError

        try:
            return list(self._read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise

    def _read(self) -> Iterator[str]:
        if self._stream is None:
            found = self._client.describe_log_streams(
                logGroupName=TRAINING_LOGS, logStreamNamePrefix=f"{self._job}/algo-1", limit=1
            )["logStreams"]
            if not found:
                return
            self._stream = found[0]["logStreamName"]
        while True:
            page = self._client.get_log_events(
                logGroupName=TRAINING_LOGS, logStreamName=self._stream, startFromHead=True, **self._token
            )
            yield from (event["message"].rstrip("\n") for event in page["events"])
            if self._token.get("nextToken") == page["nextForwardToken"]:
                return  # GetLogEvents repeats its token when there is no more
            self._token = {"nextToken": page["nextForwardToken"]}


class Metrics:
    """Every value of every metric that a log shows, in order.

    ``definitions`` are the job's own (Name, Regex); without any, the built-in algorithms' ways of printing count.
    """

    def __init__(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        """Nothing was read yet."""
        self._patterns = [(one["Name"], re.compile(one["Regex"])) for one in definitions]
        self.series: dict[str, list[float]] = {}

    def read(self, lines: Iterable[str]) -> dict[str, float]:
        """Take the lines in; return the last new value of each metric that they hold."""
        latest = {}
        for line in lines:
            for name, value in self._of_line(line):
                self.series.setdefault(name, []).append(value)
                latest[name] = value
        return latest

    def _of_line(self, line: str) -> Iterator[tuple[str, float]]:
        if self._patterns:
            found = [(name, match[1]) for name, pattern in self._patterns if (match := pattern.search(line))]
        else:
            found = [
                (f"{match['channel']}:{match['name']}", match[3])
                for pattern in _BUILT_IN
                for match in pattern.finditer(line)
            ]
        for name, text in found:
            try:
                yield name, float(text)
            except ValueError:  # a regex that takes more than a number; SageMaker passes it over, too
                continue


def shown(values: Mapping[str, float]) -> str:
    """Return metrics as a person reads them: ``train:auc 0.91, validation:auc 0.88``."""
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items())
