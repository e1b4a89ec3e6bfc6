"""Judging a deployed model: the test split through the endpoint, and what its answers are worth.

    split = read_test_split(s3, dataset_uri)
    invoke = endpoint_invoker(runtime, name, "text/csv", "text/csv")
    outcome = evaluate("bank", split.rows, split.about, spec, invoke)
    console.show(render_terminal(outcome))

``spec`` is the ``evaluate`` block of a workload.yaml: ``spec_of(block)``. PNGs are drawn by ``operations.plots``,
which is not imported here because matplotlib takes longer to load than most commands run.
"""

from operations.evaluation.baseline import Comparison, Plain, compare, plain_model
from operations.evaluation.classes import Counts
from operations.evaluation.client import endpoint_invoker, read_test_split, read_train_files
from operations.evaluation.digits import render_digit
from operations.evaluation.document import comparison_json, to_json
from operations.evaluation.metrics import Confusion
from operations.evaluation.model import (
    About,
    ClassEvaluation,
    ClusterEvaluation,
    Evaluation,
    EvaluationError,
    Outcome,
    Prediction,
    TestSplit,
)
from operations.evaluation.replies import describe_prediction, parse_predictions
from operations.evaluation.report import render_comparison, render_terminal
from operations.evaluation.rows import sample_row
from operations.evaluation.run import evaluate
from operations.evaluation.spec import Binary, Clusters, Multiclass, Spec, spec_of

__all__ = [
    "About",
    "Binary",
    "ClassEvaluation",
    "ClusterEvaluation",
    "Clusters",
    "Comparison",
    "Confusion",
    "Counts",
    "Evaluation",
    "EvaluationError",
    "Multiclass",
    "Outcome",
    "Plain",
    "Prediction",
    "Spec",
    "TestSplit",
    "compare",
    "comparison_json",
    "describe_prediction",
    "endpoint_invoker",
    "evaluate",
    "parse_predictions",
    "plain_model",
    "read_test_split",
    "read_train_files",
    "render_comparison",
    "render_digit",
    "render_terminal",
    "sample_row",
    "spec_of",
    "to_json",
]
