"""What is in each cluster: a montage of its pictures, or bars where rows are no pictures."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from operations.evaluation.digits import parse_pixels
from operations.evaluation.model import ClusterEvaluation, TestSplit
from operations.evaluation.rows import labelled_rows
from operations.plots.style import DPI, INK, SOFT, WARNING, plain_axes, write_heading, write_rates

_SHOWN = 14
"""Pictures of each cluster that the montage holds: the first ones of the test split."""


def write_clusters_png(outcome: ClusterEvaluation, split: TestSplit, path: Path) -> None:
    """Draw one line per cluster: its number, its most frequent hidden label, and its first rows.

    A picture whose hidden label is not its cluster's has a frame: these are the rows that purity counts as wrong.
    """
    clusters = range(len(outcome.counts.cells[0]))
    height = 1.35 + 0.52 * len(clusters) + 0.7
    figure = Figure(figsize=(8.6, height), dpi=DPI, facecolor="white")
    line = 0.52 / height
    for cluster in clusters:
        top = 1 - 1.35 / height - line * cluster
        found = outcome.counts.hidden(cluster)
        rows = outcome.counts.answered(cluster)
        label = f"mostly {outcome.classes[found[0][0]]}" if found else "nothing"
        share = f"{found[0][1] / rows:.0%} of {rows:,}" if found else ""
        figure.text(0.03, top - 0.42 * line, f"cluster {cluster}", size=9, color=SOFT, va="center")
        figure.text(0.125, top - 0.3 * line, label, size=10, color=INK, va="center")
        figure.text(0.125, top - 0.68 * line, share, size=8, color=SOFT, va="center")
    if split.about.picture:
        _montage(figure, outcome, split.rows, split.about.picture, line, height)
    else:
        _bars(figure, outcome, line, height)
    write_heading(figure, outcome, outcome.counts.total, top=1 - 0.42 / height)
    write_rates(figure, [("purity", outcome.counts.purity)], bottom=0.13 / height)
    figure.savefig(path)


def _montage(
    figure: Figure, outcome: ClusterEvaluation, test_csv: bytes, shape: tuple[int, int], line: float, height: float
) -> None:
    labels = [outcome.counts.hidden(cluster) for cluster in range(len(outcome.counts.cells[0]))]
    leading = [found[0][0] if found else -1 for found in labels]
    shown = [0] * len(leading)
    width = 0.05
    for (label, features), cluster in zip(labelled_rows(test_csv), outcome.clusters, strict=True):
        position = shown[cluster]
        if position == _SHOWN:
            continue
        shown[cluster] += 1
        bottom = 1 - 1.35 / height - line * (cluster + 1) + 0.06 * line
        axes = figure.add_axes((0.26 + (width + 0.0015) * position, bottom, width, 0.88 * line))
        pixels = parse_pixels(features, shape)
        axes.imshow(pixels, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(label != leading[cluster])
            spine.set_color(WARNING)
            spine.set_linewidth(1.6)
    figure.text(0.97, 0.2 / height, "framed: another label", ha="right", size=8.5, color=WARNING)


def _bars(figure: Figure, outcome: ClusterEvaluation, line: float, height: float) -> None:
    for cluster in range(len(outcome.counts.cells[0])):
        bottom = 1 - 1.35 / height - line * (cluster + 1) + 0.2 * line
        axes = figure.add_axes((0.3, bottom, 0.65, 0.6 * line))
        start, rows = 0.0, outcome.counts.answered(cluster)
        for label, count in outcome.counts.hidden(cluster):
            axes.barh(0, count / rows, left=start, color=f"C{label % 10}")
            if count / rows > 0.08:
                axes.text(start + count / rows / 2, 0, outcome.classes[label], ha="center", va="center", size=8)
            start += count / rows
        axes.set_xlim(0, 1)
        axes.set_xticks([])
        axes.set_yticks([])
        plain_axes(axes)
