"""requirements.txt of the customer's code, by pip.

pip installs into the job's own environment (see `private_python` of localcloud). It needs a network: in a job or
endpoint that is isolated it fails as it does on AWS.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


class InstallRequirementsError(Exception):
    """pip failed; the text is the toolkit's."""


def install(code: Path, log: Callable[[str], None]) -> None:
    """`pip install -r requirements.txt` in the folder when it has one. Raises InstallRequirementsError."""
    if not (code / "requirements.txt").exists():
        return
    log("Installing dependencies from requirements.txt")
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-r", "requirements.txt"]
    done = subprocess.run(command, cwd=code, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    sys.stderr.write(done.stderr)
    if done.returncode:
        raise InstallRequirementsError(
            f"InstallRequirementsError:\nExitCode {done.returncode}\n"
            f'ErrorMessage "{done.stderr.strip()}"\nCommand "{" ".join(command)}"'
        )
