"""The two AWS calls of an evaluation: reading the test split and asking the endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from operations.evaluation.model import About, EvaluationError, TestSplit

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sagemaker_runtime.client import SageMakerRuntimeClient


def read_test_split(s3: S3Client, dataset_uri: str) -> TestSplit:
    """Read ``test/test.csv`` and ``about/about.json`` below ``dataset_uri`` (the workload's output DatasetUri).

    Raises EvaluationError when either is missing or may not be read.
    """
    return TestSplit(
        rows=_read(s3, dataset_uri, "test/test.csv"),
        about=About.parse(_read(s3, dataset_uri, "about/about.json")),
    )


def read_train_files(s3: S3Client, dataset_uri: str) -> list[tuple[str, bytes]]:
    """Read the training split's files, ``.csv`` and ``.pbr`` below ``train/``: their names and contents.

    Raises EvaluationError when they may not be read.
    """
    address = urlsplit(dataset_uri)
    root = address.path.strip("/")
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=address.netloc, Prefix=f"{root}/train/")
        keys = sorted(found["Key"] for page in pages for found in page.get("Contents", []))
    except ClientError as error:
        reason = error.response["Error"].get("Message", "") or error.response["Error"].get("Code", "")
        raise EvaluationError(f"s3://{address.netloc}/{root}/train/ cannot be listed: {reason}") from error
    return [
        (key.rsplit("/", 1)[-1], _read(s3, dataset_uri, key.removeprefix(f"{root}/")))
        for key in keys
        if key.endswith((".csv", ".pbr"))
    ]


def endpoint_invoker(
    runtime: SageMakerRuntimeClient, endpoint: str, content_type: str, accept: str
) -> Callable[[bytes], bytes]:
    """Return a function that sends one body to ``endpoint`` and returns the reply's body.

    The function raises EvaluationError with the model's own words when the model refuses (ModelError
    carries them), and with the service's when the endpoint cannot be reached.
    """

    def invoke(body: bytes) -> bytes:
        try:
            reply = runtime.invoke_endpoint(EndpointName=endpoint, ContentType=content_type, Accept=accept, Body=body)
        except ClientError as error:
            said = error.response.get("OriginalMessage") or error.response["Error"].get("Message", "")
            code = error.response["Error"].get("Code", "")
            raise EvaluationError(f"endpoint {endpoint} refused the request: {code}: {said}") from error
        except BotoCoreError as error:
            raise EvaluationError(f"endpoint {endpoint} cannot be reached: {error}") from error
        return reply["Body"].read()

    return invoke


def _read(s3: S3Client, dataset_uri: str, name: str) -> bytes:
    address = urlsplit(dataset_uri)
    key = f"{address.path.strip('/')}/{name}".lstrip("/")
    try:
        return s3.get_object(Bucket=address.netloc, Key=key)["Body"].read()
    except ClientError as error:
        reason = error.response["Error"].get("Message", "") or error.response["Error"].get("Code", "")
        raise EvaluationError(f"s3://{address.netloc}/{key} cannot be read: {reason}") from error
