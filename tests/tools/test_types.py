"""The type checker reads those modules of the CDK that are used, and no others: reading all of them takes minutes."""

from __future__ import annotations

import ast
import importlib.util
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_of_the_cdk_that_is_used_is_one_that_the_type_checker_reads() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    (read,) = (set(one["module"]) for one in settings["overrides"] if one.get("follow_imports") == "normal")
    checked = [ROOT / place for place in settings["files"]]
    files = [file for place in checked for file in (place.rglob("*.py") if place.is_dir() else [place])]
    assert read == {name for file in files for name in _modules(ast.parse(file.read_text()))}


def _modules(tree: ast.Module) -> set[str]:
    """Return the CDK's modules that a program names: where it imports from, and what it imports as a module."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names if one.name.split(".")[0] == "aws_cdk"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aws_cdk":
            whole = {f"{node.module}.{one.name}" for one in node.names}
            modules = {name for name in whole if _is_module(name)}
            found |= modules or {str(node.module)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cdk":
            found |= {name for name in [f"aws_cdk.{node.attr}"] if _is_module(name)}
    return found


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
