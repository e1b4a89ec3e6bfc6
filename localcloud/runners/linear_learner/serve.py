"""The built-in Linear Learner's `serve` (developer guide, LL-in-formats and cdf-inference)."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import payloads
from model import Floats, LinearModel
from sagemaker_io import MODEL
from serving import serve


def predictions(model: LinearModel, features: Floats) -> payloads.Predictions:
    """`score` and, for a classifier, `predicted_label` of each row."""
    scores = model.scores(features)
    labels = model.labels(scores)
    rows: Iterable[Any] = scores.tolist()
    if labels is None:
        return [{"score": score} for score in rows]
    return [{"score": score, "predicted_label": int(label)} for score, label in zip(rows, labels, strict=True)]


def main() -> None:
    """Load the model, then answer."""
    model = LinearModel.load(MODEL)
    serve(lambda request: payloads.answer(request, model.features, lambda rows: predictions(model, rows)))


if __name__ == "__main__":
    main()
