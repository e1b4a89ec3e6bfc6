"""``sandcastle tutorial WORKLOAD --open``: JupyterLab, in a virtual environment of its own that is made at first use.

The default environment stays light. JupyterLab only shows notebooks: they run on the Python of this project.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from operations.console import Console
from operations.errors import OperationError
from operations.project import ROOT, display

HOME = ROOT / ".jupyter"
LOCK = ROOT / "operations" / "jupyter.txt"


def lab() -> Path:
    """Return the program, which need not be there yet."""
    return HOME / "bin" / "jupyter-lab"


def install(console: Console) -> None:
    """Make the virtual environment unless it is there as the lock file has it. Raises OperationError when pip fails.

    It gets its name when it is whole: an installation that broke off is begun again.
    """
    made = HOME / ".installed"
    if made.exists() and made.read_bytes() == LOCK.read_bytes():
        return
    console.step(f"installing JupyterLab into {display(HOME)}: once, about 250 MB and a minute or two")
    partial = HOME.with_name(".jupyter-partial")
    for old in (partial, HOME):
        shutil.rmtree(old, ignore_errors=True)
    venv.create(HOME, with_pip=True, symlinks=True)
    pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check"]
    line = [*pip, "--require-hashes", "-r", str(LOCK), "--progress-bar", "off"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # asked for above
        tail: list[str] = []
        for text in process.stdout:
            tail = [*tail[-20:], text.rstrip()]
            if text.startswith(("Collecting ", "Installing ")):
                console.step(text.strip()[:100])
    if process.returncode:
        raise OperationError("JupyterLab could not be installed:\n" + "\n".join(tail))
    _use_our_python()
    shutil.copyfile(LOCK, made)


def _use_our_python() -> None:
    """Have JupyterLab's one kernel be this project's Python."""
    spec = HOME / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    argv = [str(ROOT / ".venv" / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}), encoding="utf-8")


def run(folder: Path, notebook: str, env: dict[str, str]) -> int:
    """Open the notebook below the folder in JupyterLab and wait until it is closed; return its exit code."""
    environ = {**os.environ, **env, "JUPYTER_CONFIG_DIR": str(HOME / "etc"), "JUPYTER_DATA_DIR": str(HOME / "data")}
    line = [
        str(lab()),
        f"--notebook-dir={folder}",
        f"--LabApp.default_url=/lab/tree/{notebook}",
        "--KernelSpecManager.ensure_native_kernel=False",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(
            ["--allow-root"] if os.geteuid() == 0 else []
        ),  # in a container everybody is; it listens on this machine only
    ]
    sys.stdout.flush()
    return subprocess.call(line, env=environ, cwd=folder)
