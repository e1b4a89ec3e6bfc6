"""Same input, same bytes: in another process, with another hash seed, another folder, other file dates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.synthesis import ROOT

COPIED = ("app.py", "cdk.json", "assets", "environments", "stacks", "constructs")


def synthesise_in(root: Path, out: Path, seed: str) -> dict[str, bytes]:
    environ = {**os.environ, "CDK_OUTDIR": str(out), "PYTHONHASHSEED": seed, "PYTHONPATH": str(root / "constructs")}
    environ.pop("CDK_CONTEXT_JSON", None)
    subprocess.run([sys.executable, "app.py"], cwd=root, env=environ, check=True)
    return {file.name: file.read_bytes() for file in out.glob("*.json")}


def test_templates_and_manifests_are_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "project"
    copy.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    for file in copy.rglob("*"):
        os.utime(file, (0, 0))
    first = synthesise_in(ROOT, tmp_path / "first", "1")
    second = synthesise_in(copy, tmp_path / "second", "2")
    assert set(first) == set(second)
    assert len([name for name in first if name.endswith(".template.json")]) == 7
    differing = [name for name in first if first[name] != second[name]]
    assert differing == []
