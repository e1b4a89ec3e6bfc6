"""The quick check of signatures accepts what MiniStack's accepts, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.localcloud.conftest import COMMAND
from tests.localcloud.core.signature_program import ROUNDS

pytestmark = pytest.mark.localcloud

#: what is signed all the same
RIGHT = {"nothing", "signed 4 minutes ago", "signed for 4 minutes from now", "an unsigned header"}


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    program = Path(__file__).with_name("signature_program.py")
    done = subprocess.run(
        [str(COMMAND.with_name("python")), str(program)],
        cwd=tmp_path_factory.mktemp("signatures"),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_quick_check_accepts_what_is_right_and_nothing_else(counts: dict[str, list[int]]) -> None:
    assert {name: quick for name, (quick, _) in counts.items()} == expected(counts)


def test_ministack_agrees(counts: dict[str, list[int]]) -> None:
    assert {name: whole for name, (_, whole) in counts.items()} == expected(counts)


def expected(names: Iterable[str]) -> dict[str, int]:
    return {name: ROUNDS if name in RIGHT else 0 for name in names}
