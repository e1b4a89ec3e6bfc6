"""`data: full` reads the tutorials' public objects: the same buckets and keys, seeded here with small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.lifecycle.conftest import Cloud
from tests.workloads.test_bank import as_csv, raw_rows
from tests.workloads.test_mnist_linear import mnist_file

PUBLIC = "sagemaker-example-files-prod-us-east-1"


def test_full_reads_the_public_objects_through_the_same_code(
    cloud: Cloud, environment_file: Callable[..., str], tmp_path: Path
) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=PUBLIC)
    s3.put_object(Bucket=PUBLIC, Key="datasets/image/MNIST/mnist.pkl.gz", Body=mnist_file((600, 200, 100))[0])
    s3.put_object(
        Bucket=PUBLIC,
        Key="datasets/tabular/uci_bank_marketing/bank-additional-full.csv",
        Body=as_csv(raw_rows(1000)),
    )
    name = environment_file("full-data", data="full", workloads={"mnist-linear": {}, "bank": {}})
    deployed = cloud.sandcastle("deploy", "--environment", name).document
    assert {answer["origin"] for answer in deployed["predictions"].values()} == {"public"}
    for workload, rows in (("mnist-linear", 100), ("bank", 300)):
        report = cloud.sandcastle("evaluate", workload, "--environment", name, "--out", str(tmp_path)).document
        assert report["rows"] == rows
        assert report["data"]["generated"] is False
    cloud.sandcastle("destroy", "--environment", name)
    cloud.assert_nothing_left(name)
    listed = s3.list_objects_v2(Bucket=PUBLIC)["Contents"]
    assert len(listed) == 2, "a destroy touched somebody else's bucket"
