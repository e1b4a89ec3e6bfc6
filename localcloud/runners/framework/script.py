"""The customer's script as a process of its own: how it is started, and what is told when it fails.

As in aws/sagemaker-training-toolkit (`_entry_point_type.py`, `process.py`, `errors.py`).
"""

import builtins
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO, Literal

from log import log
from training_environment import TrainingEnvironment

Kind = Literal["program", "package", "command"]
#: where the hosts of a PyTorch job meet
_MASTER_PORT = "7777"
_KILLED = 137
#: what of the script's errors a failure reason can hold is much less (1,024 characters)
_MOST_LINES = 200
_BUILT_IN = [name for name in dir(builtins) if isinstance(getattr(builtins, name), type)]
#: from the first line that names an exception on, what is printed is the error
_ERROR = re.compile(
    "|".join(
        [r"^[\w.]*(?:Error|Exception)\b", *(n for n in _BUILT_IN if issubclass(getattr(builtins, n), BaseException))]
    )
)


class ScriptError(Exception):
    """The script ended with another exit code than 0; the text is the toolkit's."""

    def __init__(self, code: int, message: str, command: list[str], name: str = "ExecuteUserScriptError") -> None:
        extra = '\nExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' if code == _KILLED else ""
        super().__init__(f'{name}:\nExitCode {code}\nErrorMessage "{message}"{extra}\nCommand "{" ".join(command)}"')


def kind_of(code: Path, name: str) -> Kind:
    """A folder with a setup.py is a package, a name that ends in .py a program, anything else a command."""
    if (code / "setup.py").exists():
        return "package"
    return "program" if name.endswith(".py") else "command"


def install_package(code: Path) -> None:
    """`pip install .`, with requirements.txt when there is one. Raises ScriptError."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "."]
    if (code / "requirements.txt").exists():
        command += ["-r", "requirements.txt"]
    log("Installing module.")
    status, message = _follow(command, code, dict(os.environ))
    if status:
        raise ScriptError(status, message, command, "InstallModuleError")


def run(kind: Kind, code: Path, environment: TrainingEnvironment) -> None:
    """Run the script in its folder to its end. Raises ScriptError."""
    name, arguments = environment.program or "", environment.arguments()
    if kind == "package":
        command = [sys.executable, "-m", name.replace(".py", ""), *arguments]
    elif kind == "program":
        command = [sys.executable, name, *arguments]
    else:
        (code / name).chmod(0o777)
        command = ["/bin/sh", "-c", f"./{name} {shlex.join(arguments)}"]
    variables = environment.variables()
    _tell(command, variables)
    path = [str(code), *filter(None, os.environ.get("PYTHONPATH", "").split(":"))]
    everything = {**os.environ, **variables, "PYTHONPATH": ":".join(path)}
    if importlib.util.find_spec("torch"):
        everything |= {"MASTER_ADDR": json.loads(variables["SM_HOSTS"])[0], "MASTER_PORT": _MASTER_PORT}
    status, message = _follow(command, code, everything)
    if status:
        raise ScriptError(status, message, command)


def _tell(command: list[str], variables: dict[str, str]) -> None:
    described = json.dumps(json.loads(variables["SM_TRAINING_ENV"]), indent=4)
    listed = "\n".join(f"{name}={value}" for name, value in variables.items())
    log(
        f"Invoking user script\n\nTraining Env:\n\n{described}\n\nEnvironment variables:\n\n{listed}\n\n"
        f"Invoking script with the following command:\n\n{' '.join(command)}\n"
    )


def _follow(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command, pass its errors on line by line; (exit code, 128 + signal when killed; the error's text)."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    message = _errors(process.stderr) if process.stderr else ""
    code = process.wait()
    return (128 - code if code < 0 else code), message


def _errors(stream: IO[str]) -> str:
    found: list[str] = []
    with stream:
        for line in stream:
            sys.stderr.write(line)
            text = line.rstrip()
            if (found or _ERROR.search(text)) and text not in found and len(found) < _MOST_LINES:
                found.append(text)
    return "\n".join(found).strip()
