"""A machine without namespaces (a container, a restricted Ubuntu): everything works, and says what is lost."""

from __future__ import annotations

import subprocess

import pytest

from tests.lifecycle.conftest import ROOT, running_localcloud
from tests.lifecycle.environments import written
from tests.lifecycle.stand import stand


@pytest.mark.exhaustive
def test_models_are_trained_and_asked_without_namespaces(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_localcloud(tmp_path_factory, LOCALCLOUD_SANDBOX="none") as cloud:
        place = stand(cloud, written("plain", workloads={"mnist-linear": {}, "bank": {}})).up()
        for workload in ("mnist-linear", "bank"):
            assert cloud.here("invoke", workload, "--sample", "1", "--environment", place.file)["label"] == 0
        status = subprocess.run(
            [ROOT / ".localcloud" / "venv" / "bin" / "localcloud", "start", "--state", str(cloud.state)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "without: " in status.stdout
        place.destroyed_at_once()
