"""Monitors of transform jobs, deployed for real on both engines: from captured rows to what they find, and the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.stand import Stand, stand
from tests.lifecycle.test_monitors import Watched

HOUR = 3600
WORKLOAD = "penguins"
MASS = 4
"""The column of the body's mass among the features."""


class Batches:
    """The workload's transform jobs, and what its monitor says of them."""

    def __init__(self, place: Stand, folder: Path) -> None:
        self._place, self._folder = place, folder
        self.watched = Watched(place, WORKLOAD)

    def command(self, *words: str, expect: int = 0) -> Any:
        where = (
            "--environment",
            self._place.environment,
            *(("--out", str(self._folder)) if "show" not in words else ()),
        )
        return self._place.cloud.here(*words, *where, expect=expect)

    def transform(self, *file: str) -> Any:
        return self.command("transform", WORKLOAD, *file, "--capture")

    def next_run(self) -> Any:
        """Let the hour pass in which jobs began, and the one in which late ones end; return the run after it."""
        cloud = self._place.cloud
        known = len(self.runs())
        cloud.advance(2 * HOUR - cloud.admin("clock")["now"] % HOUR + 1500)

        def found() -> list[Any]:
            runs = self.runs()
            done = all(one["status"] not in ("Pending", "InProgress") for one in runs)
            return [one for one in runs if one["rows"]] if done and len(runs) > known else []

        return cloud.until(found, "a run over transform jobs")[0]

    def runs(self) -> list[Any]:
        (shown,) = self.command("monitor", "show", WORKLOAD)["monitors"]
        assert shown["monitor"] == "batch-data-quality"
        return list(shown["runs"])


@pytest.mark.exhaustive
@pytest.mark.parametrize("engine", ["portable", "model-monitor"])  # the first one brings all assets that both need
def test_rows_of_transform_jobs_are_looked_at_without_an_endpoint_and_nothing_is_left(
    cloud: Cloud, environment_file: Callable[..., str], tmp_path: Path, engine: str
) -> None:
    monitors = {"endpoint": {"kind": "none"}, "monitors": ["batch-data-quality"]}
    file = environment_file("batches", workloads={WORKLOAD: monitors}, monitoring={"engine": engine})
    place = stand(cloud, file).up()
    batches = Batches(place, tmp_path)
    baseline = batches.watched.read(f"{batches.watched.outputs['BatchDataQualityBaseline']}/statistics.json")
    names = [one["name"] for one in baseline["features"]]
    assert "species" not in names  # nobody asks with a label

    # nothing has been captured: a run by hand says what to do
    refused = batches.command("monitor", "run", WORKLOAD, expect=1)
    assert "sandcastle transform penguins --capture" in refused["error"]["message"]

    rows = [row for _, row in batches.watched.rows()]
    answered = batches.transform()
    assert answered["captured"] == batches.watched.outputs["BatchCapture"]
    assert len(batches.watched.keys(f"{answered['captured']}/input/")) == 1
    (page,) = batches.command("monitor", "run", WORKLOAD)["pages"]
    assert (page["by_hand"], page["rows"]) == (True, answered["lines"])
    clean = batches.next_run()
    assert (clean["rows"], clean["by_hand"]) == (answered["lines"], False)
    assert [one for one in clean["violations"] if one["constraint_check_type"] == "baseline_drift_check"] == []

    heavy = tmp_path / "heavy.csv"
    heavy.write_text("".join(f"{_heavier(row)}\n" for row in rows))
    batches.transform(str(heavy))
    batches.transform(str(heavy))  # two jobs in an hour are one run
    drifted = batches.next_run()
    assert drifted["rows"] == 2 * len(rows)
    assert drifted["status"] == "CompletedWithViolations"
    assert names[MASS] in {one["feature_name"] for one in drifted["violations"]}
    report = batches.command("monitor", "report", WORKLOAD)
    assert "transform jobs" in Path(report["pages"][0]["page"]).read_text()
    place.destroyed_at_once()


def _heavier(row: str) -> str:
    values = row.split(",")
    values[MASS] = str(int(float(values[MASS] or 4000)) + 3000)
    return ",".join(values)
