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


def test_predict_wants_a_file_or_a_sample_and_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["predict", "bank"], ["invoke", "bank"], ["predict", "bank", "file.csv", "--sample", "3"]):
        assert cli.main(arguments) == 2
    assert "--sample" in capsys.readouterr().err


def test_commands_of_the_day_want_what_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, missing in ((["extend"], "TIME"), (["studio"], "user")):
        assert cli.main(arguments) == 2
        assert missing in capsys.readouterr().err


def test_a_region_that_contradicts_the_file_stops_everything(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("deploy", "destroy", "status", "audit"):
        assert cli.main([command, "--environment", "local", "--region", "eu-west-1"]) == 2
        assert "us-east-1" in capsys.readouterr().err


def test_a_region_that_is_none_stops_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nowhere.yaml"
    file.write_text("name: nowhere\n", encoding="utf-8")
    assert cli.main(["status", "--environment", str(file), "--region", "zz"]) == 2
    assert "zz" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "-e", "lokal"],
        ["invoke", "bank"],
        ["nonsense"],
        ["status", "--environment", "../x"],
        ["pipeline"],
        ["pipeline", "run"],
        ["pipeline", "run", "digits", "--retry", "--set", "A=1"],
        ["pipeline", "run", "digits", "--execution", "abc"],
        ["pipeline", "approve", "digits", "first"],
        ["pipeline", "list", "digits", "--limit", "0"],
    ],
)
def test_a_failure_is_one_json_document_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["exit_code"] == 2
    assert error["message"]


@pytest.mark.parametrize("command", ["destroy", "status", "audit"])
def test_without_localcloud_nothing_is_left_and_that_is_no_failure(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "localcloud", lambda *_: {"endpoint": None})
    assert cli.main([command, "--environment", "local", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clean"] is True


def test_the_installed_command_refuses_a_wrong_file_without_starting_anything(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("name: [\n", encoding="utf-8")
    done = subprocess.run(
        [SANDCASTLE, "deploy", "--environment", str(file), "--json"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "broken.yaml" in done.stderr
    assert json.loads(done.stdout)["error"]["problems"]
    assert list(tmp_path.iterdir()) == [file]


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    console = cli.Console(as_json=True)
    console.say("for people")
    console.step("progress")
    console.finish({"answer": 1})
    out = capsys.readouterr()
    assert json.loads(out.out) == {"answer": 1}
    assert "for people" not in out.out + out.err
