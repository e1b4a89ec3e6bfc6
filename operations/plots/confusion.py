"""The confusion matrix of a model with two classes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from operations.evaluation.model import Evaluation
from operations.plots.style import DPI, INK, SOFT, plain_axes, write_heading, write_rates, write_scale


def write_png(outcome: Evaluation, path: Path) -> None:
    """Draw the confusion matrix: counts, each cell's share of its column, and the rates below.

    A percentage is a share of its column, as in the tutorial and in the terminal: of all that the model called so,
    how many were. The colour shows it too, so both classes can be read although one is rare. Data that was generated
    is named as such in the heading.
    """
    confusion = outcome.confusion
    counts = [
        [confusion.true_negative, confusion.false_positive],
        [confusion.false_negative, confusion.true_positive],
    ]
    names = [outcome.negative, outcome.positive]
    totals = [sum(column) for column in zip(*counts, strict=True)]
    shares = [[row[column] / totals[column] if totals[column] else 0.0 for column in range(2)] for row in counts]

    figure = Figure(figsize=(6.4, 6.0), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.24, 0.22, 0.56, 0.56))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            share = shares[row][column]
            colour = "white" if share > 0.55 else INK
            axes.text(column, row - 0.06, f"{counts[row][column]:,}", ha="center", va="center", color=colour, size=20)
            axes.text(column, row + 0.17, f"{share:.1%} of column", ha="center", va="center", color=colour, size=10)
    axes.set_xticks([0, 1], names, size=11)
    axes.set_yticks([0, 1], names, size=11, rotation=90, va="center")
    axes.set_xlabel("Predicted", size=11, color=SOFT, labelpad=8)
    axes.set_ylabel("Observed", size=11, color=SOFT, labelpad=8)
    plain_axes(axes)
    write_scale(figure, image, (0.84, 0.22, 0.025, 0.56))
    write_heading(figure, outcome, confusion.total)
    rates = [
        ("accuracy", confusion.accuracy),
        ("precision", confusion.precision),
        ("recall", confusion.recall),
        ("F1", confusion.f1),
        ("AUC", outcome.auc),
    ]
    write_rates(figure, rates)
    figure.savefig(path)
