"""A pull request's preview is the default environment under another name, and ends by itself."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
import yaml

from operations.tools.preview import main, preview
from sandcastle.config import load_environment
from tests.synthesis import ROOT


def test_a_preview_is_the_default_environment_with_an_end(tmp_path: Path) -> None:
    copytree(ROOT / "environments", tmp_path / "environments")
    file = preview("123456789", tmp_path)
    written, default = (yaml.safe_load(one.read_text()) for one in (file, ROOT / "environments" / "local.yaml"))
    assert written == {**default, "name": "pr-123456789", "expires_after": "8h"}
    assert load_environment(str(file), ROOT).expires_after_minutes == 8 * 60


@pytest.mark.parametrize("arguments", [[], ["1", "2"], ["0"], ["-1"], ["1; rm -rf /"], ["1234567890"], ["12\n"]])
def test_what_is_no_number_writes_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = set(ROOT.glob("pr-*"))
    assert main(arguments) == 2
    assert capsys.readouterr().err
    assert set(ROOT.glob("pr-*")) == before
