"""A pipeline's definition: parameters and steps, checked, as the text that CreatePipeline takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from sandcastle.pipeline.checks import check
from sandcastle.pipeline.steps import Step

VERSION = "2020-12-01"
"""Of the schema of definitions; there is no other."""


@dataclass(frozen=True)
class Parameter:
    """What whoever starts a run may set; without a ``default``, has to."""

    name: str
    kind: Literal["String", "Float"]
    default: str | float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the parameter as the definition has it."""
        document: dict[str, Any] = {"Name": self.name, "Type": self.kind}
        return document if self.default is None else {**document, "DefaultValue": self.default}


@dataclass(frozen=True)
class Definition:
    """A pipeline."""

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the definition as plain data."""
        return {
            "Version": VERSION,
            "Metadata": {},
            "Parameters": [one.to_json() for one in self.parameters],
            "Steps": list(self.steps),
        }

    def body(self) -> str:
        """Return the text for ``PipelineDefinitionBody``. Tokens in it stay tokens, which CDK finds in texts.

        Raises ``checks.InvalidPipeline`` for what SageMaker would refuse, or would fail at in the middle of a run.
        """
        document = self.to_json()
        check(document)
        return json.dumps(document, separators=(",", ":"))
