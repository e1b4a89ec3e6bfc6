"""Turning somebody's picture of a digit into the 28 x 28 pixels that the network knows.

What arrives is data from a stranger: its size is looked at before it is unpacked (a few kilobytes of PNG can hold a
gigabyte of pixels), and only two formats are tried, so that no rarely used decoder ever sees it.

Runs on Python 3.8 and newer with Pillow.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

SIDE = 28
"""Pixels along each side of what is returned."""

MOST_PIXELS = 4_000_000
"""Pixels that a picture may have: 2,000 x 2,000."""

FORMATS = ("PNG", "JPEG")

_HALF = 0.5


class PictureError(ValueError):
    """The bytes are no picture that is read here; the text says why."""


def pixels_of(content: bytes) -> npt.NDArray[Any]:
    """Return 784 numbers from 0 (paper) to 1 (ink), float32, of a PNG or JPEG of one digit.

    The digit must fill the picture about as those of the training data do. Dark ink on light paper and light ink on
    dark paper are both understood: paper is what most of the edge is. Raises PictureError when it is no such picture.
    """
    grey = _grey(content)
    side = max(grey.size)
    ink = np.asarray(grey, dtype=np.float32) / 255
    edge = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    if np.median(edge) > _HALF:
        ink = 1 - ink
    square = np.zeros((side, side), dtype=np.float32)
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    small = Image.fromarray((square * 255).round().astype(np.uint8)).resize((SIDE, SIDE), Image.BOX)
    flat: npt.NDArray[Any] = (np.asarray(small, dtype=np.float32) / 255).reshape(SIDE * SIDE)
    return flat


def _grey(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:  # reads the header only
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise PictureError(f"the picture has {width} x {height} pixels; at most {MOST_PIXELS:,} are read")
                picture.load()
                coloured = picture.convert("RGBA")
    except PictureError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"not a whole picture in the form of {' or '.join(FORMATS)}: {error}") from error
    paper = Image.new("RGBA", coloured.size, "white")  # what is transparent shows paper
    return Image.alpha_composite(paper, coloured).convert("L")
