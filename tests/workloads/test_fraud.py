"""The credit-card table: what the prepare job of fraud writes from invented and from public rows."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from .conftest import Prepare, Prepared

FEATURES = ["Time", *(f"V{number}" for number in range(1, 29)), "Amount"]
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def sample(prepare: Prepare) -> Prepared:
    prepared = prepare("fraud")
    assert prepared.code == 0, prepared.log
    return prepared


@pytest.fixture(scope="module")
def splits(sample: Prepared) -> dict[str, np.ndarray]:
    return {name: sample.table(name) for name in SPLITS}


def test_the_sample_is_70_to_20_to_10_in_the_published_columns(sample: Prepared, splits: dict[str, np.ndarray]) -> None:
    assert {name: rows.shape for name, rows in splits.items()} == {
        "train": (11200, 31),
        "validation": (3200, 31),
        "test": (1600, 31),
    }
    assert sample.about["features"] == FEATURES
    assert sample.about["classes"] == ["genuine", "fraud"]


def test_every_split_has_the_same_share_of_fraud(splits: dict[str, np.ndarray]) -> None:
    for rows in splits.values():
        assert set(np.unique(rows[:, 0])) == {0.0, 1.0}
        assert rows[:, 0].mean() == pytest.approx(0.025, abs=1e-9)


def test_the_sample_says_that_it_is_generated(sample: Prepared) -> None:
    assert sample.about["origin"] == "generated"
    assert "invented" in sample.about["source"]
    assert "generated data" in sample.log


def test_values_are_such_as_the_published_table_has(splits: dict[str, np.ndarray]) -> None:
    rows = np.concatenate(list(splits.values()))
    time, amount, first, last = rows[:, 1], rows[:, 30], rows[:, 2], rows[:, 29]
    assert time.min() >= 0
    assert time.max() <= 172_792
    assert amount.min() >= 0
    assert first.std() > 3 * last.std(), "principal components are ever narrower"
    nights = ((time % 86_400) > 3600) & ((time % 86_400) < 6 * 3600)
    assert nights.mean() < 5 / 24 / 2, "by night there are fewer payments"


def test_trees_learn_it_and_what_a_linear_model_misses(
    splits: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = splits["train"], splits["test"]
    plain = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    trees = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    found = {}
    for name, model in (("linear", plain), ("trees", trees)):
        scores = model.fit(train[:, 1:], train[:, 0]).predict_proba(test[:, 1:])[:, 1]
        found[name] = (roc_auc_score(test[:, 0], scores), ((scores >= 0.5) == test[:, 0]).mean())
    with capsys.disabled():
        print(
            f"\nfraud (generated), scikit-learn: AUC of trees {found['trees'][0]:.3f}, linear {found['linear'][0]:.3f}"
        )
    assert found["trees"][0] >= 0.90
    assert found["linear"][0] < 0.80
    # Why accuracy misleads: finding no fraud at all is right 97.5 % of the time, and the linear model hardly does more.
    assert found["linear"][1] == pytest.approx(0.975, abs=0.012)


def archive(content: bytes, name: str = "creditcard.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(name, content)
    return packed.getvalue()


def table(rows: int = 40, columns: list[str] | None = None) -> bytes:
    """Return a public table in Kaggle's form, with quotes; ``Amount`` counts the rows and every fourth is a fraud."""
    names = [*FEATURES, "Class"] if columns is None else columns
    lines = [",".join(f'"{name}"' for name in names)]
    for number in range(rows):
        values = dict.fromkeys(names, "-1.25") | {"Amount": str(number), "Class": f'"{int(number % 4 == 0)}"'}
        lines.append(",".join(values[name] for name in names))
    return "\n".join(lines).encode() + b"\n"


def test_the_public_table_is_read_from_its_archive(prepare: Prepare) -> None:
    prepared = prepare("fraud", full=("creditcardfraud.zip", archive(table(), "creditcardfraud/creditcard.csv")))
    assert prepared.code == 0, prepared.log
    assert prepared.about["origin"] == "public"
    parts = [prepared.table(name) for name in SPLITS]
    assert [len(part) for part in parts] == [28, 8, 4]
    together = np.concatenate(parts)
    assert sorted(together[:, 30]) == list(range(40))
    assert np.array_equal(together[:, 0] == 1, together[:, 30] % 4 == 0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no archive", "is not a whole zip archive"),
        (archive(table())[:-30], "is not a whole zip archive"),
        (archive(table(), "other.csv"), "must hold one creditcard.csv; it holds 0"),
        (archive(b""), "is not a CSV table"),
        (archive(table(columns=["Time", "Amount", "Class"])), "lacks the columns V1, V2"),
        (archive(table().replace(b"-1.25", b"much", 1)), "column Time of the credit-card table must hold a number"),
        (archive(table().replace(b'"1"', b'"2"')), "must hold 0 (genuine) and 1 (fraud), and both"),
        (archive(table().replace(b'"1"', b'"0"')), "must hold 0 (genuine) and 1 (fraud), and both"),
    ],
)
def test_another_file_fails_with_a_sentence(prepare: Prepare, content: bytes, says: str) -> None:
    prepared = prepare("fraud", full=("creditcardfraud.zip", content))
    assert prepared.code == 1
    assert says in prepared.exit_message
    assert "Traceback" not in prepared.log
