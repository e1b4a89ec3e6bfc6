"""Running the scripts of a workload as AWS's toolkits do: train.py with arguments and ``SM_*``, inference.py imported.

The toolkits' modules that handlers import are localcloud's stand-ins for them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .conftest import REPOSITORY, WORKLOADS, Prepared

TOOLKITS = REPOSITORY / "localcloud" / "runners" / "framework" / "packages"


@dataclass(frozen=True)
class Request:
    """What an endpoint is asked."""

    body: bytes
    content_type: str = "application/json"
    accept: str = "application/json"
    fetched: bytes | None = None
    """What the handlers' ``fetch`` returns, whatever the address, in place of asking anybody."""


@dataclass(frozen=True)
class Answer:
    """What it answers. ``status`` is 200 unless the handlers chose another."""

    status: int
    content_type: str
    text: str


def train(python: Path, workload: str, prepared: Prepared, model: Path, *arguments: str) -> str:
    """Run ``train.py`` with hyperparameters as arguments; return its log. Raises when it fails."""
    channels = {
        f"SM_CHANNEL_{name.upper()}": str(prepared.root / "processing" / "output" / name)
        for name in ("train", "validation")
    }
    done = subprocess.run(
        [str(python), str(WORKLOADS / workload / "train.py"), *arguments],
        env=channels | {"SM_MODEL_DIR": str(model), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(python: Path, model: Path, requests: Sequence[Request]) -> list[Answer]:
    """Return what the handlers in ``model/code`` answer to each request, all in one process."""
    given = [
        [
            request.body.decode("latin-1"),
            request.content_type,
            request.accept,
            None if request.fetched is None else request.fetched.decode("latin-1"),
        ]
        for request in requests
    ]
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("handlers.py")), str(model)],
        input=json.dumps(given),
        env={"PYTHONPATH": os.pathsep.join([str(model / "code"), str(TOOLKITS)]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [Answer(*answer) for answer in json.loads(done.stdout.splitlines()[-1])]
