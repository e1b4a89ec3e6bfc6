"""What BASE and HEAD name: a folder that ``cdk synth`` wrote, or a git ref, which is synthesised as its own code says.

A ref gets a worktree of its own. Where its lock files are those of this checkout, this checkout's installation is used;
else its own is installed with its own lock files (minutes, once), or a library's upgrade would look like the change's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.project import BIN, ROOT
from operations.review.gate import FILE

LOCKS = ("requirements.txt", "package-lock.json")
"""Files that decide which libraries synthesise."""

_ACCOUNT = "000000000000"
"""Stands for whichever account is deployed to: none is asked."""


@dataclass(frozen=True)
class Side:
    """One side of the change: its name, its folder of templates, and its file of approvals, which need not exist."""

    name: str
    folder: Path
    approvals: Path
    made: bool = False
    """Whether it was synthesised here, from a ref: then reports may be written into it."""


@contextmanager
def side(given: str, environment: str, console: Console, region: str) -> Iterator[Side]:
    """Give the side that a command line names; what was made for it is removed at the end.

    Raises UsageError when it is neither a folder of templates nor a git ref, OperationError when its code does not
    synthesise.
    """
    folder = Path(given)
    if (folder / "manifest.json").exists():
        yield Side(given, folder, folder / FILE)
        return
    if folder.is_dir():
        raise UsageError(f"{given} is a folder without manifest.json: cdk synth writes one.")
    commit = _git(ROOT, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}", may_fail=True)
    if not commit:
        raise UsageError(f"{given} is neither a folder that cdk synth wrote nor a git ref of this repository.")
    with tempfile.TemporaryDirectory(prefix="sandcastle-review-") as made:
        tree, out = Path(made, "tree"), Path(made, "cdk.out")
        console.step(f"Synthesising {given} ({commit[:10]}), environment {environment} ...")
        _git(ROOT, "worktree", "add", "--detach", "--force", str(tree), commit)
        try:
            _synthesise(tree, out, environment, region, console)
            yield Side(f"{given} ({commit[:10]})", out, tree / FILE, made=True)
        finally:
            _git(ROOT, "worktree", "remove", "--force", str(tree), may_fail=True)


def _synthesise(tree: Path, out: Path, environment: str, region: str, console: Console) -> None:
    python = BIN / "python"
    if any(_bytes(tree / name) != _bytes(ROOT / name) for name in LOCKS):
        console.step("Its lock files are not those of this checkout: installing them ...")
        _run(["make", "--silent", "install"], tree, {}, "make install")
        python = tree / ".venv" / "bin" / "python"
    written = json.loads((tree / "cdk.json").read_text(encoding="utf-8")).get("context", {})
    context = {**written, "environment": environment, "sources": "true", "validate": "true"}
    settings = {
        "CDK_OUTDIR": str(out),
        "CDK_DEFAULT_REGION": region,
        "CDK_DEFAULT_ACCOUNT": _ACCOUNT,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "PYTHONPATH": os.pathsep.join(
            [str(tree), str(tree / "constructs")]
        ),  # before what is installed in editable form
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    _run([str(python), "app.py"], tree, settings, "its app.py")
    if not (out / "manifest.json").exists():
        raise OperationError(f"{tree.name}: app.py ended well and wrote no templates to {out}.")


def _run(command: list[str], folder: Path, settings: Mapping[str, str], what: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise OperationError(f"{what} failed with exit code {done.returncode}; the lines above say why.")


def _git(folder: Path, *arguments: str, may_fail: bool = False) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise OperationError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return "" if done.returncode else done.stdout.strip()


def _bytes(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""
