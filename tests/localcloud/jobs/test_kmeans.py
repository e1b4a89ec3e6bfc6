"""K-Means: hyperparameters, the two stages, one host and two, and every format of a reply."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from localcloud.jobs.executor import InputSpec
from localcloud.jobs.model_server import ModelServer, ServerSpec
from tests.localcloud.jobs.cloud import KMEANS, Cloud
from tests.localcloud.jobs.runner_modules import load

settings = load("kmeans", "settings")
clustering = load("kmeans", "clustering")
recordio = load("shared", "recordio")
RECORDIO = "application/x-recordio-protobuf"
_SCHEMA = (
    "Unable to initialize the algorithm. Failed to validate hyperparameters. (caused by ValidationError)\n\nCaused by: "
)


def validated(**given: str) -> Any:
    return settings.validated({"k": "10", "feature_dim": "64", **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": "10"}, "'feature_dim' is a required property"),
        ({"feature_dim": "2"}, "'k' is a required property"),
        ({"k": "0", "feature_dim": "2"}, "'0' is not valid for 'k'"),
        (
            {"k": "2", "feature_dim": "2", "silent": "0"},
            "Additional properties are not allowed ('silent' was unexpected)",
        ),
        ({"k": "2", "feature_dim": "auto"}, "'auto' is not valid for 'feature_dim'"),
        ({"k": "2", "feature_dim": "2", "init_method": "best"}, "'best' is not valid for 'init_method'"),
        ({"k": "2", "feature_dim": "2", "local_lloyd_tol": "1.5"}, "'1.5' is not valid for 'local_lloyd_tol'"),
        ({"k": "2", "feature_dim": "2", "eval_metrics": "msd"}, "'msd' is not valid for 'eval_metrics'"),
        ({"k": "2", "feature_dim": "2", "eval_metrics": '["mse"]'}, "'[\"mse\"]' is not valid for 'eval_metrics'"),
    ],
)
def test_hyperparameters_that_are_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(settings.parameter_table.bad_hyperparameters("").__class__) as caught:
        settings.validated(given)
    assert str(caught.value) == _SCHEMA + message


def test_defaults_are_the_services() -> None:
    values = validated(force_dense="True", eval_metrics='["ssd", "msd"]')
    assert (values.mini_batch_size, values.epochs, values.init_method) == (5000, 1, "random")
    assert (values.local_lloyd_max_iter, values.local_lloyd_tol) == (300, 0.0001)
    assert values.local_lloyd_init_method == "kmeans++"
    assert values.eval_metrics == ["ssd", "msd"]
    assert validated().eval_metrics == ["msd"]


@pytest.mark.parametrize(
    ("given", "rows", "factor"), [({}, 5000, 10), ({}, 45, 4), ({}, 10, 1), ({"extra_center_factor": "3"}, 30, 3)]
)
def test_how_many_centres_are_kept(given: dict[str, str], rows: int, factor: int) -> None:
    assert clustering.factor_of(validated(**given), rows) == factor


def test_more_centres_than_rows_are_refused() -> None:
    with pytest.raises(
        Exception, match=r"k \* extra_center_factor is 40: more centers than the first mini batch has rows \(39\)"
    ):
        clustering.factor_of(validated(extra_center_factor="4"), 39)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits in a fixed random order, and what each of them is."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    order = np.random.default_rng(0).permutation(len(loaded.data))
    return loaded.data[order].astype(np.float32), loaded.target[order]


def purity(clusters: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows that belong to the most frequent class of their cluster."""
    return sum(np.bincount(labels[clusters == each]).max() for each in np.unique(clusters)) / len(labels)


@pytest.mark.parametrize(
    "given",
    [
        {"mini_batch_size": "500"},
        pytest.param(
            {"mini_batch_size": "200", "epochs": "3", "init_method": "kmeans++"}, marks=pytest.mark.exhaustive
        ),
    ],
)
def test_digits_cluster_on_one_host_as_on_two(digits: tuple[np.ndarray, np.ndarray], given: dict[str, str]) -> None:
    rows, labels = digits
    told: list[str] = []
    values = validated(**given)
    for shares in ([rows], [rows[:900], rows[900:]]):
        parts = [
            clustering.summarise(values, share, number, told.append).to_bytes() for number, share in enumerate(shares)
        ]
        everything = clustering.Summary.of(parts)
        assert everything.weights.sum() == pytest.approx(len(rows) * values.epochs)
        centres, distance = clustering.shrink(values, everything, told.append)
        assert centres.shape == (10, 64)
        clusters, squares = clustering.nearest(rows, centres)
        assert purity(clusters, labels) >= 0.70
        assert 0 < distance < squares.mean()  # the centres that were shrunk are closer together than the rows are
    assert "'extra_center_factor' was set to 'auto', evaluated to 10." in told
    assert "shrinking 100 centers into 10" in told
    assert sum(line.startswith("local kmeans attempt #9. Current mean square distance") for line in told) == 2


def test_old_rows_fade_with_a_half_life() -> None:
    """Two batches of the same size, a half life of one batch: the first counts half as much as the second."""
    rows = np.array([[0.0], [0.0], [3.0], [3.0]], np.float32)
    given = {"k": "1", "feature_dim": "1", "mini_batch_size": "2", "extra_center_factor": "1"}
    weights = {}
    for half_life in ("0", "2"):
        values = settings.validated({**given, "half_life_time_size": half_life})
        summary = clustering.summarise(values, rows, 0, lambda _: None)
        weights[half_life] = (float(summary.centres[0, 0]), float(summary.weights[0]))
    assert weights["0"] == (1.5, 4.0)
    assert weights["2"] == (2.0, 3.0)


@pytest.fixture(scope="module")
def trained(cloud: Cloud, digits: tuple[np.ndarray, np.ndarray]) -> str:
    """Two hosts, each with one of the two objects of the train channel."""
    rows, _ = digits
    for number, share in enumerate((rows[:700], rows[700:1400])):
        cloud.put(f"kmeans/train/part-{number}.pr", recordio.write_matrix(share))
    test = "\n".join(",".join(f"{value:g}" for value in row) for row in rows[1400:])
    inputs = [
        InputSpec("train", f"s3://{cloud.bucket}/kmeans/train/", content_type=RECORDIO, distribution="ShardedByS3Key"),
        InputSpec("test", cloud.put("kmeans/test/rows.csv", test), content_type="text/csv;label_size=0"),
    ]
    spec = cloud.training(
        cloud.full_role(),
        image=KMEANS,
        inputs=inputs,
        instance_count=2,
        hyperparameters={"k": "10", "feature_dim": "64", "mini_batch_size": "350", "eval_metrics": '["msd", "ssd"]'},
        network_isolation=True,
    )
    outcome, _ = cloud.run(spec)
    lines = cloud.log_lines("/aws/sagemaker/TrainingJobs", f"{spec.name}/")
    assert outcome.status == "Completed", (outcome.failure_reason, lines)
    final = {name: value for name, value, _ in outcome.metrics}
    assert final["test:ssd"] == pytest.approx(final["test:msd"] * len(rows[1400:]), rel=1e-6)
    assert final["train:progress"] == 100
    for host in ("algo-1", "algo-2"):
        assert any(f"#progress_metric: host={host}, completed 100.0 % of epochs" in line for line in lines)
    assert sum("processed a total of 700 examples" in line for line in lines) == 2
    assert any("shrinking" in line for line in lines)
    assert outcome.artifact_uri is not None
    return outcome.artifact_uri


@pytest.fixture(scope="module")
def server(cloud: Cloud, trained: str) -> Iterator[ModelServer]:
    running = ModelServer(ServerSpec("e", "main", KMEANS, trained, role_arn=cloud.full_role()), cloud.platform)
    running.start()
    yield running
    running.stop()


def test_clusters_of_two_hosts_separate_digits_they_have_not_seen(
    server: ModelServer, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    rows, labels = digits
    body = "\n".join(",".join(f"{value:g}" for value in row) for row in rows[1400:]).encode()
    status, headers, content = server.invoke(body, {"Content-Type": "text/csv"})
    assert (status, headers["content-type"]) == (200, "application/json")
    found = json.loads(content)["predictions"]
    assert purity(np.array([int(each["closest_cluster"]) for each in found]), labels[1400:]) >= 0.70
    assert all(set(each) == {"closest_cluster", "distance_to_cluster"} for each in found)


def test_formats_of_a_request_and_a_reply_agree(server: ModelServer, digits: tuple[np.ndarray, np.ndarray]) -> None:
    rows = digits[0][:3]
    bodies = {
        "text/csv": "\n".join(",".join(f"{value:g}" for value in row) for row in rows).encode(),
        "application/json": json.dumps({"instances": [{"features": row.tolist()} for row in rows]}).encode(),
        "application/jsonlines": "\n".join(json.dumps({"features": row.tolist()}) for row in rows).encode(),
        RECORDIO: recordio.write_matrix(rows),
    }
    replies = {server.invoke(body, {"Content-Type": kind})[2] for kind, body in bodies.items()}
    assert len(replies) == 1
    expected = json.loads(replies.pop())["predictions"]
    assert all(each["closest_cluster"] == int(each["closest_cluster"]) for each in expected)
    ask = {"Content-Type": RECORDIO}
    lines = server.invoke(bodies[RECORDIO], {**ask, "Accept": "application/jsonlines"})[2].decode().splitlines()
    assert [json.loads(line) for line in lines] == expected
    text = server.invoke(bodies[RECORDIO], {**ask, "Accept": "text/csv"})[2].decode()
    assert text == "".join(f"{each['closest_cluster']},{each['distance_to_cluster']}\n" for each in expected)
    records = [
        recordio.decode(each)
        for each in recordio.frames(server.invoke(bodies[RECORDIO], {**ask, "Accept": RECORDIO})[2])
    ]
    for record, each in zip(records, expected, strict=True):
        for name, value in each.items():
            assert math.isclose(float(record.label[name].values[0]), value, rel_tol=1e-5)
