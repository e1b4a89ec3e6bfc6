"""Showing an evaluation: a table for people, a document for machines."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from operations.evaluation.model import Evaluation


def render_terminal(outcome: Evaluation) -> RenderableType:
    """Return the tutorial's confusion table with the rates below it.

    As in the tutorial, a percentage is a share of its column: of all that the model called so, how many were.
    """
    confusion = outcome.confusion
    negatives = confusion.true_negative + confusion.false_negative
    positives = confusion.predicted_positive
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 2), caption="percentages: share of the column", caption_justify="left"
    )
    table.add_column("Observed \\ Predicted")
    table.add_column(Text(outcome.negative), justify="right")
    table.add_column(Text(outcome.positive), justify="right")
    table.add_column("Support", justify="right")
    table.add_row(
        Text(outcome.negative),
        _cell(confusion.true_negative, negatives),
        _cell(confusion.false_positive, positives),
        f"{confusion.total - confusion.support:,}",
    )
    table.add_row(
        Text(outcome.positive),
        _cell(confusion.false_negative, negatives),
        _cell(confusion.true_positive, positives),
        f"{confusion.support:,}",
    )
    rates = Table.grid(padding=(0, 3))
    for name, value, meaning in _rates(outcome):
        rates.add_row(name, Text(value, justify="right"), Text(meaning, style="dim"))
    return Group(
        Text(outcome.title, style="bold"),
        Text(f"{'GENERATED DATA: ' if outcome.generated else ''}{outcome.source}", style="dim"),
        Text(""),
        Text(f"Overall Classification Rate: {_percent(confusion.accuracy)}", style="bold"),
        table,
        Padding(rates, (1, 0, 0, 2)),
    )


def to_json(outcome: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain data; rates are fractions, null where they would divide by zero."""
    confusion = outcome.confusion
    return {
        "workload": outcome.workload,
        "title": outcome.title,
        "data": {"origin": outcome.origin, "generated": outcome.generated, "source": outcome.source},
        "classes": {"negative": outcome.negative, "positive": outcome.positive},
        "threshold": outcome.threshold,
        "rows": confusion.total,
        "requests": outcome.requests,
        "confusion": {
            "true_negative": confusion.true_negative,
            "false_positive": confusion.false_positive,
            "false_negative": confusion.false_negative,
            "true_positive": confusion.true_positive,
        },
        "support": {"negative": confusion.total - confusion.support, "positive": confusion.support},
        "accuracy": confusion.accuracy,
        "precision": confusion.precision,
        "recall": confusion.recall,
        "f1": confusion.f1,
        "auc": outcome.auc,
        "observed_rate": confusion.observed_rate,
        "predicted_rate": confusion.predicted_rate,
        "baseline_accuracy": confusion.baseline,
    }


def _rates(outcome: Evaluation) -> list[tuple[str, str, str]]:
    confusion = outcome.confusion
    positive = outcome.positive
    auc = "-" if outcome.auc is None else f"{outcome.auc:.3f}"
    return [
        ("Precision", _percent(confusion.precision), f"of rows called '{positive}' that are"),
        ("Recall", _percent(confusion.recall), f"of rows that are '{positive}' that were found"),
        ("F1", _fraction(confusion.f1), "precision and recall in one number"),
        ("AUC", auc, "1 ranks perfectly, 0.5 is chance"),
        ("Observed rate", _percent(confusion.observed_rate), f"of rows are '{positive}'"),
        ("Predicted rate", _percent(confusion.predicted_rate), f"of rows were called '{positive}'"),
        ("Baseline", _percent(confusion.baseline), "right by always giving the more frequent answer"),
    ]


def _cell(count: int, column: int) -> str:
    return f"{_percent(count / column if column else None)} ({count:,})"


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f}%"


def _fraction(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.3f}"
