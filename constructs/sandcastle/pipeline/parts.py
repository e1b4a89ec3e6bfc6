"""What a workload's two pipelines refer to: roles, functions, images, places, names. Texts may be CDK tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sandcastle.config import Serve, Workload
from sandcastle.processing_request import Program


@dataclass(frozen=True)
class Names:
    """What the names of everything that a run makes begin with: SageMaker appends the run's id and a random part.

    ``jobs`` has at most 38 characters and counts for processing, training and transform jobs and for models,
    ``tuning`` at most 6 (SageMaker developer guide, "IAM access management", the prefixes of pipelines' jobs). Both end
    with a letter or digit. ``group`` is the model package group.
    """

    jobs: str
    tuning: str
    group: str


@dataclass(frozen=True)
class Functions:
    """ARNs of the functions behind the Lambda steps."""

    choose: str
    deploy: str
    confirm: str
    schedules: str


@dataclass(frozen=True)
class Judging:
    """How a model is judged: what it says of a row, and where its answer has that.

    ``answer`` is ``csv`` or ``json:`` and a field; from ``threshold`` on a row counts as positive, for kind binary.
    """

    kind: Literal["binary", "multiclass"]
    answer: str
    threshold: float = 0.5

    @classmethod
    def of(cls, workload: Workload) -> Judging:
        """Return how a workload's models are judged; clusters are not, which loading the environment has checked."""
        found = workload.evaluate
        return cls("binary" if found.kind == "binary" else "multiclass", found.answer, found.threshold)

    def variables(self, serve: Serve) -> dict[str, str]:
        """Return what ``assets/pipeline/evaluate.py`` is told of a model that is served so."""
        return {
            "SANDCASTLE_KIND": self.kind,
            "SANDCASTLE_ANSWER": self.answer,
            "SANDCASTLE_THRESHOLD": str(self.threshold),
            "SANDCASTLE_CONTENT_TYPE": serve.content_type,
            "SANDCASTLE_ACCEPT": serve.accept,
            **({"SANDCASTLE_PROGRAM": serve.script} if serve.script else {}),
        }

    @property
    def metrics(self) -> str:
        """The part of evaluation.json that holds the metrics."""
        return f"{self.kind}_classification_metrics"

    @property
    def problem_type(self) -> str:
        """What Model Monitor calls it."""
        return "BinaryClassification" if self.kind == "binary" else "MulticlassClassification"


@dataclass(frozen=True)
class Parts:
    """All of it. ``prepare`` runs the workload's module ``prepare``, ``evaluate`` the module of that name.

    ``data`` and ``models`` are the folders of the pipeline in their buckets (``s3://<bucket>/<workload>/pipeline``, no
    slash at the end), ``source`` the address of the training script's archive, if there is a script,
    ``monitor_code`` that of the portable analyzer, empty where Model Monitor makes baselines. The roles are
    ARNs of who trains, of who makes baselines, and of who serves and answers in the smoke test.
    """

    region: str
    names: Names
    functions: Functions
    judging: Judging
    prepare: Program
    evaluate: Program
    data: str
    models: str
    source: str
    training_image: str
    serving_image: str
    monitor_image: str
    training_role: str
    monitor_role: str
    serving_role: str
    tags: Mapping[str, str]
    monitor_code: str = ""
