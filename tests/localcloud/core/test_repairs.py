"""Each repair changes what it says: its scenario holds here and fails on MiniStack as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import started
from tests.localcloud.core.scenarios import SCENARIOS

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud

#: something of the caller's that must not arrive in functions
PLANTED = {"LOCALCLOUD_PLANTED": "secret"}


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    with started(tmp_path_factory.mktemp("repaired"), PLANTED) as server:
        yield server


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    with started(tmp_path_factory.mktemp("plain"), {**PLANTED, "LOCALCLOUD_REPAIRS": "off"}) as server:
        yield server


@pytest.mark.parametrize("name", SCENARIOS)
def test_localcloud_behaves_like_aws(name: str, repaired: Localcloud) -> None:
    SCENARIOS[name](repaired)


@pytest.mark.exhaustive  # it is pinned: what it does changes with its version only
@pytest.mark.parametrize("name", SCENARIOS)
def test_plain_ministack_does_not(name: str, plain: Localcloud) -> None:
    with pytest.raises((AssertionError, ClientError)):
        SCENARIOS[name](plain)
