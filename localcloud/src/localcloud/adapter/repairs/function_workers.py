"""Lambda workers see neither the server's packages nor the host's environment, and end with their function.

MiniStack runs python functions with its own interpreter (so with its site-packages), hands every worker the whole
environment of the server and keeps the workers of functions that CloudFormation deleted.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services.cloudformation import provisioners

from localcloud.adapter.cfn import Props
from localcloud.nursery import Nursery
from localcloud.settings import functions_node_modules, functions_python, node_binary

#: variables of the server that a worker keeps
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")


def install() -> None:
    """Choose interpreters, filter the environment, end workers."""

    def detect(runtime: str) -> tuple[str, str]:
        if runtime.startswith("python"):
            return str(functions_python()), lambda_runtime._PYTHON_WORKER_SCRIPT
        if runtime.startswith("nodejs"):
            return node_binary(), lambda_runtime._NODEJS_WORKER_SCRIPT
        return "", ""

    lambda_runtime._detect_runtime_binary = detect
    lambda_runtime.subprocess = _Subprocess()
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    before_delete = handlers["delete"]

    def delete(physical_id: str, props: Props) -> None:
        before_delete(physical_id, props)
        lambda_runtime.invalidate_worker(physical_id)

    handlers["delete"] = delete


class _Subprocess:
    """The subprocess module as MiniStack's worker module sees it, with a clean environment for each child."""

    def __init__(self) -> None:
        self._nursery = Nursery(functions_python, lambda: worker_environment(dict(os.environ)))

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: list[str], env: dict[str, str], **options: Any) -> Any:
        clean = worker_environment(env)
        forked = None
        if command[0] == str(functions_python()):
            forked = self._nursery.fork(command[1], options["cwd"], clean)
        return forked or subprocess.Popen(command, env=clean, **options)


def worker_environment(proposed: dict[str, str]) -> dict[str, str]:
    """What MiniStack proposes (the server's environment under the function's) without the server's part."""
    env = {k: v for k, v in proposed.items() if k in _KEPT or os.environ.get(k) != v}
    scratch = Path(os.environ["TMPDIR"]) / "functions"
    scratch.mkdir(exist_ok=True)
    env["TMPDIR"] = env["HOME"] = str(scratch)
    env["AWS_EC2_METADATA_DISABLED"] = "true"
    # layers come first, as on AWS, where the runtime's own SDK is the fallback
    env["NODE_PATH"] = os.pathsep.join(filter(None, [proposed.get("NODE_PATH"), str(functions_node_modules())]))
    return env
