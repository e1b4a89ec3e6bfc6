"""Showing an evaluation to people: tables in the terminal, with what they mean in words."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from operations.evaluation.baseline import Comparison, Plain
from operations.evaluation.model import ClassEvaluation, ClusterEvaluation, Evaluation, Outcome

_RARE = 0.9
"""From this accuracy of a model that always gives the same answer, accuracy is said to mislead."""


def render_terminal(outcome: Outcome) -> RenderableType:
    """Return the tables of the outcome's kind, below its heading and the origin of its rows."""
    if isinstance(outcome, Evaluation):
        parts = _binary(outcome)
    elif isinstance(outcome, ClassEvaluation):
        parts = _classes(outcome)
    else:
        parts = _clusters(outcome)
    return Group(
        Text(outcome.title, style="bold"),
        Text(f"{'GENERATED DATA: ' if outcome.generated else ''}{outcome.source}", style="dim"),
        Text(""),
        *parts,
    )


def render_comparison(plain: Plain, found: list[Comparison]) -> RenderableType:
    """Return what a plain scikit-learn model reaches on the same split, beside the endpoint's own marks."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2), title=f"Beside a plain scikit-learn model: {plain.model}")
    table.title_justify = "left"
    table.add_column("")
    for name in ("Endpoint", "Plain", "At least as good"):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(one.name, f"{one.endpoint:.3f}", f"{one.plain:.3f}", one.verdict)
    return table


def _binary(outcome: Evaluation) -> list[RenderableType]:
    """The tutorial's confusion table with the rates below it.

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
    parts: list[RenderableType] = [
        Text(f"Overall Classification Rate: {_percent(confusion.accuracy)}", style="bold"),
        table,
        Padding(rates, (1, 0, 0, 2)),
    ]
    warning = misleading(outcome)
    return [*parts, Padding(Text(warning), (1, 0, 0, 0))] if warning else parts


def misleading(outcome: Evaluation) -> str:
    """Say why accuracy says little where one answer is nearly always right; nothing where it is not."""
    confusion = outcome.confusion
    if confusion.baseline is None or confusion.baseline < _RARE:
        return ""
    common, rare = outcome.negative, outcome.positive
    if confusion.support * 2 > confusion.total:
        common, rare = rare, common
    return (
        f"Accuracy misleads here: whoever always answers '{common}' without looking is right"
        f" {_percent(confusion.baseline)} of the time and finds not one '{rare}'. Precision says how often the model is"
        f" right when it says '{outcome.positive}', recall how many of them it finds, AUC how well it ranks them."
    )


def _classes(outcome: ClassEvaluation) -> list[RenderableType]:
    """Accuracy, the rates of every class, and which classes are taken for which."""
    counts = outcome.counts
    rates = Table(box=box.SIMPLE_HEAD, padding=(0, 2))
    rates.add_column("Class")
    for name in ("Precision", "Recall", "F1", "Support"):
        rates.add_column(name, justify="right")
    for label, name in enumerate(outcome.classes):
        rates.add_row(
            Text(name),
            _percent(counts.precision(label)),
            _percent(counts.recall(label)),
            _fraction(counts.f1(label)),
            f"{counts.support(label):,}",
        )
    matrix = Table(box=box.SIMPLE_HEAD, padding=(0, 1), caption="rows of the test split", caption_justify="left")
    matrix.add_column("Observed \\ Predicted")
    for name in outcome.classes:
        matrix.add_column(Text(name), justify="right")
    for label, name in enumerate(outcome.classes):
        matrix.add_row(Text(name), *(f"{cell:,}" if cell else "." for cell in counts.cells[label]))
    return [
        Text(f"Accuracy: {_percent(counts.accuracy)}", style="bold"),
        Text(f"always giving the most frequent class would be right {_percent(counts.majority)} of the time"),
        rates,
        matrix,
    ]


def _clusters(outcome: ClusterEvaluation) -> list[RenderableType]:
    """Purity, and what is in each cluster, the most frequent hidden label first."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2))
    table.add_column("Cluster", justify="right")
    table.add_column("Rows", justify="right")
    table.add_column("Mostly")
    table.add_column("Share", justify="right")
    table.add_column("and")
    for cluster in range(len(outcome.counts.cells[0])):
        found = outcome.counts.hidden(cluster)
        if not found:
            table.add_row(str(cluster), "0", "nothing", "-", "")
            continue
        (label, most), *others = found
        rows = outcome.counts.answered(cluster)
        rest = ", ".join(f"{outcome.classes[other]} ({number})" for other, number in others)
        table.add_row(str(cluster), f"{rows:,}", Text(outcome.classes[label]), _percent(most / rows), Text(rest))
    absent = [name for label, name in enumerate(outcome.classes) if label not in _leading(outcome)]
    words = f"No cluster is mostly {' or '.join(absent)}." if absent else "Every label has a cluster of its own."
    return [
        Text(f"Purity: {_percent(outcome.counts.purity)}", style="bold"),
        Text("of rows carry the label that is the most frequent one of their cluster; training saw no label"),
        table,
        Text(words),
    ]


def _leading(outcome: ClusterEvaluation) -> set[int]:
    """The labels that are the most frequent one of some cluster."""
    found = (outcome.counts.hidden(cluster) for cluster in range(len(outcome.counts.cells[0])))
    return {labels[0][0] for labels in found if labels}


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
