"""The analyzer and the merger as programs, and their modules, which import each other by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.localcloud.jobs.runner_modules import RUNNERS

_FOLDER = RUNNERS / "monitor"
if str(_FOLDER) not in sys.path:
    sys.path.append(str(_FOLDER))

DATA, OUT = "processing/input/baseline_dataset_input", "processing/output"


@dataclass(frozen=True)
class Result:
    """What a run left."""

    code: int
    base: Path
    log: str

    def file(self, name: str) -> Any:
        """One of the result files; None when it is not there."""
        path = self.base / OUT / name
        return json.loads(path.read_text()) if path.is_file() else None

    def text(self, name: str) -> str:
        """A file of /opt/ml/output, such as the exit message."""
        path = self.base / "output" / name
        return path.read_text() if path.is_file() else ""

    @property
    def violations(self) -> list[tuple[str, str]]:
        """Which check found something wrong with what."""
        found = self.file("constraint_violations.json")["violations"]
        return [(each.get("feature_name") or each["metric_name"], each["constraint_check_type"]) for each in found]

    @property
    def metrics(self) -> dict[str, Any]:
        """Name to value or statistics of what is left for CloudWatch."""
        lines = self.text("metrics/cloudwatch/cloudwatch_metrics.jsonl").splitlines()
        found = [json.loads(line) for line in lines]
        return {each["MetricName"]: each.get("Value", each.get("StatisticValues")) for each in found}


def environment(form: Mapping[str, Any], **variables: str) -> dict[str, str]:
    """What the service gives an analysis, and these variables."""
    return {
        "dataset_format": json.dumps(form),
        "dataset_source": f"/opt/ml/{DATA}",
        "output_path": f"/opt/ml/{OUT}",
        "publish_cloudwatch_metrics": "Disabled",
        **variables,
    }


CSV = {"csv": {"header": True, "output_columns_position": "START"}}
CAPTURE = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
MERGED = {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}


def put(base: Path, name: str, content: str) -> None:
    """A file below /opt/ml."""
    path = base / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def run(base: Path, variables: Mapping[str, str], program: str = "analyzer.py") -> Result:
    """Run it to its end on /opt/ml = `base`."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, str(_FOLDER / program)],
        env={**inherited, "SAGEMAKER_BASE_DIR": str(base), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Result(done.returncode, base, done.stdout + done.stderr)


def captured(rows: Sequence[tuple[str, str]], encoding: str = "CSV", **metadata: str) -> str:
    """Lines of a capture file: (request, answer) each."""
    lines = []
    for number, (request, answer) in enumerate(rows):
        sides = {
            "endpointInput": {"mode": "INPUT", "encoding": encoding, "data": request},
            "endpointOutput": {"mode": "OUTPUT", "encoding": encoding, "data": answer},
        }
        event = {"eventId": f"event-{number}", "inferenceTime": "2027-01-15T08:10:00Z", **metadata}
        lines.append(json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}))
    return "\n".join(lines) + "\n"
