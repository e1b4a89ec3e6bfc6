"""PNG pictures of results. Imported only by the commands that draw: matplotlib takes long to load."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from operations.evaluation.digits import parse_pixels
from operations.evaluation.model import Evaluation

# Without a screen, and with the same fonts everywhere: DejaVu Sans ships with matplotlib.
mpl.use("Agg")
mpl.rcParams["font.family"] = "DejaVu Sans"

_DPI = 150
_INK = "#1f2933"
_SOFT = "#616e7c"
_WARNING = "#b44d12"


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

    figure = Figure(figsize=(6.4, 6.0), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.24, 0.22, 0.56, 0.56))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            share = shares[row][column]
            colour = "white" if share > 0.55 else _INK
            axes.text(column, row - 0.06, f"{counts[row][column]:,}", ha="center", va="center", color=colour, size=20)
            axes.text(column, row + 0.17, f"{share:.1%} of column", ha="center", va="center", color=colour, size=10)
    axes.set_xticks([0, 1], names, size=11)
    axes.set_yticks([0, 1], names, size=11, rotation=90, va="center")
    axes.set_xlabel("Predicted", size=11, color=_SOFT, labelpad=8)
    axes.set_ylabel("Observed", size=11, color=_SOFT, labelpad=8)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(image, cax=figure.add_axes((0.84, 0.22, 0.025, 0.56)), ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0%", "50%", "100%"], size=9, color=_SOFT)
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)

    figure.text(0.5, 0.945, outcome.workload, ha="center", size=16, weight="bold", color=_INK)
    figure.text(0.5, 0.9, f"{confusion.total:,} test rows through the endpoint", ha="center", size=10.5, color=_SOFT)
    origin = "generated data, not real observations" if outcome.generated else f"{outcome.origin} data"
    figure.text(
        0.5,
        0.862,
        origin,
        ha="center",
        size=10.5,
        color=_WARNING if outcome.generated else _SOFT,
        weight="bold" if outcome.generated else "normal",
    )
    for position, (name, value) in enumerate(_rates(outcome)):
        where = 0.14 + 0.18 * position
        figure.text(where, 0.065, value, ha="center", size=14, color=_INK)
        figure.text(where, 0.03, name, ha="center", size=9, color=_SOFT)
    figure.savefig(path)


def write_digit_png(features: bytes, shape: tuple[int, int], path: Path, caption: str = "") -> None:
    """Draw one picture, dark ink on light paper, with ``caption`` above it.

    ``features`` is the CSV line that was sent to the endpoint, ``shape`` its height and width in pixels.
    """
    figure = Figure(figsize=(3.6, 4.0), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.08, 0.05, 0.84, 0.756))
    axes.imshow(parse_pixels(features, shape), cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#cbd2d9")
    figure.text(0.5, 0.9, caption, ha="center", va="center", size=11, color=_INK)
    figure.savefig(path)


def _rates(outcome: Evaluation) -> list[tuple[str, str]]:
    confusion = outcome.confusion

    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    return [
        ("accuracy", shown(confusion.accuracy)),
        ("precision", shown(confusion.precision)),
        ("recall", shown(confusion.recall)),
        ("F1", shown(confusion.f1)),
        ("AUC", shown(outcome.auc)),
    ]
