"""A pipeline's models are judged by what they answer: evaluate.py on models that were really trained.

scikit-learn and XGBoost run on the classic runner; the digits on PyTorch's where it has been made (see test_digits).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Prepare, Prepared, runner_python
from .judging import Judged, judge, judge_archive
from .scripts import train

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
RUNNERS = Path(os.environ.get("LOCALCLOUD_RUNNERS", REPOSITORY / ".localcloud" / "runners"))
PYTORCH = RUNNERS / "pytorch" / "bin" / "python"
SCRIPT = {
    "SANDCASTLE_KIND": "multiclass",
    "SANDCASTLE_ANSWER": "json:prediction",
    "SANDCASTLE_CONTENT_TYPE": "text/csv",
    "SANDCASTLE_ACCEPT": "application/json",
    "SANDCASTLE_PROGRAM": "inference.py",
}
TREES = {
    "SANDCASTLE_KIND": "binary",
    "SANDCASTLE_ANSWER": "csv",
    "SANDCASTLE_THRESHOLD": "0.5",
    "SANDCASTLE_CONTENT_TYPE": "text/csv",
    "SANDCASTLE_ACCEPT": "text/csv",
}


@pytest.fixture(scope="module")
def penguins(prepare: Prepare) -> Prepared:
    return prepare("penguins")


@pytest.fixture(scope="module")
def model(penguins: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train(runner_python(), "penguins", penguins, folder)
    return folder


@pytest.fixture(scope="module")
def judged(penguins: Prepared, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    done = judge(runner_python(), tmp_path_factory.mktemp("judged"), penguins, model, **SCRIPT)
    assert done.code == 0, done.log
    return done


def test_the_evaluation_has_the_registrys_form_and_scikit_learns_numbers(judged: Judged) -> None:
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    labels = [row["label"] for row in judged.predictions]
    answers = [row["prediction"] for row in judged.predictions]
    assert set(labels) == set(SPECIES), "label and prediction are in the model's own words"
    evaluation = judged.evaluation
    assert evaluation["rows"] == len(labels) == 69
    measured = evaluation["multiclass_classification_metrics"]
    assert measured["accuracy"] == {"value": accuracy_score(labels, answers), "standard_deviation": "NaN"}
    assert measured["accuracy"]["value"] >= 0.95
    each = precision_recall_fscore_support(labels, answers, labels=SPECIES)
    for number, name in enumerate(SPECIES):
        found = evaluation["classes"][name]
        assert [found[key] for key in ("precision", "recall", "f1", "support")] == pytest.approx(
            [column[number] for column in each]
        )
    weighted = precision_recall_fscore_support(labels, answers, labels=SPECIES, average="weighted")
    names = ("weighted_precision", "weighted_recall", "weighted_f1")
    assert [measured[name]["value"] for name in names] == pytest.approx(weighted[:3])
    matrix = confusion_matrix(labels, answers, labels=SPECIES)
    for label in range(3):
        assert measured["confusion_matrix"][str(label)] == {str(n): matrix[label][n] for n in range(3)}
    assert measured["accuracy_best_constant_classifier"]["value"] == pytest.approx(labels.count("Adelie") / 69)
    assert f"accuracy={measured['accuracy']['value']:.6f} of 69 rows" in judged.log
    assert "Chinstrap" in judged.log


def test_smoke_rows_are_the_first_of_the_test_split_with_the_models_answers(judged: Judged, penguins: Prepared) -> None:
    rows, answers = judged.smoke
    written = penguins.file("test", "test.csv").read_text().splitlines()
    assert rows == [line.partition(",")[2] for line in written[:20]]
    assert [one["prediction"] for one in answers] == [row["prediction"] for row in judged.predictions[:20]]
    assert all(0 < one["confidence"] <= 1 for one in answers)


@pytest.mark.exhaustive
def test_the_same_bytes_come_out_every_time(judged: Judged, penguins: Prepared, model: Path, tmp_path: Path) -> None:
    again = judge(runner_python(), tmp_path, penguins, model, **SCRIPT)
    for file in ("evaluation/evaluation.json", "predictions/predictions.csv", "smoke/expected.jsonl"):
        assert (again.output / file).read_bytes() == (judged.output / file).read_bytes()


@pytest.mark.exhaustive
def test_answers_of_csv_are_judged_alike(judged: Judged, penguins: Prepared, model: Path, tmp_path: Path) -> None:
    variables = SCRIPT | {"SANDCASTLE_ANSWER": "csv", "SANDCASTLE_ACCEPT": "text/csv"}
    done = judge(runner_python(), tmp_path, penguins, model, **variables)
    assert done.evaluation == judged.evaluation
    assert done.smoke[1] == [[one["prediction"], one["confidence"]] for one in judged.smoke[1]]


@pytest.fixture(scope="module")
def trees(prepare: Prepare, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """The bank's trees, trained by XGBoost itself."""
    bank, folder = prepare("bank"), tmp_path_factory.mktemp("trees")
    program = (
        "import sys, numpy, xgboost\n"
        "rows = numpy.loadtxt(sys.argv[1], delimiter=',')[:4000]\n"
        "data = xgboost.DMatrix(rows[:, 1:], rows[:, 0])\n"
        "settings = {'objective': 'binary:logistic', 'max_depth': 4, 'nthread': 1}\n"
        "xgboost.train(settings, data, 10).save_model(sys.argv[2])\n"
    )
    target = folder / "model.json"
    subprocess.run([str(runner_python()), "-c", program, bank.file("train", "train.csv"), target], check=True)
    target.rename(folder / "xgboost-model")
    done = judge(runner_python(), tmp_path_factory.mktemp("judged"), bank, folder, **TREES)
    assert done.code == 0, done.log
    return done


def test_a_built_in_xgboost_has_no_handlers_and_scores(trees: Judged) -> None:
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

    labels = [int(row["label"]) for row in trees.predictions]
    scores = [float(row["probability"]) for row in trees.predictions]
    answers = [int(row["prediction"]) for row in trees.predictions]
    assert answers == [int(score >= 0.5) for score in scores]
    measured = {
        name: one["value"]
        for name, one in trees.evaluation["binary_classification_metrics"].items()
        if name != "confusion_matrix"
    }
    assert measured["accuracy"] == pytest.approx(accuracy_score(labels, answers))
    assert measured["auc"] == pytest.approx(roc_auc_score(labels, scores))
    precision, recall, f1, _ = precision_recall_fscore_support(labels, answers, average="binary")
    assert [measured[name] for name in ("precision", "recall", "f1")] == pytest.approx([precision, recall, f1])
    assert list(trees.evaluation["classes"]) == ["No Purchase", "Purchase"]
    rows, expected = trees.smoke
    assert [len(row.split(",")) for row in rows] == [59] * 20
    assert expected == [[pytest.approx(score)] for score in scores[:20]]


@pytest.mark.parametrize("_", [pytest.param("", marks=[] if PYTORCH.exists() else [pytest.mark.exhaustive])])
def test_the_network_of_digits_is_judged_by_its_handlers_without_their_server(
    prepare: Prepare, tmp_path: Path, _: str
) -> None:
    if not PYTORCH.exists():
        pytest.skip("localcloud's PyTorch runner has not been made")
    digits, folder = prepare("digits"), tmp_path / "model"
    folder.mkdir()
    train(PYTORCH, "digits", digits, folder, "--epochs", "3", "--learning_rate", "0.02")
    done = judge(PYTORCH, tmp_path, digits, folder, **SCRIPT)
    assert done.code == 0, done.log
    assert done.evaluation["multiclass_classification_metrics"]["accuracy"]["value"] > 0.7
    assert list(done.evaluation["classes"]) == [str(digit) for digit in range(10)]
    assert {row["label"] for row in done.predictions} == {str(digit) for digit in range(10)}
    rows, answers = done.smoke
    assert len(rows) == len(answers) == 20
    assert isinstance(answers[0]["prediction"], int)


@pytest.mark.exhaustive
def test_what_cannot_be_judged_is_the_jobs_exit_message_and_writes_nothing(judged: Judged, tmp_path: Path) -> None:
    shutil.copytree(judged.root / "processing" / "input", tmp_path / "processing" / "input")
    done = judge_archive(runner_python(), tmp_path, **(SCRIPT | {"SANDCASTLE_ANSWER": "json:species"}))
    assert done.code == 1
    assert done.exit_message.startswith("the answer to row 1 has no 'species'")
    assert f"error: {done.exit_message}" in done.log
    assert not (done.output / "evaluation" / "evaluation.json").exists()
