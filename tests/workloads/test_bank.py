"""The bank table: what the prepare job of bank writes from invented and from public rows."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Prepare, Prepared

# The cleaned table of the tutorial, as published: 61 columns.
PUBLISHED_COLUMNS = [
    "age",
    "campaign",
    "pdays",
    "previous",
    "no_previous_contact",
    "not_working",
    "job_admin.",
    "job_blue-collar",
    "job_entrepreneur",
    "job_housemaid",
    "job_management",
    "job_retired",
    "job_self-employed",
    "job_services",
    "job_student",
    "job_technician",
    "job_unemployed",
    "job_unknown",
    "marital_divorced",
    "marital_married",
    "marital_single",
    "marital_unknown",
    "education_basic.4y",
    "education_basic.6y",
    "education_basic.9y",
    "education_high.school",
    "education_illiterate",
    "education_professional.course",
    "education_university.degree",
    "education_unknown",
    "default_no",
    "default_unknown",
    "default_yes",
    "housing_no",
    "housing_unknown",
    "housing_yes",
    "loan_no",
    "loan_unknown",
    "loan_yes",
    "contact_cellular",
    "contact_telephone",
    "month_apr",
    "month_aug",
    "month_dec",
    "month_jul",
    "month_jun",
    "month_mar",
    "month_may",
    "month_nov",
    "month_oct",
    "month_sep",
    "day_of_week_fri",
    "day_of_week_mon",
    "day_of_week_thu",
    "day_of_week_tue",
    "day_of_week_wed",
    "poutcome_failure",
    "poutcome_nonexistent",
    "poutcome_success",
    "y_no",
    "y_yes",
]
FEATURES = PUBLISHED_COLUMNS[:-2]
GROUPS = (
    "job",
    "marital",
    "education",
    "default",
    "housing",
    "loan",
    "contact",
    "month",
    "day_of_week",
    "poutcome",
)

# The public table, bank-additional-full.csv, as published by the UCI.
RAW_COLUMNS = [
    "age",
    "job",
    "marital",
    "education",
    "default",
    "housing",
    "loan",
    "contact",
    "month",
    "day_of_week",
    "duration",
    "campaign",
    "pdays",
    "previous",
    "poutcome",
    "emp.var.rate",
    "cons.price.idx",
    "cons.conf.idx",
    "euribor3m",
    "nr.employed",
    "y",
]


def column(name: str) -> int:
    """Return where ``name`` stands in a CSV split, whose first column is the label."""
    return 1 + FEATURES.index(name)


@pytest.fixture(scope="module")
def sample(prepare: Prepare) -> Prepared:
    prepared = prepare("bank")
    assert prepared.code == 0, prepared.log
    return prepared


@pytest.fixture(scope="module")
def rows(sample: Prepared) -> np.ndarray:
    return np.concatenate([sample.table("train"), sample.table("test")])


def test_the_sample_is_70_to_30_with_the_label_and_59_features(sample: Prepared) -> None:
    assert len(PUBLISHED_COLUMNS) == 61
    assert sample.table("train").shape == (5600, 60)
    assert sample.table("test").shape == (2400, 60)
    assert sample.about["features"] == FEATURES
    assert sample.about["rows"] == {"train": 5600, "validation": 0, "test": 2400}
    assert not list(sample.file("validation", ".").iterdir())


def test_the_sample_says_that_it_is_generated(sample: Prepared) -> None:
    assert sample.about["origin"] == "generated"
    assert "invented" in sample.about["source"]
    assert "generated data" in sample.log


def test_the_class_balance_is_the_published_one(rows: np.ndarray) -> None:
    assert set(np.unique(rows[:, 0])) == {0.0, 1.0}
    # Two standard errors of 8,000 rows are 0.007.
    assert rows[:, 0].mean() == pytest.approx(0.1127, abs=0.008)


def test_every_row_is_whole_numbers_with_one_value_per_group(rows: np.ndarray) -> None:
    assert np.array_equal(rows, rows.astype(int))
    for group in GROUPS:
        members = [column(name) for name in FEATURES if name.startswith(f"{group}_")]
        assert (rows[:, members].sum(axis=1) == 1).all(), group
        # Every value occurs, so a model meets every column.
        assert (rows[:, members].sum(axis=0) > 0).all(), group


def test_columns_that_follow_from_others_agree_with_them(rows: np.ndarray) -> None:
    never = rows[:, column("pdays")] == 999
    assert np.array_equal(rows[:, column("no_previous_contact")] == 1, never)
    idle = rows[:, [column(f"job_{job}") for job in ("student", "retired", "unemployed")]].sum(axis=1)
    assert np.array_equal(rows[:, column("not_working")], idle)
    nothing_before = rows[:, column("poutcome_nonexistent")] == 1
    assert np.array_equal(rows[:, column("previous")] == 0, nothing_before)
    assert never[nothing_before].all()
    assert rows[:, column("age")].min() >= 17
    assert rows[:, column("age")].max() <= 95
    assert rows[:, column("campaign")].min() >= 1


def test_the_same_bytes_come_out_every_time(sample: Prepared, prepare: Prepare) -> None:
    assert prepare("bank").contents() == sample.contents()


def test_a_plain_model_learns_something_and_not_everything(
    sample: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on the public table, where the tutorial gets 89.7 % right and finds one purchase in five."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import confusion_matrix, roc_auc_score

    train, test = sample.table("train"), sample.table("test")
    model = HistGradientBoostingClassifier(max_depth=5, learning_rate=0.1, max_iter=60, random_state=0)
    scores = model.fit(train[:, 1:], train[:, 0]).predict_proba(test[:, 1:])[:, 1]
    counts = confusion_matrix(test[:, 0], scores >= 0.5)
    accuracy, auc = np.trace(counts) / counts.sum(), roc_auc_score(test[:, 0], scores)
    recall = counts[1, 1] / counts[1].sum()
    with capsys.disabled():
        print(f"\nbank (generated), scikit-learn baseline: accuracy {accuracy:.4f}, AUC {auc:.3f}")
    assert 1 - test[:, 0].mean() < accuracy <= 0.93
    assert 0.7 <= auc <= 0.9
    assert 0.1 <= recall <= 0.6


def raw_rows(count: int) -> list[dict[str, str]]:
    """Return rows of the public table's form; their ages are 20, 21, 22 ... so that each can be told apart."""
    chance = np.random.RandomState(3)
    values = {group: [name[len(group) + 1 :] for name in FEATURES if name.startswith(f"{group}_")] for group in GROUPS}
    rows = []
    for number in range(count):
        row = dict.fromkeys(RAW_COLUMNS, "1.5")
        row |= {group: chance.choice(options) for group, options in values.items()}
        row |= {"age": str(20 + number), "campaign": "2", "previous": "0", "duration": "261"}
        row |= {"pdays": chance.choice(["999", "6"]), "y": chance.choice(["yes", "no"])}
        rows.append(row)
    return rows


def as_csv(rows: list[dict[str, str]], separator: str = ",", columns: list[str] = RAW_COLUMNS) -> bytes:
    """Write a table as the UCI does: text in quotes, numbers not."""

    def cell(text: str) -> str:
        return text if text.replace(".", "").isdigit() else f'"{text}"'

    lines = [separator.join(f'"{name}"' for name in columns)]
    lines += [separator.join(cell(row[name]) for name in columns) for row in rows]
    return "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize("separator", [";", ","])
def test_the_public_table_goes_through_the_tutorials_transformation(prepare: Prepare, separator: str) -> None:
    raw = raw_rows(40)
    prepared = prepare("bank", full=("bank-additional-full.csv", as_csv(raw, separator)))
    assert prepared.code == 0, prepared.log
    assert prepared.about["origin"] == "public"
    assert prepared.about["features"] == FEATURES
    train, test = prepared.table("train"), prepared.table("test")
    assert (len(train), len(test)) == (28, 12)
    together = np.concatenate([train, test])
    assert sorted(together[:, column("age")]) == [20 + number for number in range(40)]
    for row in together:
        source = raw[int(row[column("age")]) - 20]
        expected = dict.fromkeys(FEATURES, 0.0)
        expected |= {name: float(source[name]) for name in ("age", "campaign", "pdays", "previous")}
        expected["no_previous_contact"] = float(source["pdays"] == "999")
        expected["not_working"] = float(source["job"] in ("student", "retired", "unemployed"))
        expected |= {f"{group}_{source[group]}": 1.0 for group in GROUPS}
        assert row[1:].tolist() == [expected[name] for name in FEATURES]
        assert row[0] == (source["y"] == "yes")


def test_the_split_is_the_tutorials(prepare: Prepare) -> None:
    """The tutorial shuffles with pandas' sample and seed 1729, which draws from numpy's frozen RandomState."""
    prepared = prepare("bank", full=("bank-additional-full.csv", as_csv(raw_rows(40))))
    order = np.random.RandomState(1729).choice(40, size=40, replace=False)
    ages = (prepared.table(split)[:, column("age")] - 20 for split in ("train", "test"))
    train, test = (part.astype(int).tolist() for part in ages)
    assert train == order[:28].tolist()
    assert test == order[28:].tolist()


def with_value(name: str, value: str) -> bytes:
    """Return a public table whose column ``name`` has ``value`` in every row."""
    return as_csv([row | {name: value} for row in raw_rows(4)])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (as_csv(raw_rows(4), ";", RAW_COLUMNS[:-1]), "lacks the columns y"),
        (with_value("job", "pirate"), "column job of the bank table has the value 'pirate'"),
        (with_value("job", ""), "column job of the bank table has the value ''"),
        (with_value("age", "old"), "column age of the bank table must hold whole numbers"),
        (with_value("pdays", "2.5"), "column pdays of the bank table must hold whole numbers"),
        (as_csv([]), "has 0 rows"),
        (b"", "is not a CSV table"),
        (b"\xff\xfe\x00binary", "is not a CSV table"),
    ],
)
def test_another_table_fails_with_a_sentence(prepare: Prepare, content: bytes, says: str) -> None:
    prepared = prepare("bank", full=("bank-additional-full.csv", content))
    assert prepared.code == 1
    assert says in prepared.exit_message
    assert "Traceback" not in prepared.log
