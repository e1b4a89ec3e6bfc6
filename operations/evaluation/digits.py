"""Showing a picture in the terminal: two rows of pixels in each line of text."""

from __future__ import annotations

from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.style import Style
from rich.text import Text

from operations.evaluation.model import EvaluationError

_UPPER_HALF = "\N{UPPER HALF BLOCK}"
_BLOCKS = {
    (False, False): " ",
    (True, False): _UPPER_HALF,
    (False, True): "\N{LOWER HALF BLOCK}",
    (True, True): "\N{FULL BLOCK}",
}


def parse_pixels(features: bytes, shape: tuple[int, int]) -> list[list[float]]:
    """Return the rows of pixels, 0 to 1, of a CSV line of features; ``shape`` is the height and width.

    Raises EvaluationError when the line does not hold that many numbers.
    """
    height, width = shape
    try:
        values = [float(value) for value in features.split(b",")]
    except ValueError as error:
        raise EvaluationError(f"the row is not a picture: {error}") from error
    if len(values) != height * width:
        raise EvaluationError(f"the row has {len(values)} features; a picture has {height} x {width}")
    return [values[row * width : (row + 1) * width] for row in range(height)]


def render_digit(features: bytes, shape: tuple[int, int]) -> RenderableType:
    """Return the picture of a CSV line of features for a rich console; raises as parse_pixels does."""
    return _HalfBlocks(parse_pixels(features, shape))


class _HalfBlocks:
    """Draws with half blocks: the upper pixel is the character's colour, the lower one its background.

    A console without colours cannot show grey; there every pixel darker than half is set and the others are not.
    """

    def __init__(self, pixels: list[list[float]]) -> None:
        blank = [0.0] * len(pixels[0])
        padded = [*pixels, blank] if len(pixels) % 2 else pixels
        self._pairs = [list(zip(*rows, strict=True)) for rows in zip(padded[::2], padded[1::2], strict=True)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for pairs in self._pairs:
            if console.color_system is None:
                yield Text("".join(_BLOCKS[top > 0.5, bottom > 0.5] for top, bottom in pairs))
            else:
                yield Text.assemble(
                    *((_UPPER_HALF, Style(color=_grey(top), bgcolor=_grey(bottom))) for top, bottom in pairs)
                )


def _grey(ink: float) -> Color:
    level = round(255 * min(max(ink, 0.0), 1.0))
    return Color.from_rgb(level, level, level)
