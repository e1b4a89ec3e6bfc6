"""PNG pictures of results. Imported only by the commands that draw: matplotlib takes long to load."""

from __future__ import annotations

from pathlib import Path

from operations.evaluation.model import ClassEvaluation, Evaluation, Outcome, TestSplit
from operations.plots.classes import write_classes_png
from operations.plots.clusters import write_clusters_png
from operations.plots.confusion import write_png
from operations.plots.digit import write_digit_png

__all__ = ["write_classes_png", "write_clusters_png", "write_digit_png", "write_picture", "write_png"]


def write_picture(outcome: Outcome, split: TestSplit, path: Path) -> None:
    """Draw an outcome in the form of its kind; ``split`` holds the rows, of which clusters show some."""
    if isinstance(outcome, Evaluation):
        write_png(outcome, path)
    elif isinstance(outcome, ClassEvaluation):
        write_classes_png(outcome, path)
    else:
        write_clusters_png(outcome, split, path)
