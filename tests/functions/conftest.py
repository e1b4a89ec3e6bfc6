"""The functions' folder on the path, as it is in Lambda; clients that answer from a script; a CloudFormation."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

FUNCTIONS = Path(__file__).resolve().parents[2] / "assets" / "functions"
sys.path.insert(0, str(FUNCTIONS))


@dataclass
class Scripted:
    """A real boto3 client whose answers are scripted: requests are checked against AWS's own model."""

    client: Any
    stub: Stubber

    def reply(self, operation: str, request: dict[str, Any], answer: dict[str, Any] | None = None) -> None:
        """Expect the call next, with exactly this request, and answer it."""
        self.stub.add_response(operation, answer or {}, request)

    def refuse(self, operation: str, code: str, text: str = "", request: dict[str, Any] | None = None) -> None:
        """Expect the call next and refuse it."""
        self.stub.add_client_error(operation, code, text, expected_params=request)


def _scripted(service: str) -> Iterator[Scripted]:
    client = boto3.client(service, "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        yield Scripted(client, stub)
        stub.assert_no_pending_responses()


@pytest.fixture
def sagemaker() -> Iterator[Scripted]:
    yield from _scripted("sagemaker")


@pytest.fixture
def s3() -> Iterator[Scripted]:
    yield from _scripted("s3")


@pytest.fixture
def logs() -> Iterator[Scripted]:
    yield from _scripted("logs")


@pytest.fixture
def iam() -> Iterator[Scripted]:
    yield from _scripted("iam")


@pytest.fixture
def ec2() -> Iterator[Scripted]:
    yield from _scripted("ec2")


@pytest.fixture
def efs() -> Iterator[Scripted]:
    yield from _scripted("efs")


@pytest.fixture
def scheduler() -> Iterator[Scripted]:
    yield from _scripted("scheduler")


@pytest.fixture
def sns() -> Iterator[Scripted]:
    yield from _scripted("sns")


@pytest.fixture
def lambda_() -> Iterator[Scripted]:
    yield from _scripted("lambda")


@pytest.fixture
def autoscaling() -> Iterator[Scripted]:
    yield from _scripted("application-autoscaling")


@pytest.fixture
def cloudwatch() -> Iterator[Scripted]:
    yield from _scripted("cloudwatch")


@pytest.fixture
def events() -> Iterator[Scripted]:
    yield from _scripted("events")


@pytest.fixture
def tagging() -> Iterator[Scripted]:
    yield from _scripted("resourcegroupstaggingapi")


@pytest.fixture
def stacks() -> Iterator[Scripted]:
    yield from _scripted("cloudformation")


@dataclass
class Context:
    """What Lambda tells a function about its call."""

    remaining_ms: list[int] = field(default_factory=lambda: [900_000])
    log_group_name: str = "group"
    log_stream_name: str = "stream"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:janitor"

    def get_remaining_time_in_millis(self) -> int:
        """Return the scripted times one after the other, the last one for ever."""
        return self.remaining_ms.pop(0) if len(self.remaining_ms) > 1 else self.remaining_ms[0]


@dataclass
class CloudFormation:
    """A server that takes custom resources' answers."""

    url: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    content_types: list[str | None] = field(default_factory=list)

    def event(self, request: str, **properties: Any) -> dict[str, Any]:
        """Return an event as CloudFormation sends it to a function."""
        return {
            "RequestType": request,
            "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1",
            "RequestId": "request-1",
            "LogicalResourceId": "Resource",
            "ResponseURL": self.url,
            "ResourceProperties": properties,
        }


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    received = CloudFormation("")

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.answers.append(json.loads(body))
            received.content_types.append(self.headers["Content-Type"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/answer?signature=x"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make waiting instant and note how long it would have been; the clock moves with it."""
    import time

    slept: list[float] = []
    start = time.monotonic()
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: start + sum(slept))
    return slept


@pytest.fixture
def clients(
    monkeypatch: pytest.MonkeyPatch, sagemaker: Scripted, s3: Scripted, logs: Scripted, stacks: Scripted
) -> None:
    """The jobs' entry points get these clients."""
    import jobs

    found = {
        "sagemaker": sagemaker.client,
        "s3": s3.client,
        "logs": logs.client,
        "cloudformation": stacks.client,
    }
    monkeypatch.setattr(jobs, "client", lambda service, _attempts: found[service])


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, to be set by a test."""
    import time

    times = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: times[0])
    return times
