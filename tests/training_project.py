"""A project folder of its own with a small workload for each way to train, for tests of templates and of deploys."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.synthesis import ROOT

NAME = "trainings"

_ENVIRONMENT = f"""\
name: {NAME}
region: us-east-1
monthly_budget_usd: 2000
expires_after: never
workloads:
  searched: {{train: {{tune: true}}}}
  spread: {{endpoint: {{kind: none}}}}
  scripted: {{}}
  finished: {{}}
"""

_DESCRIPTION = """\
title: Is the sum large?
description: Rows of two numbers between 0 and 1, and whether their sum is more than 1.
tutorial: None.
data:
  full: {{s3: "s3://nobody-{{region}}/sums.csv"}}
  sample: {{origin: generated}}
prepare: {{image: sklearn, instance: ml.m5.large, max_runtime_minutes: 5}}
train:{train}
serve: {{{handler}instance: ml.m5.large, content_type: text/csv, accept: text/csv}}
evaluate: {{positive: large, negative: small, score: csv}}
"""

_SEARCHED = """
  algorithm: xgboost
  instance: ml.m5.large
  max_runtime_minutes: 5
  spot: true
  max_wait_minutes: 10
  channels: {train: text/csv, validation: text/csv}
  hyperparameters: {objective: binary:logistic, eval_metric: auc, num_round: 3, max_depth: 2}
  tuning:
    strategy: Random
    objective: validation:auc
    goal: Maximize
    max_jobs: 4
    parallel_jobs: 2
    ranges:
      eta: {kind: continuous, min: 0.1, max: 0.9}
      max_depth: {kind: integer, min: 1, max: 3}
      tree_method: {kind: categorical, values: [exact, hist]}
"""

_SPREAD = """
  algorithm: linear-learner
  instance: ml.m5.large
  instances: 2
  max_runtime_minutes: 5
  spot: true
  max_wait_minutes: 10
  channels: {train: text/csv}
  hyperparameters: {predictor_type: binary_classifier, feature_dim: 2, mini_batch_size: 10, epochs: 2}
"""

_SCRIPTED = r"""
  framework: sklearn
  script: train.py
  instance: ml.m5.large
  max_runtime_minutes: 5
  channels: {train: text/csv}
  hyperparameters: {start: 0.5}
  metrics: {"train:accuracy": 'accuracy=(\S+)'}
"""

_FINISHED = "\n  framework: sklearn\n  artifact: {file: model.tar.gz}"

_PREPARE = """\
import job
import numpy as np

def main():
    rows = np.random.default_rng(7).random((120, 2))
    labels = (rows.sum(axis=1) > 1).astype(int)
    parts = {"train": slice(0, 80), "validation": slice(80, 100), "test": slice(100, 120)}
    for name, part in parts.items():
        job.write_csv(job.output(name) / f"{name}.csv", labels[part], rows[part])
    counts = {name: part.stop - part.start for name, part in parts.items()}
    job.write_about(
        origin="generated", source="sums", rows=counts, features=["a", "b"], label="large", classes=["small", "large"]
    )

job.run(main)
"""

_TRAIN = """\
\"\"\"Finds the threshold of the sum that separates the rows best, from ``start`` on.\"\"\"
import argparse, csv, json, os, shutil
from pathlib import Path
import rows

parser = argparse.ArgumentParser()
parser.add_argument("--start", type=float)
start = parser.parse_known_args()[0].start
found = rows.read((Path(os.environ["SM_CHANNEL_TRAIN"]) / "train.csv").read_text())
best = max((start + step / 10 for step in range(11)), key=lambda one: rows.accuracy(found, one))
print(f"accuracy={rows.accuracy(found, best):.4f}")
folder = Path(os.environ["SM_MODEL_DIR"])
(folder / "model.json").write_text(json.dumps(best))
(folder / "code").mkdir()
shutil.copyfile(Path(__file__).parent / "inference.py", folder / "code" / "inference.py")
"""

_ROWS = """\
def read(text):
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]

def accuracy(rows, threshold):
    return sum((sum(row[1:]) > threshold) == bool(row[0]) for row in rows) / len(rows)
"""

_INFERENCE = """\
import json
from pathlib import Path

def model_fn(model_dir):
    return json.loads((Path(model_dir) / "model.json").read_text())

def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]

def predict_fn(rows, threshold):
    return [float(sum(row) > threshold) for row in rows]

def output_fn(answers, accept):
    return "\\n".join(str(answer) for answer in answers), accept
"""


@dataclass(frozen=True)
class TrainingProject:
    """The project's folder, and its environment file."""

    root: Path

    @property
    def file(self) -> Path:
        """The environment's file."""
        return self.root / "environments" / f"{NAME}.yaml"

    def workload(self, name: str) -> Path:
        """The workload's folder."""
        return self.root / "assets" / "workloads" / name


def training_project(root: Path) -> TrainingProject:
    """Write the project below the folder: four workloads, the functions and shared modules of this one."""
    project = TrainingProject(root)
    (root / "assets" / "workloads").mkdir(parents=True)
    for name in ("functions", "lifecycle", "tutorials", "workloads/shared"):
        (root / "assets" / name).symlink_to(ROOT / "assets" / name)
    project.file.parent.mkdir()
    project.file.write_text(_ENVIRONMENT)
    sections = {"searched": _SEARCHED, "spread": _SPREAD, "scripted": _SCRIPTED, "finished": _FINISHED}
    for name, train in sections.items():
        folder = project.workload(name)
        folder.mkdir()
        handler = "script: inference.py, " if "framework" in train else ""
        (folder / "workload.yaml").write_text(_DESCRIPTION.format(train=train, handler=handler))
        (folder / "prepare.py").write_text(_PREPARE)
        if handler:
            (folder / "inference.py").write_text(_INFERENCE)
    scripted = project.workload("scripted")
    (scripted / "train.py").write_text(_TRAIN)
    (scripted / "rows.py").write_text(_ROWS)
    _pack(project.workload("finished") / "model.tar.gz", {"model.json": "1.0", "code/inference.py": _INFERENCE})
    return project


def _pack(target: Path, files: dict[str, str]) -> None:
    with tarfile.open(target, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
