"""Where a SageMaker container finds its input and leaves its results, and how it reports a failure."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

#: /opt/ml in a container; a process without a private /opt/ml is told where its own is
BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
CONFIG = BASE / "input" / "config"
DATA = BASE / "input" / "data"
MODEL = Path(os.environ.get("SM_MODEL_DIR", BASE / "model"))
FAILURE = BASE / "output" / "failure"


class UserError(Exception):
    """Something the caller can put right; the text is the service's."""


def read_config(name: str) -> dict[str, Any]:
    """One of the JSON files under input/config; empty when it is not there."""
    path = CONFIG / f"{name}.json"
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return content


def data_files(channel: str) -> Iterator[Path]:
    """The data files of a channel, sorted, in folders too; names that begin with `.` or `_` are no data."""
    for path in sorted((DATA / channel).rglob("*")):
        if path.is_file() and not path.name.startswith((".", "_")):
            yield path


def fail(text: str, code: int) -> NoReturn:
    """Leave `text` for FailureReason and end with this exit code."""
    FAILURE.parent.mkdir(parents=True, exist_ok=True)
    FAILURE.write_text(text)
    sys.exit(code)


def media_type(header: str | None) -> tuple[str, dict[str, str]]:
    """`text/csv; label_size=1` -> ("text/csv", {"label_size": "1"}), all in lower case."""
    first, *rest = (header or "").lower().split(";")
    pairs = (part.partition("=") for part in rest)
    return first.strip(), {name.strip(): value.strip() for name, _, value in pairs}
