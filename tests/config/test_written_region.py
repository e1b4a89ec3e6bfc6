"""The region that ``sandcastle destroy`` works in: a mistake elsewhere in the file never changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandcastle.config import written_region

READ = [
    ("name: test\nregion: eu-west-1\n", "eu-west-1"),
    ("name: 7\nregion: eu-west-1\nstudio: {}\nworkloads: {}\n", "eu-west-1"),
    ("region: eu-west-1\ndata: full\ndata: sample\n7: x\n", "eu-west-1"),
    ("region: eu-west-1\nworkloads: {bank: {}\n", "eu-west-1"),
    ("name: [1, 2\nregion: 'eu-west-1'  # Ireland\r\n", "eu-west-1"),
    ("\tname: x\nregion: eu-west-1", "eu-west-1"),
    ("region: eu-west-1\n" + "# x\n" * 100_000, "eu-west-1"),
    ("name: test\n", None),
    ("name: test\nregion:\n", None),
    ("name: test\nregion: ''\n", None),
    ("region: [eu-west-1]\n", None),
    ("region: 7\n", None),
    ("region: eu-west-1\nregion: us-east-1\n", None),
    ("region: eu-west-1\nregion: us-east-1\nname: [1\n", None),
    ("workloads:\n  region: eu-west-1\n  bank: [\n", None),
    ("", None),
    ("- region\n", None),
]


@pytest.mark.parametrize(("text", "region"), READ, ids=range(len(READ)))
def test_region_as_written(tmp_path: Path, text: str, region: str | None) -> None:
    (tmp_path / "environments").mkdir()
    file = tmp_path / "environments" / "test.yaml"
    file.write_bytes(text.encode())
    assert written_region("test", tmp_path) == region
    assert written_region(str(file), tmp_path) == region


@pytest.mark.parametrize("name", ["none", "a\0b", "/nowhere/none.yaml", "/"])
def test_no_file_has_no_region(tmp_path: Path, name: str) -> None:
    assert written_region(name, tmp_path) is None
