"""Prepare the digits: pictures of 28 x 28 pixels and the answer to "is it a zero?".

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train.pbr`` and ``validation/validation.pbr``: RecordIO-protobuf, 784 pixels from 0 (paper) to 1
  (ink) and the label 1 for a zero, 0 for any other digit;
* ``test/test.csv``: the same, label first, for the endpoint;
* ``about/about.json``: where the data comes from, and which digit each test row shows;
* ``baseline/baseline.csv``, for a pipeline: the training rows with a header.

Which pictures these are, ``mnist.py`` in the folder of shared modules says.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import job
import mnist
import numpy as np
import recordio

if TYPE_CHECKING:
    import numpy.typing as npt


def main() -> None:
    """Read the digits that the environment asks for and write the three splits and their description."""
    collection = mnist.read()
    for name, split in (("train", collection.train), ("validation", collection.validation)):
        with (job.output(name) / f"{name}.pbr").open("wb") as file:
            recordio.write_records(file, split.pixels, is_zero(split.digits))
    train = collection.train
    job.write_baseline("is_zero", mnist.FEATURES, is_zero(train.digits), train.pixels)
    test = collection.test
    job.write_csv(job.output("test") / "test.csv", is_zero(test.digits), test.pixels)
    mnist.write_about(
        collection,
        train=len(collection.train.digits),
        validation=len(collection.validation.digits),
        label="is_zero",
        classes=["is not a zero", "is a zero"],
    )


def is_zero(digits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return 1 where the digit is a zero and 0 elsewhere."""
    answer: npt.NDArray[Any] = (digits == 0).astype(np.float32)
    return answer


if __name__ == "__main__":
    job.run(main)
