"""Pictures of the tutorials: digits, curves, bars, confusion matrices. Each function draws one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

INK, SOFT, BLUE, RUST = "#1f2933", "#616e7c", "#2166ac", "#b44d12"


def digits(pixels: Any, titles: Sequence[object] = (), columns: int = 10, size: float = 0.9) -> None:
    """Draw pictures, one a row of ``pixels`` (784 numbers from 0, paper, to 1, ink), with a title above each."""
    pictures = np.asarray(pixels, dtype=float)
    side = round(pictures.shape[1] ** 0.5)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, size * rows * (1.25 if titles else 1.0)))
    for number, cell in enumerate(np.atleast_1d(axes).ravel()):
        cell.axis("off")
        if number < len(pictures):
            cell.imshow(pictures[number].reshape(side, side), cmap="Greys", vmin=0, vmax=1)
            if number < len(titles):
                cell.set_title(str(titles[number]), size=9, color=INK)
    figure.tight_layout(pad=0.3)
    plt.show()


def bars(values: Mapping[str, float], title: str, unit: str = "") -> None:
    """Draw a bar for each entry, its value beside it."""
    _, axes = plt.subplots(figsize=(6.0, 0.6 + 0.34 * len(values)))
    names, heights = list(values), list(values.values())
    axes.barh(names, heights, color=BLUE, height=0.62)
    for position, value in enumerate(heights):
        axes.text(value, position, f" {value:,.4g}{unit}", va="center", color=INK, size=9)
    axes.invert_yaxis()
    axes.set_xlim(0, max(heights) * 1.18)
    axes.set_title(title, loc="left", size=11, color=INK)
    axes.xaxis.set_visible(False)
    _plain(axes)
    plt.show()


def curves(series: Mapping[str, Sequence[float]], title: str, over: str = "round") -> None:
    """Draw each series over its rounds or epochs."""
    _, axes = plt.subplots(figsize=(6.0, 3.2))
    for (name, values), colour in zip(series.items(), (BLUE, RUST, "#2e7d32", "#7b3294"), strict=False):
        axes.plot(range(1, len(values) + 1), values, color=colour, label=name, linewidth=1.8)
    axes.set_xlabel(over, color=SOFT)
    axes.set_title(title, loc="left", size=11, color=INK)
    axes.grid(color="#e4e7eb")
    axes.legend(frameon=False)
    _plain(axes)
    plt.show()


def confusion(truth: Any, answers: Any, names: Sequence[str]) -> np.ndarray[Any, Any]:
    """Draw how often each class was called what; return the counts, observed by row and predicted by column.

    The colour is the share of the row: how much of what is there was found.
    """
    observed, predicted = np.asarray(truth, dtype=int), np.asarray(answers, dtype=int)
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (observed, predicted), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(3.4, 0.62 * len(names) + 1.4)
    _, axes = plt.subplots(figsize=(side, side))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(names)):
        for column in range(len(names)):
            if counts[row, column] or len(names) < 4:
                colour = "white" if shares[row, column] > 0.55 else INK
                axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(names)), names, rotation=0 if len(names) < 4 else 90)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted", color=SOFT)
    axes.set_ylabel("observed", color=SOFT)
    _plain(axes)
    plt.show()
    return counts


def scatter(across: Any, up: Any, groups: Any, names: Sequence[str], labels: tuple[str, str]) -> None:
    """Draw points in the colours of their groups; ``labels`` are the words at the two axes."""
    _, axes = plt.subplots(figsize=(5.6, 3.8))
    for number, name in enumerate(names):
        chosen = np.asarray(groups) == number
        axes.scatter(np.asarray(across)[chosen], np.asarray(up)[chosen], s=14, alpha=0.8, label=name)
    axes.set_xlabel(labels[0], color=SOFT)
    axes.set_ylabel(labels[1], color=SOFT)
    axes.legend(frameon=False)
    _plain(axes)
    plt.show()


def _plain(axes: Any) -> None:
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=SOFT)
