"""Templates against reviewed copies: a change of a template is seen in review, line by line.

To accept the templates as they are now: ``SANDCASTLE_UPDATE_SNAPSHOTS=1 pytest tests/stacks/test_snapshots.py``.
Hashes of code are masked: the code's own tests judge it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.synthesis import Template, synthesise

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = os.environ.get("SANDCASTLE_UPDATE_SNAPSHOTS") == "1"

STACKS = [
    "sandcastle-local-foundation",
    "sandcastle-local-guardrails",
    "sandcastle-local-notebook",
    "sandcastle-local-studio",
    "sandcastle-local-workload-bank",
    "sandcastle-local-workload-mnist-linear",
    "sandcastle-classroom-guardrails",
    "sandcastle-classroom-teardown",
    "sandcastle-pipelines-pipeline-digits",
    "sandcastle-local-teardown",
]

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")
_CONFIG = re.compile(r"(--(?:jupyterlab|codeeditor|notebook)-)[0-9a-f]{12}")
_VERSION = re.compile(r'(?<=["/])[0-9a-f]{12}(?=[/\\])')
_SEED = re.compile(r'(?<=RandomSeed\\":)[0-9]+')
_FINGERPRINT = re.compile(r'(?<=["/])[0-9a-f]{16}(?=["/\\])')


def masked(template: Template) -> str:
    text = json.dumps(template, indent=1, sort_keys=True) + "\n"
    text = _SEED.sub("0", _VERSION.sub("<version>", text))
    return _FINGERPRINT.sub("<fingerprint>", _ASSET.sub("<asset>", _CONFIG.sub(r"\1<script>", text)))


@pytest.mark.parametrize("stack", STACKS)
def test_template_is_the_reviewed_one(stack: str) -> None:
    text = masked(synthesise(stack.split("-")[1]).templates[stack])
    file = SNAPSHOTS / f"{stack}.json"
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), "review the difference, then update the snapshot"


def test_there_is_no_snapshot_without_a_stack() -> None:
    assert {file.stem for file in SNAPSHOTS.glob("*.json")} == set(STACKS)


def test_masks_hide_code_and_nothing_else() -> None:
    text = masked({"a": "0f" * 32 + ".zip", "b": "s3://x/0123456789abcdef/train", "c": "0123456789abcde"})
    assert json.loads(text) == {"a": "<asset>.zip", "b": "s3://x/<fingerprint>/train", "c": "0123456789abcde"}
