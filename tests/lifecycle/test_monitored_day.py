"""``environments/monitored.yaml`` through the command, for each engine: a day that is as training, and changes.

The day is the same for both: the same rows in the same hours, so the same verdicts are expected of both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import yaml

from tests.lifecycle.conftest import ROOT, Cloud

SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "environments" / "monitored.yaml").read_text(encoding="utf-8"))
DRIFTS = {"bank": "age", "penguins": "body_mass_g", "fraud": "V4", "digits": "pixel_14_14"}
"""A feature of each workload, which moves by a standard deviation."""

ANSWERS = {"bank": "y_yes", "penguins": "species", "fraud": "Class", "digits": "digit"}
"""The first column of each workload's baseline: labels there, the model's answers in a window."""

RATE = f"{SETTINGS['monitoring']['rows']}/h"
"""As few requests as the monitors are made for."""

HOUR = 3600
ENGINES = ("model-monitor", "portable")
Verdict = frozenset[tuple[str, str]]
"""What a run found: names of features or metrics, and the checks."""

_verdicts: dict[str, dict[tuple[str, str, int], Verdict]] = {}
"""Of each engine that has been tried: by workload, monitor, and hour of the test."""


class Watched:
    """The environment with one engine, and what its monitors find."""

    def __init__(self, cloud: Cloud, file: str) -> None:
        self._cloud, self._file = cloud, ["--environment", file]
        self.verdicts: dict[tuple[str, str, int], Verdict] = {}
        cloud.sandcastle("deploy", *self._file)
        cloud.advance(HOUR - self._now() % HOUR)  # so that the rows of an hour are the same with every engine
        self._begin = self._now() // HOUR * HOUR

    def ask(self, *workloads: str, hours: int, **how: str) -> int:
        """Send traffic from the next full hour on, and labels; return the hour of the test in which it began."""
        self._cloud.advance(HOUR - self._now() % HOUR)
        begin = round((self._now() - self._begin) / HOUR)
        options = [word for name, value in how.items() for word in (f"--{name}", value)]
        said = self._cloud.here(
            "traffic", *workloads, "--rate", RATE, "--for", f"{hours}h", "--truth", *options, *self._file
        )
        for one in said.get("workloads", [said]):
            assert (one["sent"], one["refused"]) == (one["planned"], 0), one
        return begin

    def look(self, workload: str, runs: int) -> None:
        """Keep what the newest runs of a workload's monitors have found."""
        for monitor in self._cloud.here("monitor", "show", workload, "--limit", str(runs), *self._file)["monitors"]:
            for run in monitor["runs"]:
                assert run["status"] != "InProgress", run
                if run["status"].startswith("Completed") and run["rows"]:
                    self.verdicts[workload, monitor["monitor"], self._hour(run["moment"])] = frozenset(
                        (one.get("feature_name") or one["metric_name"], one["constraint_check_type"])
                        for one in run["violations"]
                    )

    def found(self, workload: str, monitor: str, *hours: int) -> Verdict:
        """Return what runs of these hours of the test have found; each has judged something."""
        return frozenset[tuple[str, str]]().union(*(self.verdicts[workload, monitor, hour] for hour in hours))

    def destroyed(self) -> None:
        """Destroy it: nothing is left."""
        report = self._cloud.sandcastle("destroy", *self._file).document
        assert (report["clean"], report["swept"]) == (True, [])
        self._cloud.assert_nothing_left(self._file[1])

    def rest(self) -> None:
        """Let an hour pass in which nobody asks, so that the runs of the last one come."""
        self._cloud.here("traffic", "bank", "--rate", "1/h", "--for", "1h", *self._file)

    def _now(self) -> float:
        return float(self._cloud.admin("clock")["now"])

    def _hour(self, moment: str) -> int:
        return round((datetime.fromisoformat(moment).timestamp() - self._begin) / HOUR)


@pytest.mark.exhaustive
@pytest.mark.parametrize("engine", ENGINES)
def test_a_clean_day_is_clean_drift_and_wrong_labels_are_found(
    cloud: Cloud, environment_file: Callable[..., str], engine: str
) -> None:
    monitoring = {**SETTINGS["monitoring"], "engine": engine}
    file = environment_file(**{**SETTINGS, "monitoring": monitoring, "expires_after": "never"})
    watched = Watched(cloud, file)

    watched.ask(*DRIFTS, hours=24)
    for workload in DRIFTS:
        watched.look(workload, runs=24)
        data = {hour for name, monitor, hour in watched.verdicts if (name, monitor) == (workload, "data-quality")}
        model = {hour for name, monitor, hour in watched.verdicts if (name, monitor) == (workload, "model-quality")}
        assert len(data) >= 23, "a run for each hour"
        assert len(model) >= 22, "and one less where labels are waited for"
    assert {key: found for key, found in watched.verdicts.items() if found} == {}

    begins = {workload: watched.ask(workload, hours=1, drift=f"{feature}=+1sd") for workload, feature in DRIFTS.items()}
    noisy = watched.ask(*DRIFTS, hours=2, noise="30%")
    watched.rest()
    for workload, feature in DRIFTS.items():
        watched.look(workload, runs=20)
        drifted = watched.found(workload, "data-quality", begins[workload] + 1)
        assert (feature, "baseline_drift_check") in drifted, f"{workload}: at the next run, by name"
        others = {name for name, check in drifted if check == "baseline_drift_check"} - {feature}
        assert others <= {ANSWERS[workload]}, "but for the answers, which may be others for other questions"
        wrong = watched.found(workload, "model-quality", noisy + 2)
        assert "accuracy" in {name for name, _ in wrong}, workload
        assert watched.found(workload, "data-quality", noisy + 1, noisy + 2) == frozenset(), "the data are as they were"

    watched.destroyed()
    _verdicts[engine] = watched.verdicts


@pytest.mark.exhaustive
def test_both_engines_said_the_same_of_each_run() -> None:
    if len(_verdicts) < len(ENGINES):
        pytest.skip("one engine's day alone has nothing to be compared with")
    ours, theirs = (_verdicts[engine] for engine in ENGINES)
    both = ours.keys() & theirs.keys()
    assert len(both) >= 8 * 20
    assert {key: (ours[key], theirs[key]) for key in both if ours[key] != theirs[key]} == {}
