"""Where the files are that run inside AWS. Constructs know them as paths only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Assets:
    """The ``assets`` folder below the project's root."""

    root: Path

    @property
    def functions(self) -> Path:
        """Code of all Lambda functions."""
        return self.root / "assets" / "functions"

    @property
    def shared(self) -> Path:
        """Python modules that the workloads' jobs share."""
        return self.root / "assets" / "workloads" / "shared"

    @property
    def pipeline(self) -> Path:
        """What judges the models that a pipeline trains."""
        return self.root / "assets" / "pipeline"

    @property
    def monitoring(self) -> Path:
        """The portable analyzer."""
        return self.root / "assets" / "monitoring"

    @property
    def lifecycle(self) -> Path:
        """Scripts that run when an app of Studio, or a notebook instance, starts."""
        return self.root / "assets" / "lifecycle"

    @property
    def tutorials(self) -> Path:
        """What every person finds beside the tutorials of the workloads."""
        return self.root / "assets" / "tutorials"
