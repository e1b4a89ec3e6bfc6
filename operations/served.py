"""A deployed workload as a client sees it: its endpoint, its description and its held-out test split."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import yaml
from botocore.exceptions import ClientError

from operations.errors import OperationError
from operations.project import WORKLOADS
from operations.stacks import workload_outputs
from operations.target import Target


@dataclass(frozen=True)
class ServedWorkload:
    """One workload in one environment; find it with ``find``."""

    target: Target
    workload: str
    outputs: dict[str, str]
    spec: dict[str, Any]

    @classmethod
    def find(cls, target: Target, environment: str, workload: str) -> ServedWorkload:
        """Return the deployed workload. Raises OperationError when it is not deployed."""
        outputs = workload_outputs(target, environment, workload)
        spec = yaml.safe_load((WORKLOADS / workload / "workload.yaml").read_text(encoding="utf-8"))
        return cls(target, workload, outputs, spec)

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.outputs["EndpointName"]

    @cached_property
    def _runtime(self) -> Any:
        return self.target.client("sagemaker-runtime")

    def invoke(self, body: bytes) -> bytes:
        """Send one request and return the answer's bytes.

        Raises OperationError with the service's reason, and the model's own when the container refused.
        """
        try:
            reply = self._runtime.invoke_endpoint(
                EndpointName=self.endpoint,
                ContentType=self.outputs["ContentType"],
                Accept=self.outputs["Accept"],
                Body=body,
            )
        except ClientError as error:
            detail = error.response.get("OriginalMessage") or error.response["Error"]["Message"]
            raise OperationError(f"Endpoint {self.endpoint} refused the request: {detail}") from error
        answer: bytes = reply["Body"].read()
        return answer

    def test_rows(self) -> bytes:
        """Return the held-out test split: CSV, label first, no header."""
        return self._dataset_object("test/test.csv")

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the prepare job wrote about the data: origin, row counts, feature names, classes."""
        document: dict[str, Any] = json.loads(self._dataset_object("about/about.json"))
        return document

    def class_name(self, label: str) -> str:
        """Return the words for a label of a binary workload, as workload.yaml names them."""
        evaluate = self.spec["evaluate"]
        return str(evaluate["positive"] if float(label) == 1.0 else evaluate["negative"])

    def _dataset_object(self, name: str) -> bytes:
        uri = urlsplit(self.outputs["DatasetUri"].rstrip("/") + "/" + name)
        try:
            reply = self.target.client("s3").get_object(Bucket=uri.netloc, Key=uri.path.lstrip("/"))
        except ClientError as error:
            raise OperationError(f"Cannot read s3://{uri.netloc}{uri.path}: {error}") from error
        body: bytes = reply["Body"].read()
        return body
