"""Judging a deployed model: the test split through the endpoint, and what its answers are worth.

    split = read_test_split(s3, dataset_uri) outcome = evaluate("bank", split.rows, split.about, spec,
    endpoint_invoker(runtime, name, "text/csv", "text/csv")) console.show(render_terminal(outcome))

``spec`` is the ``evaluate`` block of a workload.yaml. PNGs are drawn by ``operations.plots``, which is not
imported here because matplotlib takes longer to load than most commands run.
"""

from operations.evaluation.client import endpoint_invoker, read_test_split
from operations.evaluation.digits import render_digit
from operations.evaluation.metrics import Confusion
from operations.evaluation.model import About, Evaluation, EvaluationError, Prediction, Spec, TestSplit
from operations.evaluation.replies import describe_prediction, parse_predictions
from operations.evaluation.report import render_terminal, to_json
from operations.evaluation.rows import sample_row
from operations.evaluation.run import evaluate

__all__ = [
    "About",
    "Confusion",
    "Evaluation",
    "EvaluationError",
    "Prediction",
    "Spec",
    "TestSplit",
    "describe_prediction",
    "endpoint_invoker",
    "evaluate",
    "parse_predictions",
    "read_test_split",
    "render_digit",
    "render_terminal",
    "sample_row",
    "to_json",
]
