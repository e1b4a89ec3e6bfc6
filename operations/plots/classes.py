"""The confusion matrix of a model with several classes, with precision, recall and support of each."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from operations.evaluation.model import ClassEvaluation
from operations.plots.style import DPI, INK, SOFT, plain_axes, write_heading, write_rates, write_scale

_CROWDED = 6
"""From so many classes on, cells hold only counts, in smaller letters."""


def write_classes_png(outcome: ClassEvaluation, path: Path) -> None:
    """Draw the matrix: counts coloured by their share of the row, so that the diagonal shows each class's recall.

    Beside each row stand recall and support, below each column precision.
    """
    counts, names = outcome.counts, outcome.classes
    shares = [[cell / (sum(row) or 1) for cell in row] for row in counts.cells]
    crowded = len(names) >= _CROWDED
    figure = Figure(figsize=(7.6, 7.4), dpi=DPI, facecolor="white")
    place = (0.16, 0.19, 0.58, 0.58 * 7.6 / 7.4)
    axes = figure.add_axes(place)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, cells in enumerate(counts.cells):
        for column, cell in enumerate(cells):
            share = shares[row][column]
            colour = "white" if share > 0.55 else INK
            if cell or not crowded:
                size = 10 if crowded else 20
                axes.text(column, row, f"{cell:,}", ha="center", va="center", color=colour, size=size)
        beside = f"{_shown(counts.recall(row))}  ({counts.support(row):,})"
        axes.text(len(names) - 0.4, row, beside, ha="left", va="center", size=9.5, color=SOFT)
        axes.text(row, len(names) - 0.38, _shown(counts.precision(row)), ha="center", va="top", size=9.5, color=SOFT)
    axes.text(len(names) - 0.4, -0.62, "recall (support)", ha="left", va="bottom", size=9, color=SOFT)
    axes.text(-0.6, len(names) - 0.38, "precision", ha="right", va="top", size=9, color=SOFT)
    axes.set_xticks(range(len(names)), names, size=11)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(names)), names, size=11)
    axes.set_title("Predicted", size=11, color=SOFT, pad=8)
    axes.set_ylabel("Observed", size=11, color=SOFT, labelpad=8)
    plain_axes(axes)
    write_scale(figure, image, (0.9, place[1], 0.02, place[3]))
    write_heading(figure, outcome, counts.total, top=0.955)
    write_rates(figure, [("accuracy", counts.accuracy), ("most frequent class", counts.majority)])
    figure.savefig(path)


def _shown(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.2f}"
