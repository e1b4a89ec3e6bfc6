"""The world of the genuine SDK, once for each file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.localcloud.sdk.environment import Genuine, environment


@pytest.fixture(scope="module")
def genuine(localcloud: Any) -> Iterator[Genuine]:
    with environment(localcloud) as world:
        yield world
