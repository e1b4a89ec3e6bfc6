"""What the portable analyzer costs on a million captured rows, against ``pandas.describe`` of the same rows.

The base is what one would write by hand: read the lines, take the CSV out of them, have pandas parse and describe it,
all in memory. It knows neither types, sketches nor checks. Both run on one core, after each other; their seconds are
those of that core's work, which other programs of the machine change little.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.measure import ROOT, line

_ROWS, _FILES = 1_000_000, 10
_ANALYZER = ROOT / "assets" / "monitoring" / "analyze.py"
_MOMENT = "2027-01-15T08:10:00Z"
_FRACTIONS, _INTEGERS, _FLAGS = 10, 6, 4
_PANDAS = """
import io, json, pathlib, sys
import pandas as pd
text = io.StringIO()
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.jsonl")):
    for line in path.open():
        sides = json.loads(line)["captureData"]
        text.write(sides["endpointOutput"]["data"].strip() + "," + sides["endpointInput"]["data"].strip() + "\\n")
text.seek(0)
print(pd.read_csv(text, header=None).describe(include="all").shape)
"""


def run() -> None:
    """Print seconds and megabytes of both kinds of analysis and of the base."""
    print(f"{_ROWS:,} captured rows of {1 + _FRACTIONS + _INTEGERS + _FLAGS} columns (baseline: pandas.describe)")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        size = write_traffic(base, _ROWS, _FILES)
        line("size of the capture files", size / 1e6, "MB")
        python = [sys.executable]
        seconds, _ = alone([*python, "-c", "import pandas"], {})
        line("start of Python with pandas alone", seconds)
        of_pandas, memory_of_pandas = alone([*python, "-c", _PANDAS, str(base / "capture")], {})
        line("pandas.describe", of_pandas)
        line("its memory", memory_of_pandas, "MB")
        write_baseline(base)
        for what, variables in (("data quality against a baseline", data(base)), ("model quality", model(base))):
            seconds, memory = alone([*python, str(_ANALYZER)], variables)
            line(what, seconds, base=of_pandas)
            line("its memory", memory, "MB", base=memory_of_pandas)


def alone(command: Sequence[str], variables: Mapping[str, str]) -> tuple[float, float]:
    """Run a command on one core; return its CPU seconds and the most memory that it had, in MB."""
    core = min(os.sched_getaffinity(0))
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], **one, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - nothing here has threads
    )
    assert process.stdout is not None
    log = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}:\n{log}")
    return usage.ru_utime + usage.ru_stime, _megabytes(usage)


def write_traffic(base: Path, rows: int, files: int) -> int:
    """Write captured traffic and labels below a folder, seeded; return how many bytes were captured."""
    chance = np.random.default_rng(7)
    pattern = ",".join(["%.4f"] * _FRACTIONS + ["%d"] * (_INTEGERS + _FLAGS))
    size = 0
    for number in range(files):
        several = rows // files
        table = np.hstack(
            [
                chance.normal(size=(several, _FRACTIONS)),
                chance.poisson(40, size=(several, _INTEGERS)),
                chance.integers(0, 2, size=(several, _FLAGS)),
            ]
        )
        scores = chance.random(several)
        right = chance.random(several) < 0.9
        captured, labels = [], []
        for row, (values, score, ok) in enumerate(zip(table.tolist(), scores.tolist(), right.tolist(), strict=True)):
            name = f"{number:04}-{row:07}-0000-0000"
            captured.append(_event(name, pattern % tuple(values), f"{score:.6f}"))
            labels.append(_label(name, int((score > 0.5) == ok)))
        for kind, lines in (("capture/endpoint/AllTraffic", captured), ("truth", labels)):
            path = base / kind / "2027/01/15/08" / f"10-00-{number:03}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(lines), encoding="utf-8")
            size += path.stat().st_size if lines is captured else 0
    return size


def write_baseline(base: Path) -> None:
    """Make a baseline of other rows of the same distributions."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder)
        write_traffic(other, 5000, 1)
        alone([sys.executable, str(_ANALYZER)], {**data(other), "output_path": str(base / "baseline"), **_WITHOUT})


def data(base: Path) -> dict[str, str]:
    """Return the variables of an analysis of data."""
    return {
        "SAGEMAKER_BASE_DIR": str(base / "ml"),
        "dataset_format": json.dumps({"sagemakerCaptureJson": {}}),
        "dataset_source": str(base / "capture"),
        "output_path": str(base / "out"),
        "baseline_statistics": str(base / "baseline" / "statistics.json"),
        "baseline_constraints": str(base / "baseline" / "constraints.json"),
    }


def model(base: Path) -> dict[str, str]:
    """Return the variables of an analysis of a model, which merges labels itself."""
    return {
        **data(base),
        **_WITHOUT,
        "ground_truth_source": str(base / "truth"),
        "analysis_type": "MODEL_QUALITY",
        "problem_type": "BinaryClassification",
        "probability_attribute": "0",
    }


_WITHOUT = {"baseline_statistics": "", "baseline_constraints": ""}


def _event(name: str, request: str, answer: str) -> str:
    return (
        '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"'
        f'{request}","encoding":"CSV"}},"endpointOutput":{{"observedContentType":"text/csv; charset=utf-8",'
        f'"mode":"OUTPUT","data":"{answer}\\n","encoding":"CSV"}}}},"eventMetadata":{{"eventId":"{name}",'
        f'"inferenceTime":"{_MOMENT}"}},"eventVersion":"0"}}\n'
    )


def _label(name: str, value: int) -> str:
    return (
        f'{{"groundTruthData":{{"data":"{value}","encoding":"CSV"}},"eventMetadata":{{"eventId":"{name}"}},'
        '"eventVersion":"0"}\n'
    )


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024  # Linux counts in kilobytes
