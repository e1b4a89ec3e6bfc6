"""Both analyzers as programs on the same files: ours for any image, and localcloud's stand-in for Model Monitor's."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
PORTABLE = ROOT / "assets" / "monitoring"
SERVICE = ROOT / "localcloud" / "runners" / "monitor"
if str(PORTABLE) not in sys.path:
    sys.path.append(str(PORTABLE))

CSV = {"csv": {"header": True, "output_columns_position": "START"}}
CAPTURE = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
MERGED = {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}
MOMENT = "2027-01-15T08:10:00Z"
RESULTS = ("statistics", "constraints", "constraint_violations", "intake")


@dataclass(frozen=True)
class Run:
    """What a run left."""

    code: int
    folder: Path
    log: str

    def file(self, name: str) -> Any:
        """One of the result files; None when it is not there."""
        path = self.folder / "out" / f"{name}.json"
        return json.loads(path.read_text()) if path.is_file() else None

    def text(self, name: str) -> str:
        """A file of /opt/ml/output, such as the exit message."""
        path = self.folder / "output" / name
        return path.read_text() if path.is_file() else ""

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """Which check found something wrong with what."""
        found = self.file("constraint_violations")["violations"]
        return [(each.get("feature_name") or each["metric_name"], each["constraint_check_type"]) for each in found]

    @property
    def metrics(self) -> dict[str, Any]:
        """Name to value or statistics of what is left for CloudWatch."""
        found = [json.loads(line) for line in self.text("metrics/cloudwatch/cloudwatch_metrics.jsonl").splitlines()]
        return {each["MetricName"]: each.get("Value", each.get("StatisticValues")) for each in found}


def environment(form: Mapping[str, Any], source: Path, **variables: Any) -> dict[str, str]:
    """What an analysis is told."""
    told = {"dataset_format": json.dumps(form), "dataset_source": source, **variables}
    return {name: str(value) for name, value in told.items()}


def against(baseline: Run) -> dict[str, Path]:
    """The variables that name a baseline's files."""
    return {f"baseline_{name}": baseline.folder / "out" / f"{name}.json" for name in ("statistics", "constraints")}


def analyse(folder: Path, variables: Mapping[str, str], program: Path = PORTABLE / "analyze.py") -> Run:
    """Run a program to its end; its /opt/ml and its results are below the folder."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = {"output_path": str(folder / "out"), "SAGEMAKER_BASE_DIR": str(folder), **variables}
    done = subprocess.run(
        [sys.executable, str(program)],
        env={**inherited, **told},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Run(done.returncode, folder, done.stdout + done.stderr)


def both(folder: Path, variables: Mapping[str, str]) -> tuple[Run, Run]:
    """Ours, and the service's stand-in, on the same files."""
    return (
        analyse(folder / "portable", variables),
        analyse(folder / "service", variables, SERVICE / "analyzer.py"),
    )


def event(request: str, answer: str, name: str = "e", encoding: str = "CSV", **metadata: str) -> dict[str, Any]:
    """A captured event."""
    return {
        "captureData": {
            "endpointInput": {"mode": "INPUT", "encoding": encoding, "data": request},
            "endpointOutput": {"mode": "OUTPUT", "encoding": encoding, "data": answer},
        },
        "eventMetadata": {"eventId": name, "inferenceTime": MOMENT, **metadata},
        "eventVersion": "0",
    }


def label(name: str, value: str) -> dict[str, Any]:
    """What was true of an event."""
    return {
        "groundTruthData": {"data": value, "encoding": "CSV"},
        "eventMetadata": {"eventId": name},
        "eventVersion": "0",
    }


def put(path: Path, content: str | list[Any]) -> Path:
    """A file: a text, or documents, one a line. Returns the folder of all that was put beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else "".join(json.dumps(each) + "\n" for each in content)
    path.write_text(text)
    return path.parent


Engine = Literal["portable", "service"]


def inside(engine: Engine, folder: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Run an analyzer's program without a process of its own; return its result files by name.

    For many runs: a process takes half a second to begin.
    """
    told = {"output_path": str(folder / engine), **variables}
    if engine == "portable":
        module, settings = import_module("analyze"), import_module("settings").Settings.of(told)
    else:
        for path in (SERVICE, SERVICE.parent / "shared"):
            if str(path) not in sys.path:
                sys.path.append(str(path))
        module, settings = import_module("analyzer"), import_module("job").Job.of_environment(told)
    with contextlib.redirect_stdout(io.StringIO()):
        module.run(settings)
    found = {name: folder / engine / f"{name}.json" for name in RESULTS}
    return {name: json.loads(path.read_text()) for name, path in found.items() if path.is_file()}


def verdicts_of(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return which check found something wrong with what."""
    violations = found["constraint_violations"]["violations"]
    return [(each.get("feature_name") or each["metric_name"], each["constraint_check_type"]) for each in violations]
