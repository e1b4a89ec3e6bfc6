"""Fixtures of the job tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.jobs.executor import InputSpec
from tests.localcloud.jobs.cloud import Cloud
from tests.localcloud.jobs.training_data import channel, table


@pytest.fixture(scope="session")
def cloud(localcloud: Any) -> Iterator[Cloud]:
    yield Cloud(localcloud, f"jobs-{uuid.uuid4().hex[:10]}")


@pytest.fixture(scope="session")
def channels(cloud: Cloud) -> list[InputSpec]:
    for name, seed, rows in (("train", 1, 400), ("validation", 2, 200)):
        cloud.put(f"data/{name}/part-0.csv", table(seed, rows))
    return [channel(name, f"s3://{cloud.bucket}/data/{name}") for name in ("train", "validation")]
