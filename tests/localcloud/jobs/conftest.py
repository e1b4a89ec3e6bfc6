"""Fixtures of the job tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.localcloud.jobs.cloud import Cloud


@pytest.fixture(scope="session")
def cloud(localcloud: Any) -> Iterator[Cloud]:
    yield Cloud(localcloud, f"jobs-{uuid.uuid4().hex[:10]}")
