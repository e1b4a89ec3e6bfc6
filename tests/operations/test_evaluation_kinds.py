"""Models with several classes, and clusters: what replies mean, what is counted, and the plain model beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from operations.evaluation import (
    About,
    Binary,
    ClassEvaluation,
    ClusterEvaluation,
    Clusters,
    Comparison,
    Counts,
    EvaluationError,
    Multiclass,
    TestSplit,
    compare,
    comparison_json,
    describe_prediction,
    evaluate,
    plain_model,
    render_comparison,
    render_terminal,
    spec_of,
    to_json,
)
from operations.evaluation.records import read_records
from sandcastle.config.workload import EvaluateSpec
from tests.workloads.conftest import load_program

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)
NAMES = ("Adelie", "Chinstrap", "Gentoo")
SPECIES = About("real", "penguins", ("a", "b"), NAMES)
PREDICTION = Multiclass("json:prediction")
CLOSEST = Clusters("json:closest_cluster")


def printed(what: object) -> str:
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(what)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


# --- numbers ------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(PAIRS)
def test_rates_of_classes_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    from sklearn import metrics

    labels, given_ = [label for label, _ in pairs], [answer for _, answer in pairs]
    counts = Counts.count(labels, given_, 4, 4)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, given_, labels=range(4), zero_division=np.nan
    )
    assert counts.accuracy == pytest.approx(metrics.accuracy_score(labels, given_))
    for label in range(4):
        assert counts.support(label) == support[label]
        for found, expected in ((counts.precision(label), precision[label]), (counts.recall(label), recall[label])):
            assert found is None if np.isnan(expected) else found == pytest.approx(expected)
        if counts.f1(label) is not None:
            assert counts.f1(label) == pytest.approx(f1[label])


@settings(deadline=None)
@given(PAIRS)
def test_purity_is_that_of_the_contingency_table(pairs: list[tuple[int, int]]) -> None:
    from sklearn import metrics

    labels, clusters = [label for label, _ in pairs], [cluster for _, cluster in pairs]
    table = metrics.cluster.contingency_matrix(labels, clusters)
    counts = Counts.count(labels, clusters, 4, 4)
    assert counts.purity == pytest.approx(table.max(axis=0).sum() / table.sum())
    assert counts.purity is not None
    assert counts.majority is not None
    assert counts.purity >= counts.majority


# --- replies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        (b'[{"prediction": "Gentoo", "confidence": 0.98}]', "Gentoo (confidence 0.980)"),
        (b'{"predictions": [{"prediction": 1}]}', "Chinstrap"),
        (b'[{"prediction": 0.0, "confidence": "high"}, {"prediction": "2"}]', "Adelie\nGentoo"),
    ],
)
def test_a_class_is_read_by_its_name_or_its_number(reply: bytes, means: str) -> None:
    assert describe_prediction(PREDICTION, reply, NAMES) == means


def test_a_cluster_has_a_number_and_no_name() -> None:
    reply = b'{"predictions": [{"closest_cluster": 4.0, "distance_to_cluster": 5.1}, {"closest_cluster": 0}]}'
    assert describe_prediction(CLOSEST, reply) == "cluster 4\ncluster 0"
    assert describe_prediction(Clusters("csv"), b"4.0\n0.0\n") == "cluster 4\ncluster 0"


@pytest.mark.parametrize(
    ("spec", "reply", "says"),
    [
        (
            PREDICTION,
            b'[{"prediction": 3}]',
            "answer 1 of the endpoint's reply is none of the classes Adelie, Chinstrap",
        ),
        (PREDICTION, b'[{"prediction": "Emperor"}]', "none of the classes"),
        (PREDICTION, b'[{"prediction": -1}]', "none of the classes"),
        (PREDICTION, b'[{"prediction": true}]', "none of the classes"),
        (PREDICTION, b'[{"prediction": null}]', "none of the classes"),
        (PREDICTION, b'[{"class": 1}]', "prediction 1 of the endpoint's reply has no 'prediction'"),
        (PREDICTION, b'"Gentoo"', "has no list of predictions"),
        (PREDICTION, b"[]", "without a single prediction"),
        (CLOSEST, b'{"predictions": [{"closest_cluster": 1.5}]}', "answer 1 of the endpoint's reply is no number of a"),
        (CLOSEST, b'{"predictions": [{"closest_cluster": -1}]}', "is no number of a cluster"),
        (CLOSEST, b'{"predictions": [{"closest_cluster": NaN}]}', "is no number of a cluster"),
        (Multiclass("xml"), b"1", "answer: 'xml' is not known"),
    ],
)
def test_other_replies_fail_with_a_sentence(spec: Multiclass | Clusters, reply: bytes, says: str) -> None:
    with pytest.raises(EvaluationError) as error:
        describe_prediction(spec, reply, NAMES)
    assert says in str(error.value)


def test_answers_that_cannot_be_joined_to_rows_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"answered 1 classes to 2 rows \(request 1\)"):
        evaluate("penguins", b"0,x,1\n2,y,\n", SPECIES, PREDICTION, lambda _: b'[{"prediction": 1}]')


def test_a_label_beyond_the_classes_is_named() -> None:
    with pytest.raises(EvaluationError, match="row 2 of the test split starts with '3' where a label from 0 to 2"):
        evaluate("penguins", b"0,x,1\n3,y,2\n", SPECIES, PREDICTION, lambda _: b"[]")


def test_a_data_set_without_classes_is_refused() -> None:
    with pytest.raises(EvaluationError, match="names no classes"):
        evaluate("penguins", b"0,1,2\n", About("real", "s", ("a", "b")), PREDICTION, lambda _: b"[]")


def test_a_block_becomes_the_spec_of_its_kind() -> None:
    written = {"kind": "clusters", "answer": "json:closest_cluster", "batch_rows": 7}
    assert spec_of(EvaluateSpec.model_validate(written)) == Clusters("json:closest_cluster", 7)
    written = {"positive": "yes", "negative": "no", "score": "csv"}
    assert spec_of(EvaluateSpec.model_validate(written)) == Binary("yes", "no", "csv", 0.5, 100)
    with pytest.raises(EvaluationError, match=r"evaluate\.answer is missing in workload\.yaml \(kind: multiclass\)"):
        spec_of(EvaluateSpec.model_validate({"kind": "multiclass"}))


# --- real models --------------------------------------------------------------------------------------------------

TRAIN, TEST = slice(0, 900), slice(900, None)
CLASSES = tuple(str(digit) for digit in range(10))
ABOUT = About("real", "scikit-learn's digits", tuple(f"p{n}" for n in range(64)), CLASSES, picture=(8, 8))


@cache
def real_digits() -> tuple[Any, Any]:
    """Return scikit-learn's digits: pixels between 0 and 1, and labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.data / 16, found.target


def table(rows: slice) -> bytes:
    pixels, labels = real_digits()
    return "".join(
        ",".join(f"{number:g}" for number in (label, *row)) + "\n"
        for label, row in zip(labels[rows], pixels[rows], strict=True)
    ).encode()


def endpoint(answer: Callable[[np.ndarray], list[dict[str, Any]]]) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(answer(np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2))).encode()


@pytest.fixture(scope="module")
def told() -> ClassEvaluation:
    from sklearn.linear_model import LogisticRegression

    pixels, labels = real_digits()
    model = LogisticRegression(max_iter=500).fit(pixels[TRAIN], labels[TRAIN])
    answering = endpoint(lambda rows: [{"prediction": int(label)} for label in model.predict(rows)])
    outcome = evaluate("digits", table(TEST), ABOUT, PREDICTION, answering)
    assert isinstance(outcome, ClassEvaluation)
    assert outcome.counts.accuracy == pytest.approx(model.score(pixels[TEST], labels[TEST]))
    return outcome


@pytest.fixture(scope="module")
def clustered() -> ClusterEvaluation:
    from sklearn import metrics
    from sklearn.cluster import KMeans

    pixels, labels = real_digits()
    model = KMeans(10, random_state=1).fit(pixels[TRAIN])
    answering = endpoint(lambda rows: [{"closest_cluster": float(cluster)} for cluster in model.predict(rows)])
    outcome = evaluate("mnist-kmeans", table(TEST), ABOUT, CLOSEST, answering)
    assert isinstance(outcome, ClusterEvaluation)
    expected = metrics.cluster.contingency_matrix(labels[TEST], model.predict(pixels[TEST]))
    assert outcome.counts.purity == pytest.approx(expected.max(axis=0).sum() / expected.sum())
    return outcome


def test_the_terminal_shows_precision_recall_and_support_of_each_class(told: ClassEvaluation) -> None:
    text = printed(render_terminal(told))
    assert f"Accuracy: {told.counts.accuracy:.1%}" in text
    (row,) = [line.split() for line in text.splitlines() if line.split()[:1] == ["7"] and "%" in line]
    expected = (told.counts.precision(7), told.counts.recall(7))
    assert row[1:3] == [f"{rate:.1%}" for rate in expected if rate is not None]
    assert row[4] == str(told.counts.support(7))


def test_the_terminal_says_in_words_what_is_in_each_cluster(clustered: ClusterEvaluation) -> None:
    text = printed(render_terminal(clustered))
    assert f"Purity: {clustered.counts.purity:.1%}" in text
    (label, most), *_ = clustered.counts.hidden(0)
    rows = clustered.counts.answered(0)
    (line,) = [line.split() for line in text.splitlines() if line.split()[:1] == ["0"] and "%" in line]
    assert line[1:4] == [str(rows), str(label), f"{most / rows:.1%}"]
    assert "No cluster is mostly" in text or "Every label has a cluster of its own." in text


def test_documents_hold_every_count(told: ClassEvaluation, clustered: ClusterEvaluation) -> None:
    document = json.loads(json.dumps(to_json(told)))
    assert document["kind"] == "multiclass"
    assert np.array(document["confusion"]).sum() == document["rows"] == 897
    assert document["by_class"]["3"]["support"] == told.counts.support(3)
    document = json.loads(json.dumps(to_json(clustered)))
    assert document["kind"] == "clusters"
    assert sum(cluster["rows"] for cluster in document["clusters"]) == 897
    assert all(sum(cluster["labels"].values()) == cluster["rows"] for cluster in document["clusters"])


def test_pictures_show_a_matrix_and_a_montage(
    told: ClassEvaluation, clustered: ClusterEvaluation, tmp_path: Path
) -> None:
    from operations import plots

    split = TestSplit(table(TEST), ABOUT)
    for outcome in (told, clustered):
        path = tmp_path / f"{outcome.workload}.png"
        plots.write_picture(outcome, split, path)
        with Image.open(path) as image:
            assert min(image.size) > 800
            assert len(image.convert("L").getcolors(256) or []) > 20
    # Of a cluster without a picture: rows that are none become bars.
    plots.write_picture(clustered, TestSplit(b"", About("real", "s", ABOUT.features, CLASSES)), tmp_path / "bars.png")
    assert (tmp_path / "bars.png").stat().st_size > 10_000


# --- the plain model ----------------------------------------------------------------------------------------------


def test_the_plain_model_is_scikit_learns_on_the_same_rows(told: ClassEvaluation) -> None:
    from sklearn.linear_model import LogisticRegression

    pixels, labels = real_digits()
    plain = plain_model(PREDICTION, [("train.csv", table(TRAIN))], table(TEST), ABOUT)
    model = LogisticRegression(max_iter=1000).fit(pixels[TRAIN], labels[TRAIN])
    assert plain.model == "LogisticRegression"
    assert plain.marks == {"accuracy": pytest.approx(model.score(pixels[TEST], labels[TEST]))}
    (found,) = compare(told, plain)
    assert found.as_good
    text = printed(render_comparison(plain, [found]))
    assert f"{found.endpoint:.3f}" in text
    assert "LogisticRegression" in text
    assert comparison_json(plain, [found])["at_least_as_good"] is True


def test_files_in_recordio_and_several_of_them_train_it_too(clustered: ClusterEvaluation) -> None:
    pixels, _ = real_digits()
    recordio = load_program("shared/recordio.py")
    files = []
    for part in range(2):
        file = io.BytesIO()
        recordio.write_records(file, pixels[TRAIN][part::2])
        files.append((f"train-{part}.pbr", file.getvalue()))
    plain = plain_model(CLOSEST, files, table(TEST), ABOUT)
    assert plain.model == "KMeans"
    assert set(plain.marks) == {"purity"}
    assert 0.7 <= (plain.marks["purity"] or 0) <= 1
    labels, inputs = read_records(files[1][1], "train-1.pbr")
    assert labels is None
    assert np.array_equal(inputs, pixels[TRAIN][1::2].astype(np.float32))


def test_binary_labels_in_recordio_give_accuracy_and_auc() -> None:
    from sklearn import metrics
    from sklearn.linear_model import LogisticRegression

    pixels, labels = real_digits()
    recordio = load_program("shared/recordio.py")
    file = io.BytesIO()
    zeros = (labels == 0).astype(int)
    recordio.write_records(file, pixels[TRAIN], zeros[TRAIN])
    rows = "".join(
        f"{zero},{','.join(f'{p:g}' for p in row)}\n" for zero, row in zip(zeros[TEST], pixels[TEST], strict=True)
    )
    plain = plain_model(Binary("zero", "other", "csv"), [("train.pbr", file.getvalue())], rows.encode(), ABOUT)
    model = LogisticRegression(max_iter=1000).fit(pixels[TRAIN], zeros[TRAIN])
    scores = model.predict_proba(pixels[TEST])[:, 1]
    assert plain.marks["accuracy"] == pytest.approx(((scores >= 0.5) == zeros[TEST]).mean(), abs=0.003)
    assert plain.marks["auc"] == pytest.approx(metrics.roc_auc_score(zeros[TEST], scores), abs=0.003)


def test_texts_and_gaps_are_understood() -> None:
    random = np.random.RandomState(2)
    colours = random.choice(["red", "green", "blue"], 120)
    rows = "".join(
        f"{('red', 'green', 'blue').index(colour)},{colour},{'' if number % 7 == 0 else number}\n"
        for number, colour in enumerate(colours)
    ).encode()
    plain = plain_model(PREDICTION, [("train.csv", rows)], rows, SPECIES)
    assert plain.marks == {"accuracy": 1.0}


@pytest.mark.parametrize(
    ("endpoint_", "good", "says"), [(0.9, True, "yes"), (0.88, True, "within"), (0.8, False, "no, 0.100")]
)
def test_as_good_means_within_two_hundredths(endpoint_: float, good: bool, says: str) -> None:
    found = Comparison("accuracy", endpoint_, 0.9)
    assert found.as_good is good
    assert says in found.verdict


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "holds no file ending in .csv or .pbr"),
        ([("train.pbr", b"\0" * 40)], "train.pbr is not a file of dense RecordIO-protobuf records"),
        ([("train.csv", b"0,1,2\n1,1\n")], "train.csv has rows of different lengths"),
        ([("train.csv", b"a,1,2\nb,1,2\n")], "train.csv does not have a label first"),
    ],
)
def test_damaged_training_files_are_named(files: list[tuple[str, bytes]], says: str) -> None:
    with pytest.raises(EvaluationError) as error:
        plain_model(PREDICTION, files, b"0,1,2\n", SPECIES)
    assert says in str(error.value)


def test_a_cut_record_and_labels_for_some_records_are_refused() -> None:
    recordio = load_program("shared/recordio.py")
    file = io.BytesIO()
    recordio.write_records(file, np.ones((2, 3)), np.ones(2))
    with pytest.raises(EvaluationError, match="no whole record"):
        read_records(file.getvalue()[:-8], "train.pbr")
    recordio.write_records(file, np.ones((1, 3)))
    with pytest.raises(EvaluationError, match="2 labels for 3 records"):
        read_records(file.getvalue(), "train.pbr")
