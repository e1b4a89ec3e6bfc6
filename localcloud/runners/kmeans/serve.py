"""The built-in K-Means' `serve` (developer guide, km-in-formats)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import numpy as np
import payloads
from clustering import nearest
from model import Centres
from sagemaker_io import MODEL
from serving import serve


def predictions(centres: Centres, rows: payloads.Floats) -> payloads.Predictions:
    """`closest_cluster`, a whole number as a float, and the Euclidean `distance_to_cluster` of each row."""
    closest, squares = nearest(rows, centres.values)
    found = zip(closest.tolist(), np.sqrt(squares).tolist(), strict=True)
    return [{"closest_cluster": float(cluster), "distance_to_cluster": distance} for cluster, distance in found]


def main() -> None:
    """Load the model, then answer."""
    centres = Centres.load(MODEL)
    width = centres.values.shape[1]
    serve(lambda request: payloads.answer(request, width, lambda rows: predictions(centres, rows)))


if __name__ == "__main__":
    main()
