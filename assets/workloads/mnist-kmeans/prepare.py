"""Prepare the digits for clustering: pictures of 28 x 28 pixels that nobody has told the meaning of.

Runs as a SageMaker processing job on AWS's scikit-learn image. Writes

* ``train/train-0.pbr`` and ``train/train-1.pbr``: RecordIO-protobuf without labels, 784 pixels from 0
  (paper) to 1 (ink), the pictures dealt out in turn: one file for each of the two training instances;
* ``test/test.csv``: other pictures, with the digit first. It is hidden from model and endpoint, and serves
  to look what the clusters are afterwards;
* ``about/about.json``: where the data comes from;
* ``baseline/baseline.csv``, for a pipeline: the training pictures with the digit first and a header.

There is no validation split: without labels there is nothing to stop at or to tune by, so those pictures
train, too. Which pictures these are, ``mnist.py`` in the folder of shared modules says.

Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import job
import mnist
import recordio

PARTS = 2
"""Files of the training split: an instance that gets a share of the files must get one at least."""


def main() -> None:
    """Read the digits that the environment asks for and write the training files, the test split and its story."""
    collection = mnist.read()
    train = mnist.joined(collection.train, collection.validation)
    for part in range(PARTS):
        with (job.output("train") / f"train-{part}.pbr").open("wb") as file:
            recordio.write_records(file, train.pixels[part::PARTS])
    job.write_baseline(None, mnist.FEATURES, None, train.pixels)
    test = collection.test
    job.write_csv(job.output("test") / "test.csv", test.digits, test.pixels)
    mnist.write_about(collection, train=len(train.digits), validation=0)


if __name__ == "__main__":
    job.run(main)
