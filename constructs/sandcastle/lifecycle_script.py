"""Lifecycle scripts: a file of ``assets/lifecycle`` with settings in front of it, in the form that SageMaker takes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIMIT = 16_384
"""Characters of a script in base64 (botocore: StudioLifecycleConfigContent, NotebookInstanceLifecycleConfigContent)."""

TOKEN_CHARACTERS = 63
"""How long a value may get that is known at deployment only: the longest name of a bucket."""

_INCLUDE = re.compile(r"^#include (\S+)\n", re.MULTILINE)
_SHELL_NAME = re.compile(r"^[A-Z][A-Z0-9_]*$")
_PLAIN = re.compile(r"^[\w.,:/ \n${}\[\]-]*$")


class ScriptError(ValueError):
    """A script that SageMaker would not take."""


class LifecycleScript:
    """The text of a script: ``#!/bin/bash``, its settings as exported variables, then the file.

    A line ``#include NAME`` of the file stands for the file of that name beside it: programs that are tested by
    themselves, or that more than one script runs.

    ``digest`` is the same for the same file and settings, whatever the account that it is deployed to.
    """

    def __init__(self, file: Path, settings: Mapping[str, str]) -> None:
        """Settings may hold CDK tokens, whose numbers are no part of the digest.

        Raises ScriptError for a setting that does not fit into single quotes, and for a script that is too long.
        """
        lines = ["#!/bin/bash"]
        for name, value in settings.items():
            if not _SHELL_NAME.match(name) or not _PLAIN.match(value):
                raise ScriptError(f"{file.name}: setting {name}={value!r} is not plain text")
            lines.append(f"export {name}='{value}'")
        self.text = "\n".join([*lines, _whole(file)])
        fixed = re.sub(r"\$\{Token\[[^\]]+\]\}", "@" * TOKEN_CHARACTERS, self.text)
        self.digest = hashlib.sha256(fixed.encode()).hexdigest()
        size = -(-len(fixed.encode()) // 3) * 4
        if size > LIMIT:
            raise ScriptError(
                f"{file.name}: {size} characters in base64 with its settings, SageMaker takes {LIMIT}: "
                "shorten the script, or give the environment fewer workloads"
            )

    @property
    def content(self) -> dict[str, Any]:
        """The script in base64; CloudFormation encodes it, when it knows all settings."""
        return {"Fn::Base64": self.text}


def _whole(file: Path) -> str:
    """Return the file with everything that it includes."""
    return _INCLUDE.sub(lambda found: (file.parent / found[1]).read_text("utf-8"), file.read_text("utf-8"))
