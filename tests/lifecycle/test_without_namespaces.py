"""A machine without namespaces (a container, a restricted Ubuntu): everything works, and says what is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.lifecycle.conftest import ROOT, running_localcloud


@pytest.mark.exhaustive
def test_deploy_without_namespaces(
    tmp_path_factory: pytest.TempPathFactory, environment_file: Callable[..., str]
) -> None:
    with running_localcloud(tmp_path_factory, LOCALCLOUD_SANDBOX="none") as cloud:
        name = environment_file("plain", workloads={"mnist-linear": {}, "bank": {}})
        process = cloud.start("deploy", "--environment", name)
        out, said = process.communicate(timeout=600)
        assert process.returncode == 0, said + out
        assert "localcloud runs without" in said
        assert "mnist-linear: test row 1" in out
        assert "bank: test row 1" in out
        status = subprocess.run(
            [ROOT / ".localcloud" / "venv" / "bin" / "localcloud", "start", "--state", str(cloud.state)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "without: " in status.stdout
        cloud.here("destroy", "--environment", name)
        cloud.assert_nothing_left(name)
