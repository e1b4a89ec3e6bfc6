"""The admin endpoints of a real server."""

from __future__ import annotations

import urllib.error
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud


def test_health_names_the_process(localcloud: Localcloud) -> None:
    assert localcloud.admin("GET", "health")["pid"] == localcloud.pid


def test_advancing_the_clock_carries_virtual_time_forward(localcloud: Localcloud) -> None:
    before = localcloud.admin("GET", "clock")
    after = localcloud.admin("POST", "clock", {"advance_seconds": 3600})
    # the real time of the request itself counts too
    assert after["modelled_seconds"] - before["modelled_seconds"] == pytest.approx(3600, abs=5)
    assert after["now"] - before["now"] == pytest.approx(3600, abs=5)


@pytest.mark.parametrize("document", [{}, {"advance_seconds": "soon"}, {"advance_seconds": -1}])
def test_a_wrong_advance_is_refused(localcloud: Localcloud, document: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        localcloud.admin("POST", "clock", document)


def test_an_unknown_admin_operation_is_refused(localcloud: Localcloud) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        localcloud.admin("GET", "nonsense")
