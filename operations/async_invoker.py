"""Asking an asynchronous endpoint: the request is put into S3, and so, when there is one, is the answer."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from operations.errors import OperationError
from operations.evaluation import EvaluationError
from operations.target import Target

WAIT_SECONDS = 20 * 60.0
"""How long to wait for an answer: an endpoint that has scaled to zero first starts an instance."""

_PAUSE = 2.0


class AsyncInvoker:
    """Sends one body and waits for the answer's; the endpoint's folders are the stack's outputs.

    Request and answer stay in the reports bucket, as long as it does.
    """

    def __init__(self, target: Target, workload: str, outputs: dict[str, str]) -> None:
        """``outputs`` are those of a workload whose endpoint is of kind async."""
        self._target, self._workload, self._outputs = target, workload, outputs

    def __call__(self, body: bytes) -> bytes:
        """Return the answer. Raises EvaluationError with the model's words, OperationError when none comes in time."""
        from botocore.exceptions import BotoCoreError, ClientError

        endpoint = self._outputs["EndpointName"]
        asked = f"{self._outputs['AsyncInput'].rstrip('/')}/{time.time_ns():x}"
        try:
            bucket, key = _split(asked)
            self._target.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
            reply = self._target.client("sagemaker-runtime").invoke_endpoint_async(
                EndpointName=endpoint,
                InputLocation=asked,
                ContentType=self._outputs["ContentType"],
                Accept=self._outputs["Accept"],
            )
        except ClientError as error:
            code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
            raise EvaluationError(f"endpoint {endpoint} refused the request: {code}: {said}") from error
        except BotoCoreError as error:
            raise EvaluationError(f"endpoint {endpoint} cannot be reached: {error}") from error
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if (answer := self._read(reply["OutputLocation"])) is not None:
                return answer
            if (failure := self._read(reply.get("FailureLocation", ""))) is not None:
                raise EvaluationError(f"endpoint {endpoint} refused the request: {failure.decode('utf-8', 'replace')}")
            time.sleep(_PAUSE * self._target.pace)
        raise OperationError(
            f"No answer of {endpoint} after {WAIT_SECONDS / 60:.0f} minutes; if one comes it will be at "
            f"{reply['OutputLocation']}. Its log: sandcastle logs {endpoint}"
        )

    def _read(self, address: str) -> bytes | None:
        """Return an object, None as long as there is none."""
        from botocore.exceptions import ClientError

        if not address:
            return None
        bucket, key = _split(address)
        try:
            found: Any = self._target.client("s3").get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        content: bytes = found["Body"].read()
        return content


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.netloc, parts.path.lstrip("/")
