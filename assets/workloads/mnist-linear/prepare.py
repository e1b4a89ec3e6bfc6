"""Prepare the digits: pictures of 28 x 28 pixels and the answer to "is it a zero?".

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train.pbr`` and ``validation/validation.pbr``: RecordIO-protobuf, 784 pixels from 0 (paper) to 1
  (ink) and the label 1 for a zero, 0 for any other digit;
* ``test/test.csv``: the same, label first, for the endpoint;
* ``about/about.json``: where the data comes from, and which digit each test row shows.

``SANDCASTLE_DATA=sample`` uses the 1,797 real handwritten digits that ship with scikit-learn. ``full`` reads
``mnist.pkl.gz`` from the input folder and keeps its own three splits.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import job
import numpy as np
import recordio
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


class Digits(NamedTuple):
    """Pictures, float32 of the shape (rows, 784) from 0 to 1, and the digit 0-9 on each, (rows,)."""

    pixels: npt.NDArray[Any]
    digits: npt.NDArray[Any]


def main() -> None:
    """Read the digits that the environment asks for and write the three splits and their description."""
    if job.wants_full_data():
        train, validation, test = full_digits()
        origin, source = "public", "MNIST handwritten digits, mnist.pkl.gz of SageMaker's example files"
    else:
        train, validation, test = sample_digits()
        origin = "real"
        source = "1,797 handwritten digits of scikit-learn (UCI Optical Recognition), scaled from 8 x 8"
    for name, split in (("train", train), ("validation", validation)):
        with (job.output(name) / f"{name}.pbr").open("wb") as file:
            recordio.write_records(file, split.pixels, is_zero(split.digits))
    job.write_csv(job.output("test") / "test.csv", is_zero(test.digits), test.pixels)
    job.write_about(
        origin=origin,
        source=source,
        rows={"train": len(train.digits), "validation": len(validation.digits), "test": len(test.digits)},
        features=[f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE)],
        label="is_zero",
        classes=["is not a zero", "is a zero"],
        picture={"height": SIDE, "width": SIDE, "digits": "".join(str(digit) for digit in test.digits)},
    )


def is_zero(digits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return 1 where the digit is a zero and 0 elsewhere."""
    answer: npt.NDArray[Any] = (digits == 0).astype(np.float32)
    return answer


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


if __name__ == "__main__":
    job.run(main)
