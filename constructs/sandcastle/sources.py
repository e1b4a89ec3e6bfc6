"""Where in the code each construct is made: CDK's own traces hold no frames of Python.

Every construct is made by calling its class, whose metaclass is jsii's. While ``recorded`` is open that call is noted
with the nearest line of this project above it. jsii's metaclass is no public interface: where it is not as expected,
nothing is recorded, and reviews have no lines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aws_cdk as cdk

FILE = "sources.json"
REASONS = "acknowledgements.json"
"""Files beside the templates: lines of code by construct path, the stack's name first; and acknowledged findings."""


@contextmanager
def recorded(root: Path) -> Iterator[dict[str, str]]:
    """Give the lines by construct path, filled while constructs are made; paths of files start at ``root``."""
    from constructs import Construct

    found: dict[str, str] = {}
    meta: Any = type(Construct)
    call = vars(meta).get("__call__")
    if call is None or meta.__name__ != "JSIIMeta":
        yield found
        return

    def noted(cls: Any, *arguments: Any, **named: Any) -> Any:
        made = call(cls, *arguments, **named)
        if isinstance(made, Construct):
            line = _line(root)
            if line:
                found[str(made.node.path).removesuffix("/Resource")] = line  # who asked for it comes last
        return made

    meta.__call__ = noted
    try:
        yield found
    finally:
        meta.__call__ = call


def synthesise_with_sources(app: cdk.App, build: Callable[[], None], root: Path, folder: Path) -> None:
    """Build and synthesise the app; write beside its templates where everything is made and what is acknowledged."""
    from sandcastle.acknowledgements import acknowledgements_of

    with recorded(root) as lines:
        build()
    app.synth()
    known = [
        {"rule": one.rule, "stack": one.stack, "logical_id": one.logical_id, "reason": one.reason}
        for one in acknowledgements_of(app)
    ]
    for name, document in ((FILE, lines), (REASONS, known)):
        (folder / name).write_text(json.dumps(document, indent=1, sort_keys=True), encoding="utf-8")


def _line(root: Path) -> str:
    """Return the nearest line of the project that is being run, empty when there is none."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(root) and ".venv" not in file.parts:
            return f"{file.relative_to(root).as_posix()}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
