"""Synthesises an environment into a folder by itself: no CDK command line, no target, no credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from operations.errors import OperationError
from operations.project import ROOT


def synthesise(environment: str, folder: Path, region: str | None = None) -> None:
    """Write the templates of an environment, a name or a path of a file, into a folder.

    ``region`` counts where the file names none. Raises OperationError with what went wrong.
    """
    values = {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], **_looked_up()}
    settings = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))},
        "CDK_CONTEXT_JSON": json.dumps({**values, "environment": environment, "validate": "false"}),
        "CDK_OUTDIR": str(folder),
        **({"CDK_DEFAULT_REGION": region} if region else {}),
    }
    line = [sys.executable, str(ROOT / "app.py")]
    done = subprocess.run(line, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperationError(f"The environment could not be synthesised:\n{done.stderr.strip()}")


def _looked_up() -> dict[str, object]:
    """Return what the doctor and CDK have written down (cdk.context.json)."""
    file = ROOT / "cdk.context.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}
