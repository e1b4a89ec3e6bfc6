"""The digits: what the prepare job of mnist-linear writes, and what it refuses to read."""

from __future__ import annotations

import gzip
import io
import os
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from .conftest import Prepare, Prepared, load_program
from .test_recordio import read

PIXELS = 28 * 28


def records(prepared: Prepared, split: str) -> np.ndarray:
    """Return a RecordIO split in the form of a CSV split, label first."""
    content = read(prepared.file(split, f"{split}.pbr").read_bytes())
    return np.array([record[2] + record[1] for record in content])


@pytest.fixture(scope="module")
def sample(prepare: Prepare) -> Prepared:
    prepared = prepare("mnist-linear")
    assert prepared.code == 0, prepared.log
    return prepared


@pytest.fixture(scope="module")
def splits(sample: Prepared) -> dict[str, np.ndarray]:
    return {
        "train": records(sample, "train"),
        "validation": records(sample, "validation"),
        "test": sample.table("test"),
    }


def test_the_sample_has_every_digit_of_scikit_learn_once(splits: dict[str, np.ndarray]) -> None:
    from sklearn.datasets import load_digits

    assert {name: rows.shape for name, rows in splits.items()} == {
        "train": (1078, 1 + PIXELS),
        "validation": (360, 1 + PIXELS),
        "test": (359, 1 + PIXELS),
    }
    together = np.concatenate(list(splits.values()))
    assert together[:, 0].sum() == (load_digits().target == 0).sum() == 178
    # No two of the 1,797 pictures are equal, so equal numbers mean that no row is in two splits.
    assert len(np.unique(np.round(together, 4), axis=0)) == len(together) == 1797


def test_every_split_has_the_same_share_of_zeros(splits: dict[str, np.ndarray]) -> None:
    for rows in splits.values():
        assert rows[:, 0].mean() == pytest.approx(0.0990, abs=0.002)
        assert set(np.unique(rows[:, 0])) == {0.0, 1.0}


def test_pixels_are_ink_between_0_and_1_and_show_the_original_digit(
    sample: Prepared, splits: dict[str, np.ndarray]
) -> None:
    from sklearn.datasets import load_digits

    pictures = splits["test"][:, 1:]
    assert pictures.min() == 0
    assert pictures.max() == 1
    # Averaged back to 8 x 8, every picture must be nearest to a digit of its own class.
    digits = load_digits()
    edges = np.linspace(0, 28, 9).round().astype(int)
    small = np.array(
        [
            picture[top:bottom, left:right].mean()
            for picture in pictures.reshape(-1, 28, 28)
            for top, bottom in pairwise(edges)
            for left, right in pairwise(edges)
        ]
    ).reshape(-1, 64)
    distances = ((small[:, None, :] - digits.data[None] / 16) ** 2).sum(axis=2)
    nearest = digits.target[distances.argmin(axis=1)]
    assert "".join(map(str, nearest)) == sample.about["picture"]["digits"]


def test_about_says_what_the_rows_are(sample: Prepared, splits: dict[str, np.ndarray]) -> None:
    about = sample.about
    assert about["origin"] == "real"
    assert "scikit-learn" in about["source"]
    assert about["rows"] == {"train": 1078, "validation": 360, "test": 359}
    assert len(about["features"]) == PIXELS
    assert (about["features"][0], about["features"][-1]) == ("pixel_0_0", "pixel_27_27")
    assert about["classes"] == ["is not a zero", "is a zero"]
    shown = about["picture"]["digits"]
    assert [digit == "0" for digit in shown] == (splits["test"][:, 0] == 1).tolist()


def test_the_same_bytes_come_out_every_time(sample: Prepared, prepare: Prepare) -> None:
    assert prepare("mnist-linear").contents() == sample.contents()


def test_a_plain_linear_model_reaches_what_the_endpoint_must_reach(
    splits: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    train, test = splits["train"], splits["test"]
    model = LogisticRegression(max_iter=500).fit(train[:, 1:], train[:, 0])
    answers = model.predict(test[:, 1:])
    accuracy, f1 = (answers == test[:, 0]).mean(), f1_score(test[:, 0], answers)
    with capsys.disabled():
        print(f"\nmnist-linear, scikit-learn baseline on the same split: accuracy {accuracy:.4f}, F1 {f1:.4f}")
    assert accuracy >= 0.97
    assert f1 >= 0.90


def mnist_file(rows: tuple[int, int, int] = (30, 10, 20)) -> tuple[bytes, list[tuple[np.ndarray, np.ndarray]]]:
    """Return a file in the form of mnist.pkl.gz, and its splits."""
    random = np.random.RandomState(5)
    content = [
        (random.rand(count, PIXELS).astype(np.float32), random.randint(0, 10, count).astype(np.int64)) for count in rows
    ]
    return gzip.compress(pickle.dumps(tuple(content), protocol=2), mtime=0), content


def test_full_keeps_the_files_own_splits(prepare: Prepare) -> None:
    file, (train, validation, test) = mnist_file()
    prepared = prepare("mnist-linear", full=("mnist.pkl.gz", file))
    assert prepared.code == 0, prepared.log
    for name, (pixels, digits) in (("train", train), ("validation", validation)):
        rows = records(prepared, name)
        assert np.array_equal(rows[:, 1:], pixels)
        assert np.array_equal(rows[:, 0], digits == 0)
    assert prepared.table("test")[:, 1:] == pytest.approx(test[0], rel=1e-5)
    assert np.array_equal(prepared.table("test")[:, 0], test[1] == 0)
    assert prepared.about["origin"] == "public"
    assert prepared.about["rows"] == {"train": 30, "validation": 10, "test": 20}
    assert prepared.about["picture"]["digits"] == "".join(map(str, test[1]))


class RunsACommand:
    """What an attacker would pickle: loading it the usual way runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_a_pickle_that_runs_a_command_is_refused_and_nothing_runs(prepare: Prepare, tmp_path: Path) -> None:
    trace = tmp_path / "was-run"
    evil = gzip.compress(pickle.dumps(RunsACommand(f"touch {trace}"), protocol=2))
    prepared = prepare("mnist-linear", full=("mnist.pkl.gz", evil))
    assert prepared.code == 1
    assert "only numpy arrays are admitted" in prepared.exit_message
    assert "Traceback" not in prepared.log
    assert not trace.exists()
    pickle.loads(gzip.decompress(evil))  # noqa: S301 - shows that the file above would have run it
    assert trace.exists()


SAFE_PICKLE = load_program("shared/safe_pickle.py")


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cposix\nsystem\n(S'true'\ntR.",
        b"cnumpy\nload\n.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"c_codecs\ndecode\n.",
        b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.data\x93.",
        b"not a pickle",
        b"",
    ],
)
def test_only_arrays_can_be_unpickled(tmp_path: Path, opcodes: bytes) -> None:
    path = tmp_path / "file.pkl.gz"
    path.write_bytes(gzip.compress(opcodes))
    with pytest.raises((SAFE_PICKLE.UnsafePickleError, EOFError)):
        SAFE_PICKLE.load_gzip(path)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_arrays_of_every_pickle_protocol_that_stores_them_whole_are_read(tmp_path: Path, protocol: int) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / "file.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps([array, "text", 3], protocol=protocol)))
    loaded, text, number = SAFE_PICKLE.load_gzip(path)
    assert np.array_equal(loaded, array)
    assert (text, number) == ("text", 3)


def test_an_array_pickled_by_python_2_is_read(tmp_path: Path) -> None:
    # What Python 2's numpy wrote: the module path numpy.core, and the array's bytes as a string of that time.
    data = np.array([0.5, 200.0], dtype="<f4")
    raw = b"U" + bytes([data.nbytes]) + data.tobytes()
    stream = io.BytesIO()
    stream.write(b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R")
    stream.write(
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    )
    stream.write(raw + b"tb.")
    path = tmp_path / "file.pkl.gz"
    path.write_bytes(gzip.compress(stream.getvalue()))
    assert np.array_equal(SAFE_PICKLE.load_gzip(path), data)


def damaged(change: str) -> bytes:
    _, (train, validation, test) = mnist_file((4, 4, 4))
    pixels, digits = train
    parts: object = {
        "two splits": (train, validation),
        "pixels out of range": ((pixels * 300, digits), validation, test),
        "a pixel that is no number": ((np.where(pixels > 0.9, np.nan, pixels), digits), validation, test),
        "digits out of range": ((pixels, digits + 9), validation, test),
        "too few digits": ((pixels, digits[:2]), validation, test),
        "small pictures": ((pixels[:, :64], digits), validation, test),
        "no pictures": ((pixels[:0], digits[:0]), validation, test),
        "names for digits": ((pixels, np.array(["a"] * 4)), validation, test),
        "a table": pixels,
    }[change]
    return gzip.compress(pickle.dumps(parts, protocol=4))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("two splits", "train, validation and test"),
        ("pixels out of range", "between 0 and 1"),
        ("a pixel that is no number", "between 0 and 1"),
        ("digits out of range", "between 0 and 9"),
        ("too few digits", "one whole-numbered digit per picture"),
        ("small pictures", "(rows, 784), not (4, 64)"),
        ("no pictures", "(rows, 784), not (0, 784)"),
        ("names for digits", "one whole-numbered digit per picture"),
        ("a table", "train, validation and test"),
    ],
)
def test_a_file_of_another_form_fails_with_a_sentence(prepare: Prepare, change: str, says: str) -> None:
    prepared = prepare("mnist-linear", full=("mnist.pkl.gz", damaged(change)))
    assert prepared.code == 1
    assert says in prepared.exit_message
    assert "Traceback" not in prepared.log


def test_a_broken_download_fails_with_a_sentence(prepare: Prepare) -> None:
    file, _ = mnist_file()
    for content in (file[: len(file) // 2], b"<html>not found</html>"):
        prepared = prepare("mnist-linear", full=("mnist.pkl.gz", content))
        assert prepared.code == 1
        assert "mnist.pkl.gz cannot be read" in prepared.exit_message


def test_an_unknown_choice_and_a_missing_download_are_named(prepare: Prepare) -> None:
    assert "SANDCASTLE_DATA is 'fulll'" in prepare("mnist-linear", data="fulll").exit_message
    assert "exactly one file" in prepare("mnist-linear", data="full").exit_message
