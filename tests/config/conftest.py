"""A project folder of its own, with two small workloads, for environment files that may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandcastle.config import ConfigError, Environment, load_environment

WORKLOAD = """\
title: A question?
description: One paragraph.
tutorial: Somewhere.
data:
  full: {{s3: "s3://public-{{region}}/data/{name}.csv"}}
  sample: {{origin: real}}
prepare: {{image: sklearn, instance: ml.m5.large, volume_gb: 10, max_runtime_minutes: 20}}
train:
  algorithm: xgboost
  instance: ml.m5.large
  max_runtime_minutes: 30
  spot: {spot}
  {wait}
  channels: {{train: text/csv}}
  hyperparameters: {{num_round: 100, eta: 0.2}}
serve: {{instance: ml.m5.large, content_type: text/csv, accept: text/csv}}
evaluate: {{positive: "yes", negative: "no", score: csv, threshold: 0.5, batch_rows: 100}}
"""

VALID = """\
name: test
region: us-east-1
monthly_budget_usd: 200
notify: [a@example.com]
data: sample
workloads:
  plain: {}
  spotty:
    train: {instance: ml.m5.xlarge}
    endpoint: {instance: ml.m5.large, capture_percent: 50}
    hyperparameters: {num_round: 7}
expires_after: never
"""


@dataclass(frozen=True)
class Project:
    """The folder, and the environment file ``test`` in it."""

    root: Path

    def load(self, text: str | bytes, region: str | None = None) -> Environment:
        """Load the text as environment ``test``."""
        file = self.root / "environments" / "test.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_environment("test", self.root, region)

    def refuse(self, text: str | bytes, region: str | None = None) -> ConfigError:
        """Load the text and return the error that it must raise."""
        with pytest.raises(ConfigError) as error:
            self.load(text, region)
        return error.value

    def workload(self, name: str, change: Callable[[str], str]) -> None:
        """Change a workload's file."""
        file = self.root / "assets" / "workloads" / name / "workload.yaml"
        file.write_text(change(file.read_text()))


def make_project(root: Path) -> Project:
    """Return a project in the folder."""
    (root / "environments").mkdir(parents=True)
    for name, spot, wait in (("plain", "false", "volume_gb: 10"), ("spotty", "true", "max_wait_minutes: 40")):
        folder = root / "assets" / "workloads" / name
        folder.mkdir(parents=True)
        (folder / "workload.yaml").write_text(WORKLOAD.format(name=name, spot=spot, wait=wait))
    return Project(root)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)
