"""Pictures of handwritten digits, for every workload that is about them: the same rows in the same three splits.

``SANDCASTLE_DATA=sample`` gives the 1,797 real handwritten digits that ship with scikit-learn. ``full`` reads
``mnist.pkl.gz`` from the input folder and keeps its own three splits.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

import job
import numpy as np
import safe_pickle
from splits import stratified_split

if TYPE_CHECKING:
    import numpy.typing as npt

SIDE = 28
"""Pixels along each side of a picture."""
SEED = 1797
"""Of the sample's split: its number of digits."""
SAMPLE_FRACTIONS = (0.6, 0.2, 0.2)
"""Train, validation and test."""


FEATURES = tuple(f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE))
"""The names of a picture's pixels, in order."""


class Digits(NamedTuple):
    """Pictures, float32 of the shape (rows, 784) from 0 to 1, and the digit 0-9 on each, (rows,)."""

    pixels: npt.NDArray[Any]
    digits: npt.NDArray[Any]


class Collection(NamedTuple):
    """Three splits of pictures, and where they come from (in the words of ``job.write_about``)."""

    train: Digits
    validation: Digits
    test: Digits
    origin: str
    source: str


def read() -> Collection:
    """Return the digits that the environment asks for; raise JobError when the public file is not what it should be."""
    if job.wants_full_data():
        source = "MNIST handwritten digits, mnist.pkl.gz of SageMaker's example files"
        return Collection(*full_digits(), "public", source)
    source = "1,797 handwritten digits of scikit-learn (UCI Optical Recognition), scaled from 8 x 8"
    return Collection(*sample_digits(), "real", source)


def joined(*parts: Digits) -> Digits:
    """Return the rows of all parts, one part after the other."""
    return Digits(*(np.concatenate(columns) for columns in zip(*parts)))


def write_about(
    collection: Collection, *, train: int, validation: int, label: str = "digit", classes: Sequence[str] = ()
) -> None:
    """Write ``about/about.json``; ``train`` and ``validation`` are the rows written, the test split is as it is read.

    ``classes`` are the meanings of the labels, by default the ten digits.
    """
    job.write_about(
        origin=collection.origin,
        source=collection.source,
        rows={"train": train, "validation": validation, "test": len(collection.test.digits)},
        features=FEATURES,
        label=label,
        classes=classes or [str(digit) for digit in range(10)],
        picture={"height": SIDE, "width": SIDE, "digits": "".join(str(digit) for digit in collection.test.digits)},
    )


def sample_digits() -> list[Digits]:
    """Return train, validation and test of scikit-learn's digits; the same rows every time."""
    from sklearn.datasets import load_digits  # here, because it takes a second that full data need not spend

    small = load_digits()
    pixels = enlarge(small.images / 16.0, SIDE)
    parts = stratified_split(small.target, SAMPLE_FRACTIONS, SEED)
    return [Digits(pixels[rows], small.target[rows]) for rows in parts]


def enlarge(images: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Scale square pictures (rows, n, n) up to (rows, side * side) by bilinear interpolation.

    Pixel centres map to pixel centres and the edge is repeated, so brightness stays within the original's.
    Rounded to four decimals: training in binary and prediction in text then see exactly the same numbers.
    """
    size = images.shape[1]
    weights = np.zeros((side, size))
    for target in range(side):
        centre = min(max((target + 0.5) * size / side - 0.5, 0.0), size - 1.0)
        low = min(int(centre), size - 2)
        weights[target, low] = 1.0 - (centre - low)
        weights[target, low + 1] = centre - low
    scaled = np.einsum("ai,rij,bj->rab", weights, images, weights)
    flat: npt.NDArray[Any] = np.round(scaled, 4).astype(np.float32).reshape(len(images), side * side)
    return flat


def full_digits() -> list[Digits]:
    """Return the three splits of ``mnist.pkl.gz`` as its authors made them (50,000, 10,000 and 10,000 rows).

    Raises JobError when the file is anything but three pairs of pictures and digits.
    """
    path = job.full_data_file()
    try:
        content = safe_pickle.load_gzip(path)
    except (OSError, EOFError, safe_pickle.UnsafePickleError) as error:
        raise job.JobError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(content, (tuple, list)) or len(content) != 3:
        raise job.JobError(f"{path.name} must hold train, validation and test")
    return [_checked(path.name, part) for part in content]


def _checked(name: str, part: Any) -> Digits:
    if not isinstance(part, (tuple, list)) or len(part) != 2:
        raise job.JobError(f"{name}: every split must be a pair of pictures and digits")
    pixels, digits = (np.asarray(item) for item in part)
    if pixels.dtype.kind != "f" or pixels.ndim != 2 or pixels.shape[1] != SIDE * SIDE or not len(pixels):
        raise job.JobError(f"{name}: pictures must be numbers of the shape (rows, 784), not {pixels.shape}")
    if digits.dtype.kind not in "iu" or digits.shape != (len(pixels),):
        raise job.JobError(f"{name}: there must be one whole-numbered digit per picture")
    # Written so that a pixel that is not a number fails too: every comparison with it is false.
    if not (pixels.min() >= 0 and pixels.max() <= 1) or digits.min() < 0 or digits.max() > 9:
        raise job.JobError(f"{name}: pixels must lie between 0 and 1 and digits between 0 and 9")
    return Digits(pixels.astype(np.float32), digits)
