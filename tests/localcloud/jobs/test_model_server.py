"""Model servers: models that were trained here, served, asked in every format, stopped.

The XGBoost goldens are what AWS's own container answered for a model trained by the same library (status, type,
shape of the body; numbers are the model's own).
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec
from localcloud.jobs.model_server import ModelServer, ServerFailed, ServerUnreachable
from tests.localcloud.jobs.cloud import LOGS, PULL, PYTORCH_TRAINING, SKLEARN, XGBOOST, Cloud, allow
from tests.localcloud.jobs.runner_modules import load
from tests.localcloud.jobs.serving import server
from tests.localcloud.jobs.training_data import HYPERPARAMETERS, table

recordio = load("shared", "recordio")
ROW = "0.5,-1,0.25,2"


@pytest.fixture(scope="module")
def xgboost_model(cloud: Cloud) -> str:
    uri = cloud.put("serve/train/rows.csv", table(5, 300))
    inputs = [InputSpec("train", uri, content_type="text/csv")]
    outcome, _ = cloud.run(
        cloud.training(cloud.full_role(), image=XGBOOST, inputs=inputs, hyperparameters=HYPERPARAMETERS)
    )
    assert outcome.artifact_uri, outcome.failure_reason
    return outcome.artifact_uri


@pytest.fixture(scope="module")
def xgboost(cloud: Cloud, xgboost_model: str) -> Iterator[ModelServer]:
    running = server(cloud, XGBOOST, xgboost_model)
    running.start()
    yield running
    running.stop()


# --- XGBoost ----------------------------------------------------------------------------------------------------

_FLOAT = r"\d\.\d+"


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "reply_type", "reply"),
    [
        (ROW, "text/csv", None, 200, "text/csv; charset=utf-8", rf"{_FLOAT}\n"),
        (ROW, "text/csv", "*/*", 200, "text/csv; charset=utf-8", rf"{_FLOAT}\n"),
        (f"{ROW}\n{ROW}\n", "text/csv", "text/csv", 200, "text/csv; charset=utf-8", rf"({_FLOAT})\n\1\n"),
        (
            ROW,
            "text/csv; charset=utf-8",
            "application/json",
            200,
            "application/json",
            rf'\{{"predictions": \[\{{"score": {_FLOAT}\}}\]\}}',
        ),
        ("1:0.5 2:-1 3:0.25 4:2", "text/libsvm", None, 200, "text/csv; charset=utf-8", rf"{_FLOAT}\n"),
        ("0:0.5 3:2", "text/x-libsvm", None, 200, "text/csv; charset=utf-8", rf"{_FLOAT}\n"),
        (",,0.25,2", "text/csv", None, 200, "text/csv; charset=utf-8", rf"{_FLOAT}\n"),
        ("", "text/csv", None, 204, None, ""),
        (ROW, "application/xml", None, 415, None, "Content-type application/xml is not supported."),
        (
            "a,b,c,d",
            "text/csv",
            None,
            415,
            None,
            "Loading csv data failed with Exception, please ensure data is in csv",
        ),
        (ROW, "text/csv", "image/png", 406, None, "Accept type image/png is not supported."),
        (ROW + ",9", "text/csv", None, 400, None, "Unable to evaluate payload provided: "),
        (ROW, "text/csv", "application/jsonlines", 500, None, "Content type application/jsonlines is not supported"),
    ],
)
def test_xgboost_goldens(
    xgboost: ModelServer,
    body: str,
    content_type: str,
    accept: str | None,
    status: int,
    reply_type: str | None,
    reply: str,
) -> None:
    headers = {"Content-Type": content_type} | ({"Accept": accept} if accept else {})
    found, reply_headers, content = xgboost.invoke(body.encode(), headers)
    assert found == status, content
    if reply_type is not None:
        assert reply_headers["content-type"] == reply_type
        assert re.fullmatch(reply, content.decode()), content
    else:
        assert content.decode().startswith(reply)


def test_formats_agree(xgboost: ModelServer) -> None:
    """The same row as CSV, libsvm (from 0 and from 1) and RecordIO is the same prediction."""
    row = [float(value) for value in ROW.split(",")]
    bodies = {
        "text/csv": ROW.encode(),
        "text/libsvm": " ".join(f"{index}:{value}" for index, value in enumerate(row)).encode(),
        "text/x-libsvm": " ".join(f"{index}:{value}" for index, value in enumerate(row, 1)).encode(),
        "application/x-recordio-protobuf": recordio.write_matrix(np.array([row], np.float32)),
    }
    replies = {kind: xgboost.invoke(body, {"Content-Type": kind})[2] for kind, body in bodies.items()}
    assert len(set(replies.values())) == 1, replies


def test_many_threads_and_kept_connections(xgboost: ModelServer) -> None:
    expected = {n: xgboost.invoke(f"{n},0,0,0".encode(), {"Content-Type": "text/csv"})[2] for n in range(8)}
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda n: xgboost.invoke(f"{n % 8},0,0,0".encode(), {"Content-Type": "text/csv"})[2], range(200))
        )
    assert replies == [expected[n % 8] for n in range(200)]


def test_selected_fields(cloud: Cloud, xgboost_model: str) -> None:
    fields = {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label, probability,probabilities,predicted_score"}
    running = server(cloud, XGBOOST, xgboost_model, environment=fields)
    running.start()
    try:
        replies = {
            accept: running.invoke(ROW.encode(), {"Content-Type": "text/csv", "Accept": accept})[2].decode()
            for accept in ("application/json", "application/jsonlines", "text/csv")
        }
    finally:
        running.stop()
    (only,) = json.loads(replies["application/json"])["predictions"]
    assert list(only) == ["predicted_label", "probability", "probabilities", "predicted_score"]
    assert only["predicted_label"] == int(only["probability"] > 0.5)
    assert only["probabilities"] == [1 - only["probability"], only["probability"]]
    assert only["predicted_score"] != only["predicted_score"]  # NaN: a classifier has no such field
    assert json.loads(replies["application/jsonlines"])["probability"] == only["probability"]
    assert replies["text/csv"] == (f'{only["predicted_label"]},{only["probability"]},"{only["probabilities"]}",nan')


# --- starting, failing, stopping --------------------------------------------------------------------------------


def test_endpoint_logs_and_environment(cloud: Cloud, xgboost: ModelServer) -> None:
    xgboost.invoke(ROW.encode(), {"Content-Type": "text/csv"})
    group = f"/aws/sagemaker/Endpoints/{xgboost.spec.endpoint}"
    lines: list[str] = []
    while not any("POST /invocations" in line for line in lines):  # the test's own limit ends a wait without end
        lines = cloud.log_lines(group, "AllTraffic/i-")
    assert not any("/ping" in line for line in lines)
    assert xgboost.alive
    assert xgboost.notes == []


def test_stop_ends_the_process_and_removes_its_files(
    cloud: Cloud, xgboost_model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    running = server(cloud, XGBOOST, xgboost_model, role=cloud.role(*cloud.data, PULL))
    running.start()
    assert running.alive and list(tmp_path.iterdir())
    assert running.invoke(ROW.encode(), {"Content-Type": "text/csv"})[0] == 200
    running.stop()
    running.stop()
    assert not running.alive
    assert list(tmp_path.iterdir()) == []
    assert len(running.notes) == 1 and "logs:" in running.notes[0]  # the role may not write them
    with pytest.raises(ServerUnreachable):
        running.invoke(ROW.encode(), {"Content-Type": "text/csv"})


@pytest.mark.skipif(not sandbox.capabilities().network_isolation, reason="no network namespaces here")
def test_network_isolation(cloud: Cloud, xgboost_model: str) -> None:
    """Two isolated servers, both on port 8080 of their own loopback."""
    both = [server(cloud, XGBOOST, xgboost_model, network_isolation=True) for _ in range(2)]
    try:
        for each in both:
            each.start()
        replies = {each.invoke(ROW.encode(), {"Content-Type": "text/csv"})[2] for each in both}
        assert len(replies) == 1
    finally:
        for each in both:
            each.stop()


def _archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_what_keeps_a_server_from_starting(cloud: Cloud, xgboost_model: str) -> None:
    broken = cloud.put("broken/model.tar.gz", _archive(**{"xgboost-model": b"not a model"}))
    no_archive = cloud.put("broken/text.tar.gz", b"just text")
    cut_off = cloud.put("broken/cut.tar.gz", gzip.compress(b"x" * 5000)[:-20])
    escape = cloud.put("broken/escape.tar.gz", _archive(**{"../../escaped": b"x"}))
    missing = f"s3://{cloud.bucket}/broken/missing.tar.gz"
    bucket = f"arn:aws:s3:::{cloud.bucket}"
    cases: list[tuple[str, str | None, str | None, str]] = [
        (XGBOOST, missing, None, f"Could not access model data at {missing}. Please ensure that the role"),
        (
            XGBOOST,
            xgboost_model,
            cloud.role(allow("s3:ListBucket", bucket), PULL),
            f"Could not access model data at {xgboost_model}.",
        ),
        (XGBOOST, no_archive, None, f'Failed to extract model data archive from URL "{no_archive}".'),
        (XGBOOST, cut_off, None, f'Failed to extract model data archive from URL "{cut_off}".'),
        (XGBOOST, escape, None, f'Failed to extract model data archive from URL "{escape}".'),
        (XGBOOST, xgboost_model, cloud.role(*cloud.data, LOGS), "Cannot pull algorithm container."),
        (PYTORCH_TRAINING, xgboost_model, None, "has no model server of its own here"),
        (SKLEARN, xgboost_model, None, "Please provide a model_fn implementation."),
        ("public.ecr.aws/x/y:1", xgboost_model, None, "has no runner for the image"),
        (
            XGBOOST,
            broken,
            None,
            "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
            "CloudWatch logs for this endpoint. The server ended with exit code 1. Last log lines: ",
        ),
        (XGBOOST, None, None, "did not pass the ping health check"),
    ]
    for image, model, role, text in cases:
        failing = server(cloud, image, model, role)
        with pytest.raises(ServerFailed) as caught:
            failing.start()
        assert text in str(caught.value)
        assert not failing.alive


def test_a_server_that_dies_is_noticed(cloud: Cloud, xgboost_model: str) -> None:
    running = server(cloud, XGBOOST, xgboost_model)
    running.start()
    try:
        process = running._process
        assert process is not None
        process.kill()
        process.wait(20)
        assert not running.alive
        with pytest.raises(ServerUnreachable):
            running.invoke(ROW.encode(), {"Content-Type": "text/csv"})
    finally:
        running.stop()
