"""Trained centres and the file they are kept in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: as on AWS; the content is a numpy archive and not AWS's format (see README.md)
FILE_NAME = "model_algo-1"


@dataclass(frozen=True)
class Centres:
    """k rows of as many numbers as there are features."""

    values: NDArray[np.float32]

    def save(self, directory: Path) -> None:
        """Write the model file."""
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / FILE_NAME).open("wb") as file:
            np.savez(file, centroids=self.values)

    @classmethod
    def load(cls, directory: Path) -> "Centres":
        """Read the model file. Raises OSError or ValueError."""
        with np.load(directory / FILE_NAME, allow_pickle=False) as stored:
            return cls(stored["centroids"])
