"""The digits for clustering: training files without labels, and a hidden label in the test split."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Prepare, Prepared
from .test_recordio import read

PIXELS = 28 * 28


@pytest.fixture(scope="module")
def sample(prepare: Prepare) -> Prepared:
    prepared = prepare("mnist-kmeans")
    assert prepared.code == 0, prepared.log
    return prepared


@pytest.fixture(scope="module")
def parts(sample: Prepared) -> list[np.ndarray]:
    """The training files, one after the other; a record with a label would have a second field."""
    found = []
    for number in (0, 1):
        records = read(sample.file("train", f"train-{number}.pbr").read_bytes())
        assert all(list(record) == [1] for record in records), "no record has a label"
        found.append(np.array([record[1] for record in records], dtype=float))
    return found


def test_each_of_two_instances_has_a_file_to_train_on(sample: Prepared, parts: list[np.ndarray]) -> None:
    assert [part.shape for part in parts] == [(719, PIXELS), (719, PIXELS)]
    assert len(list(sample.file("train", ".").iterdir())) == 2
    assert not list(sample.file("validation", ".").iterdir())


def test_no_test_picture_trains_and_none_is_missing(sample: Prepared, parts: list[np.ndarray]) -> None:
    test = sample.table("test")
    assert test.shape == (359, 1 + PIXELS)
    together = np.concatenate([*parts, test[:, 1:]])
    assert len(np.unique(np.round(together, 4), axis=0)) == 1797
    assert sample.about["rows"] == {"train": 1438, "validation": 0, "test": 359}


def test_the_hidden_label_is_the_digit(sample: Prepared) -> None:
    labels = sample.table("test")[:, 0].astype(int)
    assert "".join(map(str, labels)) == sample.about["picture"]["digits"]
    assert sample.about["classes"] == [str(digit) for digit in range(10)]
    assert np.bincount(labels).min() >= 34


def test_plain_k_means_reaches_the_purity_that_the_endpoint_must_reach(
    sample: Prepared, parts: list[np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    from sklearn.cluster import KMeans

    test = sample.table("test")
    clusters = KMeans(10, random_state=0).fit(np.concatenate(parts)).predict(test[:, 1:])
    most = [np.bincount(test[clusters == cluster, 0].astype(int)).max() for cluster in np.unique(clusters)]
    purity = sum(most) / len(test)
    with capsys.disabled():
        print(f"\nmnist-kmeans, scikit-learn baseline on the same split: purity {purity:.4f}")
    assert purity >= 0.70
