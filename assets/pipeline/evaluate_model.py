"""A model out of its archive, asked as an endpoint asks it.

A framework's archive has the handlers that serve it below ``code/``: ``model_fn``, ``input_fn``, ``predict_fn`` and
``output_fn``, or ``transform_fn`` in the place of the last three, called as the toolkits of AWS's images do. An archive
of the built-in XGBoost has the model alone.

The images that train have not everything that the images that serve have: of their toolkits' modules, handlers get
stand-ins where there is nothing (``evaluate_toolkits``). Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
import tarfile
import tempfile
from inspect import signature
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, Mapping

import evaluate_toolkits
from evaluate_errors import EvaluationError

Ask = Callable[[str], str]
"""Answers rows of CSV with the text of a reply."""

LARGEST = 20 * 1024**3
"""Bytes that an archive may have when it is unpacked: about the disk of a job."""


def load(folder: Path, variables: Mapping[str, str]) -> Ask:
    """Return what asks the model in the folder's archive. Raises EvaluationError, and what the handlers raise."""
    archives = sorted(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        raise EvaluationError(f"{folder} must hold one model.tar.gz; it holds {len(archives)}")
    model = Path(tempfile.mkdtemp(prefix="model-"))
    unpack(archives[0], model)
    program = variables.get("SANDCASTLE_PROGRAM")
    if not program:
        return _xgboost(model)
    return _handlers(model, program, variables["SANDCASTLE_CONTENT_TYPE"], variables["SANDCASTLE_ACCEPT"])


def unpack(archive: Path, target: Path) -> None:
    """Unpack files and folders. Raises EvaluationError for a name that leads elsewhere, or anything else inside."""
    with tarfile.open(str(archive)) as packed:
        members = packed.getmembers()
        for member in members:
            place = (target / member.name).resolve()
            inside = place == target.resolve() or target.resolve() in place.parents
            if not inside or not (member.isfile() or member.isdir()):
                raise EvaluationError(f"{archive.name} holds {member.name!r}, which is no file or folder of a model")
        if sum(member.size for member in members) > LARGEST:
            raise EvaluationError(f"{archive.name} has more than {LARGEST:,} bytes when it is unpacked")
        packed.extractall(str(target))  # noqa: S202  # every name was looked at


def _handlers(model_dir: Path, program: str, content_type: str, accept: str) -> Ask:
    code = model_dir / "code"
    if not (code / program).is_file():
        raise EvaluationError(f"the archive has no code/{program}: nothing could serve the model")
    if (code / "requirements.txt").is_file():
        install = [sys.executable, "-m", "pip", "install", "-r", str(code / "requirements.txt")]
        subprocess.run(install, check=True)
    evaluate_toolkits.provide()
    sys.path.insert(0, str(code))
    importlib.invalidate_caches()
    module = importlib.import_module(program[:-3] if program.endswith(".py") else program)
    needed = ("transform_fn",) if hasattr(module, "transform_fn") else ("input_fn", "predict_fn", "output_fn")
    missing = [name for name in ("model_fn", *needed) if not hasattr(module, name)]
    if missing:
        raise EvaluationError(
            f"code/{program} has no {' and no '.join(missing)}: a model of a pipeline is judged by its own handlers, "
            "not by those of an image"
        )
    context = SimpleNamespace(system_properties={"model_dir": str(model_dir), "gpu_id": None})
    model = _call(module, "model_fn", context, str(model_dir))

    def reply(rows: str) -> Any:
        if needed == ("transform_fn",):
            return _call(module, "transform_fn", context, model, rows, content_type, accept)
        data = _call(module, "input_fn", context, rows, content_type)
        return _call(module, "output_fn", context, _call(module, "predict_fn", context, data, model), accept)

    def ask(rows: str) -> str:
        try:
            return _text(reply(rows))
        except Exception as error:
            status = getattr(error, "status_code", None)  # of a toolkit's error, whichever toolkit's
            if status is None:
                raise
            raise _refused(status, str(getattr(error, "message", error))) from error

    return ask


def _call(module: ModuleType, name: str, context: Any, *arguments: Any) -> Any:
    """Call a handler; in the PyTorch image each may take one argument more, the context."""
    function = getattr(module, name)
    if len(signature(function).parameters) == len(arguments) + 1:
        return function(*arguments, context)
    return function(*arguments)


def _text(reply: Any) -> str:
    """Return the body of what a handler replied. Raises EvaluationError for a status that is no success."""
    status = int(getattr(reply, "status", 200))
    body = getattr(reply, "response", reply)
    if isinstance(body, tuple):
        body = body[0]
    text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else str(body)
    if status >= 300:
        raise _refused(status, text)
    return text


def _refused(status: int, reason: str) -> EvaluationError:
    return EvaluationError(f"the handlers refuse the test split with status {status}: {reason[:300]}")


def _xgboost(model_dir: Path) -> Ask:
    """Return what asks a model of the built-in XGBoost.

    It answers CSV, as the image does in a batch transform whatever is accepted.
    """
    import numpy as np
    import xgboost

    files = sorted(path for path in model_dir.iterdir() if path.is_file() and not path.name.startswith("."))
    if len(files) != 1:
        raise EvaluationError(f"an archive of XGBoost must hold one model; it holds {len(files)} files")
    booster = xgboost.Booster()
    booster.load_model(bytearray(files[0].read_bytes()))

    def ask(rows: str) -> str:
        table = [[float(cell) if cell.strip() else math.nan for cell in row.split(",")] for row in rows.splitlines()]
        predictions = booster.predict(xgboost.DMatrix(np.asarray(table, dtype=np.float32)), validate_features=False)
        lines = [",".join(str(float(value)) for value in np.atleast_1d(row)) for row in predictions]
        return "".join(line + "\n" for line in lines)

    return ask
