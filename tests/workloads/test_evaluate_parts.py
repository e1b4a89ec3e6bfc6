"""What of evaluate.py needs no model: reading replies, refusing what is wrong, loading only what is a model."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from .judging import PIPELINE

sys.path.insert(0, str(PIPELINE))

import evaluate
import evaluate_metrics
import evaluate_model
import evaluate_toolkits
from evaluate_errors import EvaluationError
from evaluate_metrics import Prediction
from evaluate_replies import Reading, rows_of

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
VARIABLES = {
    "SANDCASTLE_CONTENT_TYPE": "text/csv",
    "SANDCASTLE_ACCEPT": "application/json",
    "SANDCASTLE_PROGRAM": "inference.py",
}


@pytest.mark.parametrize(
    ("text", "rows", "found"),
    [
        ('[{"prediction": 7}, {"prediction": 1}]', 2, [{"prediction": 7}, {"prediction": 1}]),
        ('{"predictions": [{"score": 0.5}]}', 1, [{"score": 0.5}]),
        ('{"score": 0.5}', 1, [{"score": 0.5}]),
        ("Adelie,0.98\nGentoo,1\n", 2, [["Adelie", 0.98], ["Gentoo", 1]]),
        ("0.25\n0.5\n", 2, [[0.25], [0.5]]),
        ("0.25,0.5", 2, [[0.25], [0.5]]),
        ("0.25", 1, [[0.25]]),
        ("", 1, []),
    ],
)
def test_a_reply_has_an_answer_for_each_row(text: str, rows: int, found: list[object]) -> None:
    assert rows_of(text, rows) == found


def reading(kind: str = "multiclass", answer: str = "json:prediction", threshold: str = "") -> Reading:
    given = {"SANDCASTLE_KIND": kind, "SANDCASTLE_ANSWER": answer, "SANDCASTLE_THRESHOLD": threshold}
    return Reading.of(given, SPECIES if kind == "multiclass" else ["no", "yes"])


def test_a_class_is_known_by_name_or_number_and_called_as_the_model_calls_it() -> None:
    by_name, by_number = reading(), reading(answer="csv")
    assert by_name.read({"prediction": "Gentoo"}, 1) == Prediction(2, None, "Gentoo")
    assert by_number.read([1, 0.9], 1).label == by_number.read([1.0], 1).label == 1
    assert by_name.words(["Gentoo", "Adelie"]) == SPECIES
    assert by_number.words(["1", "0"]) == ["0", "1", "2"]


def test_a_score_is_positive_from_the_threshold_on() -> None:
    assert [reading("binary", "csv").read([score], 1).label for score in (0, 0.49, 0.5, 1)] == [0, 0, 1, 1]
    assert reading("binary", "json:score", "0.2").read({"score": 0.2}, 1) == Prediction(1, 0.2, "")


@pytest.mark.parametrize(
    ("how", "answer", "says"),
    [
        (("multiclass", "json:species"), {"prediction": "Gentoo"}, "the answer to row 3 has no 'species'"),
        (("multiclass", "csv"), {"prediction": "Gentoo"}, "the answer to row 3 is .*, no line of CSV"),
        (("multiclass", "csv"), [3], "the answer to row 3 is 3, none of Adelie, Chinstrap, Gentoo"),
        (("multiclass", "csv"), [True], "none of Adelie"),
        (("binary", "csv"), ["Adelie"], "the answer to row 3 has the score 'Adelie'; it must be from 0 to 1"),
        (("binary", "csv"), [float("nan")], "has the score nan"),
    ],
)
def test_an_answer_that_says_nothing_is_refused_with_its_row(how: tuple[str, str], answer: object, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        reading(*how).read(answer, 3)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (("clusters", "csv"), "SANDCASTLE_KIND is 'clusters'; it must be binary or multiclass"),
        (("binary", "json:"), "SANDCASTLE_ANSWER is 'json:'; it must be csv or json:<field>"),
        (("binary", ""), "SANDCASTLE_ANSWER is ''"),
    ],
)
def test_a_wrong_variable_is_named(how: tuple[str, str], says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        reading(*how)


def test_the_model_is_asked_in_batches_and_has_to_answer_every_row() -> None:
    asked: list[int] = []

    def answer(rows: str) -> str:
        asked.append(len(rows.splitlines()))
        return rows

    rows = [f"{number},{number}" for number in range(250)]
    assert evaluate.answers_of(answer, rows) == [[number, number] for number in range(250)]
    assert asked == [100, 100, 50]
    with pytest.raises(EvaluationError, match="the model gave 1 answers to 3 rows"):
        evaluate.answers_of(lambda _: '[{"prediction": 1}]', rows[:3])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("3,1,2\n", "row 1 of test.csv has the label '3'; classes: 0 to 2"),
        ("0,1,2\nspecies,1\n", "row 2 of test.csv has the label 'species'"),
        ("0.5,1\n", "has the label '0.5'"),
        ("", "there is no row in"),
    ],
)
def test_a_label_is_the_number_of_a_class(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(EvaluationError, match=says):
        evaluate.read_split(tmp_path, 3)


def test_rows_without_answers_cost_no_division() -> None:
    from sklearn.metrics import roc_auc_score

    found = [Prediction(0, None, "a")] * 3
    document = evaluate_metrics.document("multiclass", ["a", "b"], [0, 0, 0], found)
    assert document["classes"]["b"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert evaluate_metrics.area_under_roc([1, 1], [0.3, 0.4]) == 0.5
    labels, scores = [0, 1, 1, 0, 1], [0.1, 0.4, 0.4, 0.4, 0.9]
    assert evaluate_metrics.area_under_roc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


def archive(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as packed:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return folder


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"code__inference.py": "def model_fn(folder): ..."}, "has no input_fn and no predict_fn and no output_fn"),
        ({"model.joblib": ""}, "the archive has no code/inference.py: nothing could serve the model"),
        ({"../outside": ""}, "'../outside', which is no file or folder of a model"),
        ({"/tmp/outside": ""}, "'/tmp/outside', which is no file or folder of a model"),
    ],
)
def test_an_archive_that_is_no_model_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], says: str
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "inference", raising=False)
    with pytest.raises(EvaluationError, match=says):
        evaluate_model.load(archive(tmp_path / "model", **files), VARIABLES)
    monkeypatch.delitem(sys.modules, "inference", raising=False)


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as packed:
        entry = tarfile.TarInfo("model.joblib")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(entry)
    with pytest.raises(EvaluationError, match=r"'model\.joblib', which is no file or folder"):
        evaluate_model.load(tmp_path, VARIABLES)


def test_handlers_may_take_a_context_reply_as_the_toolkits_allow_and_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "inference", raising=False)
    handlers = (
        "from sagemaker_inference.errors import BaseInferenceToolkitError\n"
        "from sagemaker_containers.beta.framework import worker\n"
        "def model_fn(folder, context):\n    return context.system_properties['model_dir'] == folder\n"
        "def transform_fn(model, body, content_type, accept):\n"
        "    if body == 'tuple\\n':\n        return '[1]', accept\n"
        "    if body == 'bytes\\n':\n        return b'[2]'\n"
        "    if body == 'refused\\n':\n        return worker.Response('no such row', status=400)\n"
        "    raise BaseInferenceToolkitError(415, 'unknown', 'Unsupported Media Type')\n"
    )
    ask = evaluate_model.load(archive(tmp_path / "model", **{"code__inference.py": handlers}), VARIABLES)
    assert [ask("tuple\n"), ask("bytes\n")] == ["[1]", "[2]"]
    with pytest.raises(EvaluationError, match="status 400: no such row"):
        ask("refused\n")
    with pytest.raises(EvaluationError, match="the handlers refuse the test split with status 415: unknown"):
        ask("other\n")
    evaluate_toolkits.provide()  # what is there, stays
    for name in [name for name in sys.modules if name.startswith(("sagemaker_", "inference"))]:
        monkeypatch.delitem(sys.modules, name)
