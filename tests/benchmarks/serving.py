"""What an invocation costs through localcloud's runtime, against the same request to the same model server directly.

The model is the built-in XGBoost with the bank workload's hyperparameters and a row of the bank's width; the caller is
a role that may invoke this one endpoint, and its requests are signed, authenticated and authorised like everybody's.
Each request has a row and a signature of its own, so that nothing is gained by remembering one. Both ways are measured
in turn in the same run, with the same client (``http.client``, connections kept alive), in rounds so short that other
work of the machine meets both.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.benchmarks.measure import line
from tests.localcloud.conftest import Localcloud, started
from tests.localcloud.sagemaker import live

#: columns of the bank workload's prepared table without the label
_WIDTH = 59
_ROWS = 2000
_BANK = {
    "max_depth": "5",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.8",
    "objective": "binary:logistic",
    "num_round": "100",
}
_NAME = "serving-benchmark"
_PLAIN = {"Content-Type": "text/csv", "Accept": "text/csv"}
#: rows that requests ask about
_ASKED = 50
#: clients at the same time, rounds, requests of each client and way in a round
_MEASURED = ((1, 100, 25), (16, 25, 7))
_COUNTED = 10_000


@dataclass(frozen=True)
class Target:
    """Where one way of asking goes, and the requests: headers, body and the right answer."""

    port: int
    path: str
    requests: Sequence[tuple[Mapping[str, str], bytes, bytes]]


@dataclass(frozen=True)
class Endpoint:
    """What is asked: an endpoint, who may invoke it, where its model server listens, and the right answers."""

    server: Localcloud
    port: int
    caller: Credentials
    answers: Mapping[bytes, bytes]

    def direct(self) -> Target:
        """The model server."""
        return Target(self.port, "/invocations", [(_PLAIN, body, answer) for body, answer in self.answers.items()])

    def through(self) -> Target:
        """localcloud, with requests signed now: they are good for five minutes."""
        path = f"/endpoints/{_NAME}/invocations"
        requests = []
        for body, answer in self.answers.items():
            signed = AWSRequest("POST", f"{self.server.endpoint}{path}", _PLAIN, body)
            SigV4Auth(self.caller, "sagemaker", "us-east-1").add_auth(signed)
            requests.append((dict(signed.headers.items()), body, answer))
        return Target(urlsplit(self.server.endpoint).port or 0, path, requests)


def run() -> None:
    """Print medians and ratios at 1 and 16 clients, and how many of 10,000 requests were lost."""
    print(f"a prediction from {_WIDTH} columns through localcloud (baseline: the same model server, asked directly)")
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "state") as server:
        endpoint = _endpoint(server)
        for measured in _MEASURED:
            _measure(endpoint, *measured)
        lost = _COUNTED - _count(endpoint.through(), 16, _COUNTED // 16)
        line("lost of 10,000 requests of 16 clients", lost, "requests")


def _measure(endpoint: Endpoint, clients: int, rounds: int, requests: int) -> None:
    medians = []
    for _ in range(rounds + 1):
        ways = (endpoint.direct(), endpoint.through())
        base, other = (statistics.median(_timed(target, clients, requests)) for target in ways)
        medians.append((base * 1000, other * 1000))
    del medians[0]  # it warmed up
    who = f"{clients} client" + ("s" if clients > 1 else "")
    line(f"median directly, {who}", statistics.median(base for base, _ in medians), "ms")
    line(f"median through localcloud, {who}", statistics.median(other for _, other in medians), "ms")
    ratios = sorted(other / base for base, other in medians)
    print(f"  ratio, median of rounds: {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")


def _timed(target: Target, clients: int, requests: int) -> list[float]:
    """Seconds of every request of ``clients`` at the same time."""
    found: list[float] = []

    def work() -> None:
        connection = _connect(target.port)
        for headers, asked, answer in itertools.islice(itertools.cycle(target.requests), requests):
            began = time.perf_counter()
            body = _ask(connection, target.path, headers, asked)
            found.append(time.perf_counter() - began)
            if body != answer:
                raise RuntimeError(f"another answer: {body!r}")
        connection.close()

    _side_by_side(work, clients)
    if len(found) != clients * requests:
        raise RuntimeError(f"{clients * requests - len(found)} requests were lost")
    return found


def _count(target: Target, clients: int, requests: int) -> int:
    """How many requests got the right answer."""
    right: list[bytes] = []

    def work() -> None:
        connection = _connect(target.port)
        for headers, asked, answer in itertools.islice(itertools.cycle(target.requests), requests):
            if _ask(connection, target.path, headers, asked) == answer:
                right.append(answer)
        connection.close()

    _side_by_side(work, clients)
    return len(right)


def _side_by_side(work: Callable[[], None], clients: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _connect(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    return connection


def _ask(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str], asked: bytes) -> bytes:
    connection.request("POST", path, asked, dict(headers))
    reply = connection.getresponse()
    body = reply.read()
    if reply.status != http.client.OK:
        raise RuntimeError(f"{path}: {reply.status} {body!r}")
    return body


def _endpoint(server: Localcloud) -> Endpoint:
    """Train and deploy; what the model server says of some rows is the right answer to them."""
    rows = _rows()
    workshop = live.Workshop.open(server, _NAME)
    server.client("s3").put_object(Bucket=_NAME, Key="data/train/train.csv", Body="\n".join(rows).encode())
    sm = server.client("sagemaker")
    _deploy(server, sm, workshop)
    port = live.wait_for(lambda: _port_of_model(server), bool)
    asked = [row.partition(",")[2].encode() for row in rows[:_ASKED]]
    connection = _connect(port)
    answers = {body: _ask(connection, "/invocations", _PLAIN, body) for body in asked}
    connection.close()
    return Endpoint(server, port, _caller(server), answers)


def _rows() -> Sequence[str]:
    """Rows of noise with a label that two of the columns decide."""
    source = random.Random(7)  # noqa: S311  # data to train on, no secret
    table = [[round(source.random(), 4) for _ in range(_WIDTH)] for _ in range(_ROWS)]
    return [",".join(map(str, [int(row[0] + row[1] > 1), *row])) for row in table]


def _deploy(server: Localcloud, sm: Any, workshop: live.Workshop) -> None:
    request = {**workshop.training(), "HyperParameters": _BANK}
    sm.create_training_job(TrainingJobName=_NAME, **request)
    job = live.wait_for(
        lambda: sm.describe_training_job(TrainingJobName=_NAME),
        lambda found: found["TrainingJobStatus"] != "InProgress",
    )
    container = {"Image": live.XGBOOST, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sm.create_model(ModelName=_NAME, ExecutionRoleArn=workshop.role, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": _NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sm.create_endpoint_config(EndpointConfigName=_NAME, ProductionVariants=[variant])
    sm.create_endpoint(EndpointName=_NAME, EndpointConfigName=_NAME)
    live.wait_for(
        lambda: sm.describe_endpoint(EndpointName=_NAME), lambda found: found["EndpointStatus"] == "InService"
    )


def _port_of_model(server: Localcloud) -> int:
    """Where the model server listens: it says so in the endpoint's log; 0 before it has."""
    events = server.client("logs").filter_log_events(
        logGroupName=f"/aws/sagemaker/Endpoints/{_NAME}", filterPattern='"listening on port"'
    )["events"]
    return int(events[0]["message"].rpartition(" ")[2]) if events else 0


def _caller(server: Localcloud) -> Credentials:
    """A role that may invoke the endpoint and nothing else."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{live.ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    arn = f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:endpoint/{_NAME}"
    may = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for statement in (trust, may)]
    iam = server.client("iam")
    role = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName="caller", PolicyName="may", PolicyDocument=documents[1])
    keys = server.client("sts").assume_role(RoleArn=role, RoleSessionName="benchmark")["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


if __name__ == "__main__":
    run()
