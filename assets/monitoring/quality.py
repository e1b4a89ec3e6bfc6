"""Statistics, suggested constraints and violations of a model quality analysis.

Formats: developer guide, model-monitor-model-quality-metrics.html and -baseline.html. Which constraints there are and
their operators: baselines that their owners published; the text of a violation: AWS's sample of a custom metric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Mapping, Tuple

import exchanges
import judges
import sources
import truth
import verdicts
from exchanges import Row
from intake import Rejected
from settings import Settings, UserError
from truth import Accounts

Violation = Dict[str, str]
#: problem type -> the word in `<word>_metrics` and `<word>_constraints`
_WORDS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}
_GREATER, _LESS = "GreaterThanThreshold", "LessThanThreshold"
#: metrics that are worse the greater they are
_ERRORS = frozenset({"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"})
_UNCONSTRAINED = "_best_constant_classifier"
_Judged = Tuple[str, "str | None", "str | None"]
"""What was true, the prediction, the probability."""


@dataclass(frozen=True)
class Quality:
    """How good a model is on some rows."""

    word: str
    rows: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    deviations: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    """Confusion matrix and curves, which are no numbers."""

    def statistics(self) -> dict[str, Any]:
        """Return statistics.json."""
        scalars = {
            name: {"value": _number(value), "standard_deviation": _number(self.deviations[name])}
            for name, value in self.values.items()
        }
        return {
            "version": verdicts.VERSION,
            "dataset": {"item_count": self.rows},
            f"{self.word}_metrics": {**self.others, **scalars},
        }

    def constraints(self) -> dict[str, Any]:
        """Return constraints.json: no worse than this."""
        suggested = {
            name: {"threshold": _number(value), "comparison_operator": _GREATER if name in _ERRORS else _LESS}
            for name, value in self.values.items()
            if not name.endswith(_UNCONSTRAINED)
        }
        return {"version": verdicts.VERSION, f"{self.word}_constraints": suggested}

    def violations(self, baseline: Mapping[str, Any]) -> list[Violation]:
        """Return what is worse than the baseline. Raises UserError for a baseline of another problem type."""
        expected = baseline.get(f"{self.word}_constraints")
        if expected is None:
            raise UserError(f"No usable value for {self.word}_constraints")
        return [self._violation(name, rule) for name, rule in expected.items() if self._worse(name, rule)]

    def _worse(self, name: str, rule: Mapping[str, Any]) -> bool:
        value, limit = self.values.get(name), rule.get("threshold")
        if value is None or math.isnan(value) or not isinstance(limit, (int, float)):
            return False
        return value > limit if rule.get("comparison_operator") == _GREATER else value < limit

    def _violation(self, name: str, rule: Mapping[str, Any]) -> Violation:
        operator = str(rule.get("comparison_operator", _LESS))
        deviation = _number(self.deviations[name])
        return {
            "constraint_check_type": operator,
            "description": f"Metric {name} with {self.values[name]} +/- {deviation} was {operator} "
            f"'{rule['threshold']}'",
            "metric_name": name,
        }


def nothing(problem: str) -> Quality:
    """Return what is known of a model without a single labelled answer."""
    return Quality(_WORDS[problem])


def measure(settings: Settings, accounts: Accounts) -> Quality | None:
    """Judge all rows; None when there is none. Raises UserError when data and settings do not fit each other."""
    problem = str(settings.problem)
    judge: judges.Judge
    if problem == "Regression":
        judge = judges.Regression()
    elif problem == "BinaryClassification":
        judge = judges.Binary(settings.attributes)
    else:
        judge = judges.Multiclass()
    for rows, where in _captured(settings, accounts) if settings.captured else _table(settings, accounts):
        try:
            for row in rows:
                judge.add(*row)
        except Rejected as rejected:
            accounts.source.reject(rejected, where)
            if settings.captured:
                accounts.with_label -= 1
    judge.flush()
    if not judge.rows:
        if accounts.source.mismatch:
            raise UserError(accounts.source.mismatch)
        return None
    values, deviations, others = judge.result()
    accounts.rows, accounts.rows_of_unknown_class = judge.rows - judge.unknown, judge.unknown
    return Quality(_WORDS[problem], accounts.rows, values, deviations, others) if accounts.rows else None


def _captured(settings: Settings, accounts: Accounts) -> Iterator[tuple[list[_Judged], str]]:
    """Read the rows of each event that has a label."""
    attributes = settings.attributes
    for label, answers, where in truth.answered(settings, accounts):
        try:
            labels = exchanges.csv_rows(label) if "\n" in label or '"' in label else [label.split(",")]
            if len(labels) != len(answers):
                raise Rejected("rows_differ", f"{len(answers)} answers have {len(labels)} labels")
            rows = [
                (
                    _present(actual[0], "the label"),
                    _value(answer, attributes.inference),
                    _value(answer, attributes.probability),
                )
                for actual, answer in zip(labels, answers)
            ]
        except Rejected as rejected:
            accounts.source.reject(rejected, where)
            accounts.with_label -= 1
            continue
        yield rows, where


def _table(settings: Settings, accounts: Accounts) -> Iterator[tuple[list[_Judged], str]]:
    """Read the rows of a table that has predictions and labels."""
    header = sources.header(settings)
    wanted = settings.attributes
    columns = [_column(each, header) for each in (wanted.truth, wanted.inference, wanted.probability)]
    for row, where in sources.rows(settings, accounts.source):
        try:
            values = [None if column is None else _value(row, column) for column in columns]
        except Rejected as rejected:
            accounts.source.reject(rejected, where)
            continue
        yield [(str(values[0]), values[1], values[2])], where


def _column(attribute: str | None, header: list[str] | None) -> str | None:
    """Return the number of a column of CSV, or the key in an object. Raises UserError."""
    if attribute is None or header is None:
        return attribute
    key = _key(attribute)
    if key in header:
        return str(header.index(key))
    if key.isdigit() and int(key) < len(header):
        return key
    raise UserError(f"{attribute!r} is no column of the data; there are: {', '.join(header)}")


def _value(answer: Row, attribute: str | None) -> str | None:
    """Return one value of an answer: by position in a table, by key in an object. Raises Rejected."""
    if attribute is None:
        return None
    key = _key(attribute)
    if isinstance(answer, dict):
        if key not in answer:
            raise Rejected("answer_without_value", f"the answer has no {key!r}; it has: {', '.join(answer)}")
        return _present(answer[key], key)
    if not key.isdigit():
        raise Rejected("answer_without_value", f"the answer is CSV, so {key!r} must be a column's number, from 0")
    if int(key) >= len(answer):
        raise Rejected("answer_without_value", f"the answer has {len(answer)} columns and no column {key}")
    return _present(answer[int(key)], f"column {key}")


def _key(attribute: str) -> str:
    """``$.prediction`` is the key ``prediction`` of a flat object."""
    return attribute[2:] if attribute.startswith("$.") else attribute


def _present(value: str, name: str) -> str:
    found = value.strip()
    if not found:
        raise Rejected("answer_without_value", f"{name} is missing")
    return found


def _number(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value
