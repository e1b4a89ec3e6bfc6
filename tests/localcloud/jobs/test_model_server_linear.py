"""Linear Learner, trained here and served: every format, refusals, and the other two predictors."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator

import numpy as np
import pytest

from localcloud.jobs.executor import InputSpec
from localcloud.jobs.model_server import ModelServer
from tests.localcloud.jobs.cloud import LINEAR_LEARNER, Cloud
from tests.localcloud.jobs.runner_modules import load
from tests.localcloud.jobs.serving import server

recordio = load("shared", "recordio")


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
