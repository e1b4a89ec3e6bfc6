"""Gives a baseline's constraints the slack that chance takes, where monitors read them: the same for both engines.

Custom resource of a monitored workload; its properties are

    Baseline   the folder in S3 with statistics.json and constraints.json
    Rows       the smallest window that is not to be called violated by chance
    Labelled   "true" where the first column of data is a label, and a model's answer in a window

A pipeline's function calls ``give_slack_to_package`` for the version that it has watched. What the analyzer suggested
stays beside as ``constraints_original.json``. Whatever somebody wrote into constraints.json later stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import slack_data
import slack_model
from aws import client
from cfn import answer

RISK = 0.001
"""How often a window of the smallest size may be called violated though nothing has changed, for each monitor."""

ORIGINAL = "constraints_original.json"
_STATISTICS, _CONSTRAINTS = "statistics.json", "constraints.json"
_ROWS = "sandcastle-rows"
"""Metadata of constraints that were written here: for windows of so many rows."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point. On Delete nothing is done: the files go with their bucket."""
    properties = event["ResourceProperties"]
    folder = properties["Baseline"].rstrip("/")

    def work() -> None:
        if event["RequestType"] != "Delete":
            labelled = str(properties["Labelled"]).lower() == "true"
            print(f"{folder}: {give_slack(client('s3'), folder, int(properties['Rows']), labelled)}")

    answer(event, context, event.get("PhysicalResourceId") or f"slack-{folder.rpartition('/')[2]}", work)


def give_slack(s3: Any, folder: str, rows: int, labelled: bool) -> str:
    """Give slack to the constraints in a folder of S3, and say in a word what was done.

    May be called again at any time, also after it was interrupted. Raises FileNotFoundError where there is no baseline.
    """
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    baseline = _Baseline(s3, bucket, prefix)
    times = baseline.times()
    for name in (_STATISTICS, _CONSTRAINTS):
        if name not in times:
            raise FileNotFoundError(f"{folder} has no {name}: has the job that makes it been run?")
    present, made_for = baseline.read(_CONSTRAINTS)
    if made_for == str(rows):
        return "as they are to be"
    kept = times.get(ORIGINAL)
    # a job that made the baseline anew has written statistics, too: then what was kept is that of the former one
    original = baseline.read(ORIGINAL)[0] if kept and kept >= times[_STATISTICS] else None
    if made_for is None and original is not None and original != present:
        return "left alone: somebody has edited them"
    if original is None:
        original = present
        baseline.write(ORIGINAL, original, {})
    relaxed = _relaxed(original, baseline.read(_STATISTICS)[0], rows, labelled)
    baseline.write(_CONSTRAINTS, relaxed, {_ROWS: str(rows)})
    return f"for windows of {rows} rows and more"


def give_slack_to_package(s3: Any, baselines: Mapping[str, Any], rows: int) -> None:
    """Give slack to both baselines of a model package (``DriftCheckBaselines``): a pipeline's data have labels."""
    for kind in baselines.values():
        if address := kind.get("Constraints", {}).get("S3Uri"):
            folder = address.rpartition("/")[0]
            print(f"{folder}: {give_slack(s3, folder, rows, labelled=True)}")


def _relaxed(constraints: Mapping[str, Any], statistics: Mapping[str, Any], rows: int, labelled: bool) -> Any:
    if "features" in constraints:
        return slack_data.relaxed(constraints, statistics, rows, RISK, labelled)
    return slack_model.relaxed(constraints, statistics, rows, RISK)


@dataclass(frozen=True)
class _Baseline:
    """The files of a folder in S3."""

    s3: Any
    bucket: str
    prefix: str

    def times(self) -> dict[str, datetime]:
        """Return when each file was written."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/").get("Contents", [])
        return {one["Key"].rpartition("/")[2]: one["LastModified"] for one in listed}

    def read(self, name: str) -> tuple[Any, str | None]:
        """Return a file, and for windows of how many rows it was written here."""
        found = self.s3.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        return json.loads(found["Body"].read()), found.get("Metadata", {}).get(_ROWS)

    def write(self, name: str, content: Any, metadata: Mapping[str, str]) -> None:
        """Write a file."""
        body = (json.dumps(content, indent=2) + "\n").encode("utf-8")
        key = f"{self.prefix}/{name}"
        self.s3.put_object(
            Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", Metadata=dict(metadata)
        )
