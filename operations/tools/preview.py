"""Writes the environment file of a pull request's preview: ``python -m operations.tools.preview NUMBER``.

The preview is ``environments/local.yaml`` under another name, with an end of its own, so that it goes even when nothing
ever destroys it. The file lies in the project's folder and is in nobody's repository.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from operations.project import ROOT

EXPIRES_AFTER = "8h"
"""How long a preview lives after its last deployment."""


def preview(number: str, root: Path = ROOT) -> Path:
    """Write ``pr-NUMBER.yaml`` and return its path. Raises ValueError for what is no pull request's number."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", number):
        raise ValueError(f"{number!r} is not the number of a pull request")
    text = (root / "environments" / "local.yaml").read_text(encoding="utf-8")
    for key, value in (("name", f"pr-{number}"), ("expires_after", EXPIRES_AFTER)):
        text, times = re.subn(rf"^{key}:.*$", f"{key}: {value}", text, flags=re.MULTILINE)
        if times != 1:
            raise ValueError(f"environments/local.yaml has {times} lines that begin with {key}:")
    file = root / f"pr-{number}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def main(arguments: Sequence[str]) -> int:
    """Write the file and say where; 2 for a wrong number."""
    try:
        (number,) = arguments
        print(preview(number))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
