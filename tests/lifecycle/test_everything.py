"""All six workloads from one deploy: predictions, evaluations beside a plain model, tutorials, destroyed to zero."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandcastle.config.loader import workload_names
from tests.lifecycle.conftest import ROOT, Cloud
from tests.lifecycle.tutorials import tutorial_of

ENVIRONMENT = "everything"
WORKLOADS = workload_names(ROOT)
LONG = ("digits", "mnist-kmeans")
"""Workloads whose tutorials only `make matrix` runs: they train longest."""


@pytest.fixture(scope="module")
def deployed(cloud: Cloud) -> Any:
    """What the deploy said, typed as a user types it."""
    return cloud.sandcastle("deploy", "--environment", ENVIRONMENT).document


def test_there_are_six() -> None:
    assert WORKLOADS == ["bank", "digits", "fraud", "mnist-kmeans", "mnist-linear", "penguins"]


def test_deploy_ends_with_a_prediction_of_each(deployed: Any, cloud: Cloud) -> None:
    assert sorted(deployed["predictions"]) == WORKLOADS
    assert all(answer["reply"] for answer in deployed["predictions"].values())
    assert set(cloud.stacks().values()) == {"CREATE_COMPLETE"}


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_is_at_least_as_good_as_a_plain_model_on_the_same_rows(cloud: Cloud, tmp_path: Path, workload: str) -> None:
    report = cloud.here("evaluate", workload, "--environment", ENVIRONMENT, "--out", str(tmp_path))
    assert report["scikit_learn"]["at_least_as_good"] is True, report["scikit_learn"]
    assert (tmp_path / f"{workload}.png").read_bytes().startswith(b"\x89PNG")
    if workload == "mnist-kmeans":
        assert report["purity"] >= 0.70
    if workload == "fraud":
        assert report["auc"] >= 0.90


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    "workload", [pytest.param(one, marks=[pytest.mark.exhaustive] if one in LONG else []) for one in WORKLOADS]
)
def test_its_tutorial_runs_with_the_rights_of_its_reader(cloud: Cloud, workload: str) -> None:
    tutorial_of(cloud, ENVIRONMENT, workload, "ada")


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("workload", "body", "status", "text"),
    [
        ("fraud", b"1,2,3", 400, "Feature size of csv inference data 3 is not consistent"),
        ("mnist-linear", b"1,2,3", 400, "each row must have 784 features, not 3"),
        ("mnist-kmeans", b"1,2,3", 400, "784"),
        ("digits", b"1,2,3", 400, "sample 1 has 3 pixels; a picture has 784"),
    ],
)
def test_a_row_of_another_width_is_refused(cloud: Cloud, workload: str, body: bytes, status: int, text: str) -> None:
    names = [
        one["EndpointName"] for one in cloud.client("sagemaker").list_endpoints(NameContains=workload)["Endpoints"]
    ]
    runtime = cloud.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName=names[0], ContentType="text/csv", Body=body)
    answer = caught.value.response
    assert answer["OriginalStatusCode"] == status
    assert text in answer["OriginalMessage"]


@pytest.mark.usefixtures("deployed")
def test_a_destroy_reaches_zero(cloud: Cloud) -> None:
    report = cloud.here("destroy", "--environment", ENVIRONMENT)
    assert (report["clean"], report["attempts"]) == (True, 1)
    cloud.assert_nothing_left(ENVIRONMENT)
