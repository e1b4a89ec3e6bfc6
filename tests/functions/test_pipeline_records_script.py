"""A monitor of data quality is told of the script that makes rows of what was captured, and the script of answers."""

from __future__ import annotations

from typing import Any

import pytest
from pipeline_monitors import Monitors

_URI = "s3://assets/abc.py"
_FILE = {"S3Uri": "s3://data/file.json"}
_BASELINES = {part: {"Constraints": _FILE, "Statistics": _FILE} for part in ("ModelDataQuality", "ModelQuality")}
_VARIABLES = {
    "TAGS": "{}",
    "MONITOR_IMAGE": "image",
    "MONITOR_ROLE": "role",
    "REPORTS_URI": "s3://reports/monitoring",
    "PROBLEM_TYPE": "BinaryClassification",
    "ACCEPT": "text/csv",
    "THRESHOLD": "0.3",
}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        (
            {"RECORDS_SCRIPT": _URI},
            {
                "RecordPreprocessorSourceUri": _URI,
                "Environment": {
                    "SANDCASTLE_KIND": "binary",
                    "SANDCASTLE_ANSWER": "csv",
                    "SANDCASTLE_THRESHOLD": "0.3",
                },
            },
        ),
    ],
)
def test_the_script_of_data_quality(variables: dict[str, str], expected: dict[str, Any]) -> None:
    monitors = Monitors.of({**_VARIABLES, **variables}, "endpoint")
    application = monitors.definition("DataQuality", _BASELINES)["DataQualityAppSpecification"]
    assert application == {"ImageUri": "image", **expected}
    assert "RecordPreprocessorSourceUri" not in str(monitors.definition("ModelQuality", _BASELINES))
