"""Environment files of tests: the same settings are the same file, and so synthesised once in a process."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FAR = f"{datetime.now(UTC) + timedelta(hours=12):%H:%M}"
"""A time of day to which no test comes by itself: deployments take modelled minutes, whatever the hour is."""

REQUIRED = {"region": "us-east-1", "monthly_budget_usd": 500, "expires_after": "never"}
"""What every file must say beside its name."""


def written(name: str, **settings: Any) -> str:
    """Write a file with these settings beside the required ones and return its path.

    Every command takes the path in place of a name.
    """
    text = yaml.safe_dump({"name": name, **REQUIRED, **settings})
    folder = _folder() / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="sandcastle-environments-"))
