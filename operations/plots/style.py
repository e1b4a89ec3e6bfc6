"""How all pictures look: fonts, colours, the heading that says what is shown and where it comes from."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from operations.evaluation.model import Outcome

# Without a screen, and with the same fonts everywhere: DejaVu Sans ships with matplotlib.
mpl.use("Agg")
mpl.rcParams["font.family"] = "DejaVu Sans"

DPI = 150
INK = "#1f2933"
SOFT = "#616e7c"
WARNING = "#b44d12"


def write_heading(figure: Figure, outcome: Outcome, rows: int, top: float = 0.945) -> None:
    """Write the workload, the rows and their origin from ``top`` downwards; generated data is named as such."""
    line = 0.27 / figure.get_figheight()
    figure.text(0.5, top, outcome.workload, ha="center", size=16, weight="bold", color=INK)
    figure.text(0.5, top - line, f"{rows:,} test rows through the endpoint", ha="center", size=10.5, color=SOFT)
    origin = "generated data, not real observations" if outcome.generated else f"{outcome.origin} data"
    figure.text(
        0.5,
        top - 1.85 * line,
        origin,
        ha="center",
        size=10.5,
        color=WARNING if outcome.generated else SOFT,
        weight="bold" if outcome.generated else "normal",
    )


def write_rates(figure: Figure, rates: list[tuple[str, float | None]], bottom: float = 0.03) -> None:
    """Write numbers side by side at the bottom, each above its name; a dash where there is none."""
    raised = 0.21 / figure.get_figheight()
    for position, (name, value) in enumerate(rates):
        where = 0.5 + 0.18 * (position - (len(rates) - 1) / 2)
        shown = "-" if value is None else f"{value:.3f}"
        figure.text(where, bottom + raised, shown, ha="center", size=14, color=INK)
        figure.text(where, bottom, name, ha="center", size=9, color=SOFT)


def plain_axes(axes: Axes) -> None:
    """Take ticks and frame away."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def write_scale(figure: Figure, image: AxesImage, place: tuple[float, float, float, float]) -> None:
    """Draw the colours' meaning, 0 to 100 %, at ``place``: left, bottom, width, height as shares of the figure."""
    bar = figure.colorbar(image, cax=figure.add_axes(place), ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0%", "50%", "100%"], size=9, color=SOFT)
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)
