"""The AWS calls of an evaluation, against botocore's own service models."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber

from operations.evaluation import EvaluationError, endpoint_invoker, read_test_split

SESSION = boto3.Session("test", "test", region_name="us-east-1")
ABOUT = json.dumps({"origin": "real", "source": "s", "features": ["a", "b"]}).encode()


def body(content: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(content), len(content))


def test_the_split_and_its_description_are_read_below_the_dataset() -> None:
    s3 = SESSION.client("s3")
    with Stubber(s3) as stub:
        stub.add_response(
            "get_object", {"Body": body(b"0,1,2\n")}, {"Bucket": "data", "Key": "bank/f00d/test/test.csv"}
        )
        stub.add_response("get_object", {"Body": body(ABOUT)}, {"Bucket": "data", "Key": "bank/f00d/about/about.json"})
        split = read_test_split(s3, "s3://data/bank/f00d/")
        stub.assert_no_pending_responses()
    assert split.rows == b"0,1,2\n"
    assert split.about.features == ("a", "b")


def test_a_missing_split_is_named() -> None:
    s3 = SESSION.client("s3")
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", "NoSuchKey", "The specified key does not exist.", 404)
        with pytest.raises(EvaluationError) as error:
            read_test_split(s3, "s3://data/bank/f00d")
    assert str(error.value) == "s3://data/bank/f00d/test/test.csv cannot be read: The specified key does not exist."


def test_the_endpoint_gets_the_body_with_the_workloads_types() -> None:
    runtime = SESSION.client("sagemaker-runtime")
    with Stubber(runtime) as stub:
        stub.add_response(
            "invoke_endpoint",
            {"Body": body(b"0.5\n")},
            {"EndpointName": "bank-1", "ContentType": "text/csv", "Accept": "text/csv", "Body": b"1,2"},
        )
        assert endpoint_invoker(runtime, "bank-1", "text/csv", "text/csv")(b"1,2") == b"0.5\n"


def test_what_the_model_said_is_passed_on() -> None:
    runtime = SESSION.client("sagemaker-runtime")
    with Stubber(runtime) as stub:
        stub.add_client_error(
            "invoke_endpoint",
            "ModelError",
            "Received client error (400) from primary",
            424,
            modeled_fields={"OriginalStatusCode": 400, "OriginalMessage": "Feature size of csv inference data 58"},
        )
        with pytest.raises(
            EvaluationError, match="endpoint bank-1 refused the request: ModelError: Feature size of csv"
        ):
            endpoint_invoker(runtime, "bank-1", "text/csv", "text/csv")(b"1,2")
        stub.add_client_error("invoke_endpoint", "ValidationError", "Endpoint bank-1 of account 1 not found.", 400)
        with pytest.raises(EvaluationError, match=r"ValidationError: Endpoint bank-1 of account 1 not found\."):
            endpoint_invoker(runtime, "bank-1", "text/csv", "text/csv")(b"1,2")


def test_an_endpoint_that_is_not_there_is_named() -> None:
    # Port 1 of the loopback is reserved (tcpmux) and answers nothing here.
    runtime = SESSION.client(
        "sagemaker-runtime",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2),
    )
    with pytest.raises(EvaluationError, match="endpoint bank-1 cannot be reached"):
        endpoint_invoker(runtime, "bank-1", "text/csv", "text/csv")(b"1,2")
