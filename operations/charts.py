"""PNG pictures of how something went: metrics of a training, trials of a tuning job.

Imported only by the commands that draw: matplotlib takes long to load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Without a screen, and with the same fonts everywhere: DejaVu Sans ships with matplotlib.
mpl.use("Agg")
mpl.rcParams["font.family"] = "DejaVu Sans"

_DPI = 150
_INK, _SOFT, _GRID = "#1f2933", "#616e7c", "#e4e7eb"
_COLOURS = ("#2166ac", "#b44d12", "#2e7d32", "#7b3294", "#8c6d1f", "#c2185b")
_MOST = 12
"""Small charts in one picture; nobody reads more."""


def write_series(series: Mapping[str, Sequence[float]], path: Path, title: str, subtitle: str) -> None:
    """Draw each metric over the rounds or epochs in which it was printed, one small chart for each kind.

    ``train:auc`` and ``validation:auc`` are one kind and share a chart.
    """
    kinds: dict[str, dict[str, Sequence[float]]] = {}
    for name, values in series.items():
        channel, _, kind = name.rpartition(":")
        kinds.setdefault(kind, {})[channel or kind] = values
    shown = dict(list(kinds.items())[:_MOST])
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(1.2 + 4.0 * columns, 1.1 + 3.0 * rows), dpi=_DPI, facecolor="white", layout="constrained")
    figure.suptitle(f"{title}\n{subtitle}", size=11, color=_INK)
    for position, (kind, lines) in enumerate(shown.items(), start=1):
        axes = figure.add_subplot(rows, columns, position)
        for colour, (channel, values) in zip(_COLOURS * len(lines), lines.items(), strict=False):
            axes.plot(range(1, len(values) + 1), values, color=colour, label=channel, linewidth=1.6)
        _plain(axes, kind, "round")
        axes.legend(frameon=False, fontsize=9)
    figure.savefig(path)


def write_trials(
    objective: str,
    maximise: bool,
    trials: Sequence[tuple[float, Mapping[str, str]]],
    path: Path,
    title: str,
) -> None:
    """Draw the objective by trial, with the best so far, and against each hyperparameter that was tuned.

    ``trials`` are those that ended well, in the order of their start: the objective and the hyperparameters.
    """
    values = [value for value, _ in trials]
    names = list(trials[0][1])[: _MOST - 1]
    columns = min(3, len(names) + 1)
    rows = -(-(len(names) + 1) // columns)
    figure = Figure(figsize=(1.2 + 3.6 * columns, 1.1 + 3.0 * rows), dpi=_DPI, facecolor="white", layout="constrained")
    figure.suptitle(title, size=12, color=_INK)
    best = max if maximise else min
    top = values.index(best(values))
    axes = figure.add_subplot(rows, columns, 1)
    numbers = range(1, len(values) + 1)
    axes.scatter(numbers, values, color=_COLOURS[0], s=28, zorder=3)
    axes.step(
        numbers, [best(values[:count]) for count in numbers], where="post", color=_COLOURS[1], label="best so far"
    )
    axes.legend(frameon=False, fontsize=9)
    _plain(axes, objective, "trial")
    for position, name in enumerate(names, start=2):
        axes = figure.add_subplot(rows, columns, position)
        tried: list[float] | list[str] = [one[name] for _, one in trials]
        with suppress(ValueError):  # a categorical range: matplotlib puts the words on the axis
            tried = [float(text) for text in tried]
        axes.scatter(tried, values, color=_COLOURS[0], s=28, zorder=3)
        axes.scatter([tried[top]], [values[top]], color=_COLOURS[1], s=60, zorder=4, label="best")
        axes.legend(frameon=False, fontsize=9)
        _plain(axes, objective, name)
    figure.savefig(path)


def _plain(axes: Axes, what: str, over: str) -> None:
    axes.set_ylabel(what, color=_SOFT)
    axes.set_xlabel(over, color=_SOFT)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_SOFT, length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#cbd2d9")
