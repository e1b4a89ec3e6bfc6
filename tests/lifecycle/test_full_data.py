"""`data: full` reads the tutorials' public objects: the same buckets and keys, seeded here with small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.stand import stand
from tests.workloads.test_bank import as_csv, raw_rows
from tests.workloads.test_mnist_linear import mnist_file

PUBLIC = "sagemaker-example-files-prod-us-east-1"


@pytest.mark.exhaustive
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
    place = stand(cloud, name).up()
    for workload, rows in (("mnist-linear", 100), ("bank", 300)):
        assert cloud.here("invoke", workload, "--sample", "1", "--environment", name)["origin"] == "public"
        report = cloud.here("evaluate", workload, "--environment", name, "--out", str(tmp_path))
        assert report["rows"] == rows
        assert report["data"]["generated"] is False
    place.destroyed_at_once()
    listed = s3.list_objects_v2(Bucket=PUBLIC)["Contents"]
    assert len(listed) == 2, "a destroy touched somebody else's bucket"
