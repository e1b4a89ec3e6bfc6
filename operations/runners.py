"""What jobs and endpoints run on in localcloud: made before a deployment waits for it, with progress.

The libraries of most images are installed with localcloud; PyTorch's are a gigabyte, made when they are first needed.
AWS pulls its images by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from operations.console import Console
from operations.errors import OperationError
from operations.project import LOCALCLOUD, ROOT
from operations.target import Target, without_aws
from sandcastle.config import Environment
from sandcastle.config.catalogue import image_uri


def images_of(environment: Environment, region: str) -> list[str]:
    """Return the URIs of all images that the environment's workloads prepare, train and serve with."""
    keys = {key for workload in environment.workloads for key in workload.images}
    return sorted(uri for key in keys if (uri := image_uri(key, region)))


def make_runners(target: Target, environment: Environment, console: Console) -> list[str]:
    """Make what is missing in localcloud, and return the names of what was made; nothing for AWS.

    Raises OperationError with localcloud's reason when it cannot be made.
    """
    uris = images_of(environment, target.region)
    if target.name != "local" or not uris:
        return []
    process = subprocess.Popen(
        [str(LOCALCLOUD), "runners", "--install", "--json", *uris],
        cwd=ROOT,
        env=without_aws(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    try:
        for line in process.stderr or ():
            said.append(line.rstrip())
            console.step(said[-1])
        answer = process.stdout.read() if process.stdout else ""
    finally:  # interrupted: what was downloaded is kept, and nothing goes on behind the prompt
        process.terminate()
        process.wait()
    try:
        document: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise OperationError("localcloud runners failed:\n" + "\n".join(said[-10:])) from None
    if "failure" in document:
        raise OperationError(f"localcloud cannot run this environment: {document['failure']}")
    made: list[str] = document["made"]
    return made
