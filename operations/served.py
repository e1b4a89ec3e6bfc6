"""A deployed workload as a client sees it: its endpoint, its description and its held-out test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import yaml

from operations.async_invoker import AsyncInvoker
from operations.errors import UsageError
from operations.evaluation import Spec, TestSplit, endpoint_invoker, read_test_split, read_train_files, spec_of
from operations.outputs import endpoint_outputs
from operations.project import ROOT, WORKLOADS
from operations.stacks import ANSWERS_AT_ONCE
from operations.target import Target
from sandcastle.config import workload_names
from sandcastle.config.workload import WorkloadFile

ANY_ENDPOINT = (*ANSWERS_AT_ONCE, "async")
"""Kinds of endpoints that can be asked at all."""


@dataclass(frozen=True)
class ServedWorkload:
    """One workload in one environment; find it with ``find``.

    ``invoke`` sends one request body and returns the answer's; it raises EvaluationError with the model's own words
    when the endpoint refuses.
    """

    target: Target
    workload: str
    endpoint: str
    dataset_uri: str
    content_type: str
    accept: str
    spec: Spec
    invoke: Callable[[bytes], bytes]

    @classmethod
    def find(
        cls, target: Target, environment: str, workload: str, kinds: Sequence[str] = ANSWERS_AT_ONCE
    ) -> ServedWorkload:
        """Return the deployed workload. Raises OperationError when it is not deployed, or has no such endpoint."""
        known_workload(workload)
        outputs = endpoint_outputs(target, environment, workload, *kinds)
        described = yaml.safe_load((WORKLOADS / workload / "workload.yaml").read_text(encoding="utf-8"))
        endpoint, content_type, accept = (outputs[key] for key in ("EndpointName", "ContentType", "Accept"))
        return cls(
            target=target,
            workload=workload,
            endpoint=endpoint,
            dataset_uri=outputs["DatasetUri"],
            content_type=content_type,
            accept=accept,
            spec=spec_of(WorkloadFile.model_validate(described).evaluate),
            invoke=AsyncInvoker(target, workload, outputs)
            if outputs.get("EndpointKind") == "async"
            else endpoint_invoker(target.client("sagemaker-runtime"), endpoint, content_type, accept),
        )

    @cached_property
    def test(self) -> TestSplit:
        """The held-out rows and what they are. Raises EvaluationError when they cannot be read."""
        return read_test_split(self.target.client("s3"), self.dataset_uri)

    @cached_property
    def train_files(self) -> list[tuple[str, bytes]]:
        """The files of the training split, by name. Raises EvaluationError when they cannot be read."""
        return read_train_files(self.target.client("s3"), self.dataset_uri)


def known_workload(workload: str) -> None:
    """Raise UsageError, with those that there are, for a workload that this project does not have."""
    if (WORKLOADS / workload / "workload.yaml").exists():
        return
    known = workload_names(ROOT)
    near = get_close_matches(workload, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"There is no workload {workload}.{hint} There are: {', '.join(known)}.")
