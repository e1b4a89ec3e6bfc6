"""A plain scikit-learn model on the same split: what the deployed one has to be at least as good as.

scikit-learn takes a second to load, so it is imported where it is used.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operations.evaluation.classes import Counts
from operations.evaluation.metrics import area_under_roc
from operations.evaluation.model import About, EvaluationError, Outcome
from operations.evaluation.records import read_records
from operations.evaluation.spec import Binary, Clusters, Spec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TOLERANCE = 0.02
"""How much worse than the plain model an endpoint may be and still count as equally good: chance of a small split."""

_SEED = 0


@dataclass(frozen=True)
class Plain:
    """A plain model's marks on the test split, fractions by name: accuracy, auc or purity."""

    model: str
    marks: Mapping[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """One mark of the endpoint beside the plain model's."""

    name: str
    endpoint: float
    plain: float

    @property
    def as_good(self) -> bool:
        """Whether the endpoint is at least as good, within the tolerance."""
        return self.endpoint >= self.plain - TOLERANCE

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.endpoint >= self.plain:
            return "yes"
        return f"yes, within {TOLERANCE}" if self.as_good else f"no, {self.plain - self.endpoint:.3f} behind"


def compare(outcome: Outcome, plain: Plain) -> list[Comparison]:
    """Return the marks that both have."""
    pairs = ((name, mark, plain.marks.get(name)) for name, mark in outcome.marks.items())
    return [Comparison(name, mark, other) for name, mark, other in pairs if mark is not None and other is not None]


def plain_model(spec: Spec, train: Iterable[tuple[str, bytes]], test_csv: bytes, about: About) -> Plain:
    """Fit logistic regression, or K-Means for clusters, on the training rows and judge it by the test rows.

    ``train`` are the names and contents of the training split's files: CSV with the label first, or RecordIO. Inputs
    are scaled unless all lie between 0 and 1, texts become one column for each value, gaps the most frequent value of
    their column. Raises EvaluationError when a file has another form or the split has no label that the kind needs.
    """
    labels, inputs = _read(train)
    test_labels, test_inputs = _table(test_csv, "test.csv")
    if isinstance(spec, Clusters):
        return _clusters(inputs, test_labels, test_inputs, len(about.classes))
    if labels is None:
        raise EvaluationError("the training split has no labels, so nothing plain can be trained on it")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(_inputs_transformer(inputs), LogisticRegression(max_iter=1000))
    model.fit(inputs, labels)
    right = float((model.predict(test_inputs) == test_labels).mean())
    marks: dict[str, float | None] = {"accuracy": right}
    if isinstance(spec, Binary):
        scores = model.predict_proba(test_inputs)[:, 1]
        accurate = (scores >= spec.threshold) == (test_labels == 1)
        marks = {"accuracy": float(accurate.mean()), "auc": area_under_roc(test_labels.tolist(), scores.tolist())}
    return Plain("LogisticRegression", marks)


def _clusters(inputs: Any, test_labels: npt.NDArray[Any], test_inputs: Any, count: int) -> Plain:
    from sklearn.cluster import KMeans

    model = KMeans(count, random_state=_SEED).fit(inputs)
    counts = Counts.count(test_labels.tolist(), model.predict(test_inputs).tolist(), count, count)
    return Plain("KMeans", {"purity": counts.purity})


def _inputs_transformer(inputs: npt.NDArray[Any]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    if inputs.dtype.kind == "f":
        # Pixels are on one scale already; to enlarge the faint ones would only make the plain model worse.
        return "passthrough" if inputs.min() >= 0 and inputs.max() <= 1 else StandardScaler()
    numbers = [column for column in range(inputs.shape[1]) if _all_numbers(inputs[:, column])]
    texts = [column for column in range(inputs.shape[1]) if column not in numbers]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(missing_values="", strategy="most_frequent"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )


def _all_numbers(column: Iterable[str]) -> bool:
    for value in column:
        try:
            float(value or 0)
        except ValueError:
            return False
    return True


def _read(files: Iterable[tuple[str, bytes]]) -> tuple[npt.NDArray[Any] | None, npt.NDArray[Any]]:
    import numpy as np

    parts = [(read_records(data, name) if name.endswith(".pbr") else _table(data, name)) for name, data in files]
    if not parts:
        raise EvaluationError("the training split holds no file ending in .csv or .pbr")
    inputs = np.concatenate([inputs for _, inputs in parts])
    labels = [labels for labels, _ in parts if labels is not None]
    return (np.concatenate(labels) if len(labels) == len(parts) else None), inputs


def _table(data: bytes, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return labels and inputs of a CSV with the label first: numbers, or texts when one input is no number."""
    import numpy as np

    try:
        table = np.loadtxt(io.BytesIO(data), delimiter=",", ndmin=2)
    except ValueError:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8", "replace"))))
        if len({len(row) for row in rows}) != 1:
            raise EvaluationError(f"{name} has rows of different lengths") from None
        table = np.array(rows, dtype=object)
    try:
        return table[:, 0].astype(float).astype(np.int64), table[:, 1:]
    except ValueError as error:
        raise EvaluationError(f"{name} does not have a label first in each row: {error}") from error
