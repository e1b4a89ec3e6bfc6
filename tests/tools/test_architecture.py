"""The picture in the docs is the one that the templates give."""

from __future__ import annotations

import json
from pathlib import Path

from operations.tools import architecture
from tests.synthesis import ROOT, synthesise


def test_the_committed_picture_is_what_the_templates_give(tmp_path: Path) -> None:
    for name, template in synthesise("local").templates.items():
        (tmp_path / f"{name}.template.json").write_text(json.dumps(template), encoding="utf-8")
    picture = architecture.svg(architecture.boxes(tmp_path), architecture.TITLE)
    committed = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    assert picture == committed, "draw it again: cdk synth --all && python -m operations.tools.architecture"
