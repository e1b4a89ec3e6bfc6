"""Prepare the digits for a network of one's own: pictures of 28 x 28 pixels and the digit on each.

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train.csv`` (80 % of what is not the test split) and ``validation/validation.csv`` (20 %): the digit first,
  then 784 pixels from 0 (paper) to 1 (ink), no header;
* ``test/test.csv``: other pictures in the same form, for the endpoint;
* ``about/about.json``: where the data comes from;
* ``baseline/baseline.csv``, for a pipeline: the training rows with a header.

Which pictures these are, ``mnist.py`` in the folder of shared modules says; the test split is that of the other
workloads about digits.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import job
import mnist
from splits import stratified_split

VALIDATION = 0.2
"""Share of the pictures that are not in the test split which the training is judged by after each epoch."""
SEED = 10


def main() -> None:
    """Read the digits that the environment asks for and write the three splits and their description."""
    collection = mnist.read()
    known = mnist.joined(collection.train, collection.validation)
    train, validation = stratified_split(known.digits, (1 - VALIDATION, VALIDATION), SEED)
    for name, rows in (("train", train), ("validation", validation)):
        job.write_csv(job.output(name) / f"{name}.csv", known.digits[rows], known.pixels[rows])
        if name == "train":
            job.write_baseline("digit", mnist.FEATURES, known.digits[rows], known.pixels[rows])
    test = collection.test
    job.write_csv(job.output("test") / "test.csv", test.digits, test.pixels)
    mnist.write_about(collection, train=len(train), validation=len(validation))


if __name__ == "__main__":
    job.run(main)
