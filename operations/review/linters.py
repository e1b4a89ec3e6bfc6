"""Runs the linters over the stacks that differ, on both sides with the same rules: those of this checkout.

What they say is written beside the templates, where ``findings`` reads it. cdk-nag is a tool of tests: where it is not
installed nothing of it is said.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from operations.errors import OperationError
from operations.project import BIN, ROOT
from operations.review.findings import LINT, NAG


def lint(base: Path, head: Path) -> None:
    """Run cfn-lint and cdk-nag over every stack whose template is not the same on both sides.

    Raises OperationError when a linter fails, which is not the same as finding something.
    """
    sides = {folder: {file.name: file for file in folder.glob("*.template.json")} for folder in (base, head)}
    same = {name for name, file in sides[base].items() if name in sides[head] and _same(file, sides[head][name])}
    for folder, files in sides.items():
        chosen = [file for name, file in sorted(files.items()) if name not in same]
        (folder / LINT).write_text(_cfn_lint(chosen) if chosen else "[]", encoding="utf-8")
        if find_spec("cdk_nag"):
            _cdk_nag(folder, chosen)


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _cfn_lint(files: Sequence[Path]) -> str:
    command = [str(BIN / "cfn-lint"), "--format", "json", "--", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        json.loads(done.stdout)
    except ValueError:
        raise OperationError(f"cfn-lint failed with exit code {done.returncode}: {done.stderr.strip()}") from None
    return done.stdout


def _cdk_nag(folder: Path, files: Sequence[Path]) -> None:
    command = [sys.executable, "-m", "operations.review.nag", str(folder / NAG), *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperationError(f"cdk-nag failed with exit code {done.returncode}: {done.stderr.strip()}")
