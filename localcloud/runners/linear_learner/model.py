"""A trained linear model: scores, labels, and the file they are kept in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: as on AWS; the content is a numpy archive and not AWS's format (see README.md)
FILE_NAME = "model_algo-1"
Floats = NDArray[np.float32]


def sigmoid(values: Any) -> Any:
    """1 / (1 + exp(-x)) that does not overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))


def softmax(values: Any) -> Any:
    """Class probabilities along the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@dataclass
class LinearModel:
    """`weights` has one column per output and applies to raw features (normalisation is folded in)."""

    predictor_type: str
    weights: Floats
    bias: Floats
    threshold: float = 0.5
    """Binary classifier: a score from here on is labelled 1."""

    @property
    def features(self) -> int:
        """Number of features a row must have."""
        return int(self.weights.shape[0])

    def scores(self, features: Floats) -> Floats:
        """Probability of 1, class probabilities, or predicted values: [rows] or [rows, classes]."""
        raw: Floats = features @ self.weights + self.bias
        if self.predictor_type == "multiclass_classifier":
            return np.asarray(softmax(raw), np.float32)
        flat = raw[:, 0]
        return np.asarray(sigmoid(flat), np.float32) if self.predictor_type == "binary_classifier" else flat

    def labels(self, scores: Floats) -> NDArray[np.int64] | None:
        """Predicted classes; None for a regressor."""
        if self.predictor_type == "regressor":
            return None
        if self.predictor_type == "binary_classifier":
            return (scores >= self.threshold).astype(np.int64)
        return np.asarray(scores.argmax(axis=1), np.int64)

    def save(self, directory: Path) -> None:
        """Write the model file."""
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / FILE_NAME).open("wb") as file:
            np.savez(
                file,
                predictor_type=np.array(self.predictor_type),
                weights=self.weights,
                bias=self.bias,
                threshold=np.array(self.threshold),
            )

    @classmethod
    def load(cls, directory: Path) -> "LinearModel":
        """Read the model file. Raises OSError or ValueError."""
        with np.load(directory / FILE_NAME, allow_pickle=False) as stored:
            return cls(str(stored["predictor_type"]), stored["weights"], stored["bias"], float(stored["threshold"]))
