"""One picture of a digit."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from operations.evaluation.digits import parse_pixels
from operations.plots.style import DPI, INK


def write_digit_png(features: bytes, shape: tuple[int, int], path: Path, caption: str = "") -> None:
    """Draw one picture, dark ink on light paper, with ``caption`` above it.

    ``features`` is the CSV line that was sent to the endpoint, ``shape`` its height and width in pixels.
    """
    figure = Figure(figsize=(3.6, 4.0), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.08, 0.05, 0.84, 0.756))
    axes.imshow(parse_pixels(features, shape), cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#cbd2d9")
    figure.text(0.5, 0.9, caption, ha="center", va="center", size=11, color=INK)
    figure.savefig(path)
