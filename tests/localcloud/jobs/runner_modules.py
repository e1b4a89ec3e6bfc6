"""The runner programs are plain scripts beside each other; this loads one of their modules for a unit test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

RUNNERS = Path(__file__).resolve().parents[3] / "localcloud" / "runners"
if str(RUNNERS / "shared") not in sys.path:
    sys.path.append(str(RUNNERS / "shared"))


def load(folder: str, name: str) -> ModuleType:
    """`load("xgboost", "settings")`, under a name of its own because two folders have modules of the same name."""
    unique = f"runner_{folder}_{name}"
    if unique not in sys.modules:
        spec = importlib.util.spec_from_file_location(unique, RUNNERS / folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules[unique] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[unique]
