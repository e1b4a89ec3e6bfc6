"""A wrong environment file stops the app at once: before CDK is loaded, with its own exit code."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.synthesis import ROOT


def run(folder: Path, context: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(folder / "out")}
    environ.pop("CDK_DEFAULT_REGION", None)
    command = [sys.executable, *arguments, str(ROOT / "app.py")]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_wrong_environment_stops_within_a_second_and_loads_no_cdk(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    stopped = run(tmp_path, '{"environment": "lokal"}')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert stopped.returncode == 2
    assert "did you mean local?" in stopped.stderr
    assert stopped.stdout == ""
    assert not (tmp_path / "out").exists()
    # Processor time, because wall time on a busy machine says nothing about the app.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
    loaded = run(tmp_path, '{"environment": "lokal"}', "-X", "importtime").stderr
    assert "sandcastle.config" in loaded
    assert "aws_cdk" not in loaded
    assert "jsii" not in loaded


def test_no_region_anywhere_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    file.write_text("name: nowhere\nmonthly_budget_usd: 500\nexpires_after: never\nworkloads: {bank: {}}\n")
    stopped = run(tmp_path, json.dumps({"environment": str(file)}))
    assert stopped.returncode == 2
    assert "nowhere.yaml:1: region" in stopped.stderr


@pytest.mark.parametrize("context", ["{}", '{"environment": "local"}'])
def test_local_is_the_default(tmp_path: Path, context: str) -> None:
    assert run(tmp_path, context).returncode == 0
    assert (tmp_path / "out" / "sandcastle-local-foundation.template.json").exists()
