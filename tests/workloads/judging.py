"""Running ``assets/pipeline/evaluate.py`` as its processing job does, on models that were really trained."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .conftest import REPOSITORY, Prepared

PIPELINE = REPOSITORY / "assets" / "pipeline"
_RUN = "import runpy,sys; sys.path[:0]=sys.argv[1:]; runpy.run_module('evaluate', run_name='__main__')"


@dataclass(frozen=True)
class Judged:
    """What a run of evaluate.py left."""

    root: Path
    code: int
    log: str

    @property
    def output(self) -> Path:
        return self.root / "processing" / "output"

    @property
    def evaluation(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.output / "evaluation" / "evaluation.json").read_text())
        return document

    @property
    def predictions(self) -> list[dict[str, str]]:
        return list(csv.DictReader((self.output / "predictions" / "predictions.csv").open()))

    @property
    def smoke(self) -> tuple[list[str], list[Any]]:
        """The rows that are asked about, and the answers that are expected."""
        rows = (self.output / "smoke" / "input.csv").read_text().splitlines()
        answers = (self.output / "smoke" / "expected.jsonl").read_text().splitlines()
        return rows, [json.loads(line) for line in answers]

    @property
    def exit_message(self) -> str:
        return (self.root / "output" / "message").read_text()


def judge(python: Path, root: Path, prepared: Prepared, model: Path, **variables: str) -> Judged:
    """Judge the model in a folder, packed as a training job packs it, by the test split of what was prepared."""
    given = root / "processing" / "input"
    shutil.copytree(prepared.root / "processing" / "output" / "test", given / "test")
    shutil.copytree(prepared.root / "processing" / "output" / "about", given / "about")
    (given / "model").mkdir()
    with tarfile.open(given / "model" / "model.tar.gz", "w:gz") as packed:
        for path in sorted(model.iterdir()):
            packed.add(path, path.name)
    return judge_archive(python, root, **variables)


def judge_archive(python: Path, root: Path, **variables: str) -> Judged:
    """Judge what lies below the folder already."""
    program = root / "evaluate.zip"
    with zipfile.ZipFile(program, "w") as zipped:
        for path in sorted(PIPELINE.glob("*.py")):
            zipped.write(path, path.name)
    environment = {"SAGEMAKER_BASE_DIR": str(root), "OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        [str(python), "-c", _RUN, str(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Judged(root, done.returncode, done.stdout + done.stderr)
