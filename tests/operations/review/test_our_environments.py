"""Our own environments: what is new in them is no risk but where it is one, and what stays says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.review.assembly import read_assembly
from operations.review.review import review
from tests.synthesis import ENVIRONMENTS, synthesise


@pytest.mark.parametrize(
    "name", [one if one == "local" else pytest.param(one, marks=pytest.mark.exhaustive) for one in ENVIRONMENTS]
)
def test_a_first_deployment_blocks_for_endpoints_that_nobody_watches_only(name: str, tmp_path: Path) -> None:
    """So a blocker of another rule is either a real one in our own code, or a false one."""
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    here = read_assembly(synthesise(name).folder)
    gate = review(read_assembly(tmp_path), here).gate
    assert {one.rule for one in gate.blocked} <= {"endpoint-unmonitored"}, gate.blocked
    assert {one.rule for one in gate.noted} <= {"access-widened"}, gate.noted  # services, by policies of resources
    same = review(here, here)
    assert (same.gate.verdict, len(same.changes), same.access, same.cost.lines) == ("clean", 0, (), ())
