"""The command line: what is wrong is said clearly, at once, and before anything is touched."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from operations import cli, target
from operations.project import ROOT

SANDCASTLE = ROOT / ".venv" / "bin" / "sandcastle"


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this module may start localcloud or reach AWS."""

    def refuse(*arguments: str) -> None:
        raise AssertionError(f"localcloud {arguments} was called")

    monkeypatch.setattr(target, "localcloud", refuse)
    monkeypatch.setattr(target, "aws", refuse)


def test_an_unknown_environment_names_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["deploy", "--environment", "lokal"]) == 2
    said = capsys.readouterr().err
    assert "local" in said
    assert "classroom" in said


def test_every_mistake_of_a_file_is_reported_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "name: wrong\nregion: us-east-1\nmonthly_budget: 10\nworkloads:\n  bnak: {}\ndata: some\n", encoding="utf-8"
    )
    assert cli.main(["deploy", "--environment", str(file)]) == 2
    said = capsys.readouterr().err
    for expected in ("wrong.yaml:3", "monthly_budget_usd", "wrong.yaml:5", "bank", "wrong.yaml:6", "sample"):
        assert expected in said


@pytest.mark.parametrize("name", ["../secrets", "a b", "", "-x/../y", "local/../../etc"])
def test_a_name_that_is_none_stops_everything(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", f"--environment={name}"]) == 2
    assert "--environment" in capsys.readouterr().err


def test_invoke_wants_a_file_or_a_sample_and_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["invoke", "bank"], ["invoke", "bank", "file.csv", "--sample", "3"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == 2
    assert "--sample" in capsys.readouterr().err


def test_the_installed_command_refuses_a_wrong_file_without_starting_anything(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("name: [\n", encoding="utf-8")
    done = subprocess.run(
        [SANDCASTLE, "deploy", "--environment", str(file), "--json"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "broken.yaml" in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == [file]


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    console = cli.Console(as_json=True)
    console.say("for people")
    console.step("progress")
    console.finish({"answer": 1})
    out = capsys.readouterr()
    assert json.loads(out.out) == {"answer": 1}
    assert "for people" not in out.out + out.err
