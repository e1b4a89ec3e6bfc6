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
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localcloud.jobs import sandbox
from localcloud.jobs.executor import InputSpec
from localcloud.jobs.model_server import ModelServer, ServerFailed, ServerSpec, ServerUnreachable
from tests.localcloud.jobs.cloud import LINEAR_LEARNER, LOGS, PULL, PYTORCH_TRAINING, SKLEARN, XGBOOST, Cloud, allow
from tests.localcloud.jobs.runner_modules import load
from tests.localcloud.jobs.test_executor_training import HYPERPARAMETERS, table

recordio = load("shared", "recordio")
ROW = "0.5,-1,0.25,2"


def server(cloud: Cloud, image: str, model: str | None, role: str | None = None, **fields: Any) -> ModelServer:
    spec = ServerSpec(
        endpoint=f"e-{uuid.uuid4().hex[:8]}",
        variant="AllTraffic",
        image=image,
        model_data_url=model,
        role_arn=role or cloud.full_role(),
        **fields,
    )
    return ModelServer(spec, cloud.platform, healthy_limit=20)


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


# --- Linear Learner ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits(cloud: Cloud) -> tuple[str, np.ndarray, np.ndarray]:
    """Model, test pictures and labels of "is it a zero" on scikit-learn's digits at 28 x 28."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pictures = np.pad(np.kron(loaded.images / 16, np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2)))
    order = np.random.default_rng(0).permutation(len(pictures))
    features = pictures.reshape(len(pictures), -1).astype(np.float32)[order]
    labels = (loaded.target == 0).astype(np.float32)[order]
    inputs = []
    for name, rows in (("train", slice(0, 1257)), ("validation", slice(1257, 1527))):
        uri = cloud.put(f"digits/{name}/data.pr", recordio.write_matrix(features[rows], labels[rows]))
        inputs.append(InputSpec(name, uri, content_type="application/x-recordio-protobuf"))
    spec = cloud.training(
        cloud.full_role(),
        image=LINEAR_LEARNER,
        inputs=inputs,
        hyperparameters={"predictor_type": "binary_classifier", "feature_dim": "784", "mini_batch_size": "200"},
    )
    outcome, _ = cloud.run(spec)
    assert outcome.artifact_uri, outcome.failure_reason
    assert outcome.seconds_running < 10
    final = {name: value for name, value, _ in outcome.metrics}
    assert final["validation:binary_classification_accuracy"] > 0.97
    assert final["validation:binary_f_beta"] > 0.9
    assert {"train:objective_loss", "validation:objective_loss", "validation:precision", "validation:recall"} <= set(
        final
    )
    assert final["train:progress"] == 100
    with tarfile.open(fileobj=io.BytesIO(cloud.get(outcome.artifact_uri))) as archive:
        assert archive.getnames() == ["model_algo-1"]
    return outcome.artifact_uri, features[1527:], labels[1527:]


@pytest.fixture(scope="module")
def linear(cloud: Cloud, digits: tuple[str, np.ndarray, np.ndarray]) -> Iterator[ModelServer]:
    running = server(cloud, LINEAR_LEARNER, digits[0])
    running.start()
    yield running
    running.stop()


def as_csv(rows: np.ndarray) -> bytes:
    return "\n".join(",".join(f"{value:g}" for value in row) for row in rows).encode()


def test_zeros_are_found(linear: ModelServer, digits: tuple[str, np.ndarray, np.ndarray]) -> None:
    """Held-out accuracy and F1, by score at 0.5 and by label."""
    _, features, labels = digits
    status, headers, content = linear.invoke(as_csv(features), {"Content-Type": "text/csv"})
    assert (status, headers["content-type"]) == (200, "application/json")
    predictions = json.loads(content)["predictions"]
    for found in (
        np.array([each["score"] >= 0.5 for each in predictions]),
        np.array([each["predicted_label"] == 1 for each in predictions]),
    ):
        hits = np.sum(found & (labels == 1))
        assert np.mean(found == (labels == 1)) >= 0.97
        assert 2 * hits / (found.sum() + labels.sum()) >= 0.90


def test_linear_learner_formats_agree(linear: ModelServer, digits: tuple[str, np.ndarray, np.ndarray]) -> None:
    rows = digits[1][:3]
    bodies = {
        "text/csv": as_csv(rows),
        "application/json": json.dumps({"instances": [{"features": row.tolist()} for row in rows]}).encode(),
        "application/jsonlines": "\n".join(
            json.dumps({"data": {"features": {"values": row.tolist()}}}) for row in rows
        ).encode(),
        "application/x-recordio-protobuf": recordio.write_matrix(rows),
    }
    replies = [json.loads(linear.invoke(body, {"Content-Type": kind})[2]) for kind, body in bodies.items()]
    for reply in replies[1:]:
        np.testing.assert_allclose(
            [each["score"] for each in reply["predictions"]],
            [each["score"] for each in replies[0]["predictions"]],
            atol=1e-4,
        )
    scores = [each["score"] for each in replies[3]["predictions"]]
    body = bodies["application/x-recordio-protobuf"]
    ask = {"Content-Type": "application/x-recordio-protobuf"}

    lines = linear.invoke(body, {**ask, "Accept": "application/jsonlines"})[2].decode().splitlines()
    assert [json.loads(line)["score"] for line in lines] == scores
    text = linear.invoke(body, {**ask, "Accept": "text/csv"})[2].decode()
    assert [float(line.split(",")[0]) for line in text.splitlines()] == scores
    records = [
        recordio.decode(each)
        for each in recordio.frames(linear.invoke(body, {**ask, "Accept": "application/x-recordio-protobuf"})[2])
    ]
    assert [float(each.label["score"].values[0]) for each in records] == pytest.approx(scores)
    assert {name for each in records for name in each.label} == {"score", "predicted_label"}


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        (b"1,2", "text/csv", None, 400),
        (b"x", "text/csv", None, 400),
        (b"{}", "application/json", None, 400),
        (b"\0" * 8, "application/x-recordio-protobuf", None, 400),
        (b"1,2", "image/png", None, 415),
        (b",".join([b"0"] * 784), "text/csv", "image/png", 406),
    ],
)
def test_linear_learner_refusals(
    linear: ModelServer, body: bytes, content_type: str, accept: str | None, status: int
) -> None:
    headers = {"Content-Type": content_type} | ({"Accept": accept} if accept else {})
    assert linear.invoke(body, headers)[0] == status


def _numbers(kind: str) -> tuple[str, dict[str, str]]:
    random = np.random.default_rng(3)
    features = random.normal(size=(400, 3))
    if kind == "regressor":
        labels = 10 + features @ [1.0, -2.0, 0.5]
        settings = {"predictor_type": kind, "epochs": "30"}
    else:
        labels = np.argmax(features, axis=1)
        settings = {"predictor_type": kind, "num_classes": "3", "epochs": "30"}
    rows = "\n".join(
        ",".join(f"{value:.5f}" for value in [label, *row]) for label, row in zip(labels, features, strict=True)
    )
    return rows, {**settings, "mini_batch_size": "50"}


@pytest.mark.parametrize("kind", ["regressor", "multiclass_classifier"])
def test_other_predictors(cloud: Cloud, kind: str) -> None:
    rows, settings = _numbers(kind)
    uri = cloud.put(f"other/{kind}.csv", rows)
    inputs = [InputSpec("train", uri, content_type="text/csv")]
    outcome, _ = cloud.run(
        cloud.training(cloud.full_role(), image=LINEAR_LEARNER, inputs=inputs, hyperparameters=settings)
    )
    assert outcome.artifact_uri, outcome.failure_reason
    final = {name: value for name, value, _ in outcome.metrics}
    running = server(cloud, LINEAR_LEARNER, outcome.artifact_uri)
    running.start()
    try:
        reply = running.invoke(b"1,0,0\n0,0,3", {"Content-Type": "text/csv", "Accept": "application/json"})[2]
    finally:
        running.stop()
    first, second = json.loads(reply)["predictions"]
    if kind == "regressor":
        assert final["train:mse"] < 0.05
        assert list(first) == ["score"]
        assert first["score"] == pytest.approx(11, abs=0.5)
        assert second["score"] == pytest.approx(11.5, abs=0.5)
    else:
        assert final["train:multiclass_accuracy"] > 0.95
        assert (first["predicted_label"], second["predicted_label"]) == (0, 2)
        assert sum(first["score"]) == pytest.approx(1)


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
