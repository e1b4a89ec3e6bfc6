"""The command: files, exit codes, folders and git refs, approvals that only count on BASE."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from operations.cli import main
from operations.errors import UsageError
from operations.review.change import Concern
from operations.review.gate import FILE, RULES, Approval, judge, read_approvals
from operations.review.markdown import MARKER
from tests.operations.review.corpus import PAIRS
from tests.operations.review.corpus.pair import write
from tests.synthesis import ROOT

BLOCKED = next(one for one in PAIRS if one.name == "notebook replaced")
CLEAN = next(one for one in PAIRS if one.name == "instance type")
APPROVAL = """
- rule: data-lost
  path: demo-studio/Note*
  reason: its files are in the repository
  expires: 2999-01-01
"""


def sides(pair: Any, folder: Path) -> tuple[Path, Path]:
    before, after = pair.templates()
    return write(folder / "base", before), write(folder / "head", after)


def reviewed(base: Path, head: Path, out: Path) -> tuple[int, dict[str, Any]]:
    code = main(["review", str(base), str(head), "--out", str(out)])
    return code, json.loads((out / "review.json").read_text())


def test_writes_comment_document_and_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, document = reviewed(*sides(CLEAN, tmp_path), out)
    assert (code, document["verdict"]) == (0, "clean")
    assert (out / "comment.md").read_text().startswith(f"{MARKER}\n## 🟢 Infrastructure review: ")
    assert "<svg" in (out / "review.html").read_text()


def test_blockers_need_approval_and_their_approval_counts_in_base_only(tmp_path: Path) -> None:
    base, head = sides(BLOCKED, tmp_path)
    assert reviewed(base, head, tmp_path / "out")[0] == 2
    (head / FILE).write_text(APPROVAL)
    assert reviewed(base, head, tmp_path / "out")[0] == 2
    (base / FILE).write_text(APPROVAL)
    code, document = reviewed(base, head, tmp_path / "out")
    assert (code, document["verdict"], document["blockers"]) == (0, "look", [])
    assert [one["reason"] for one in document["approved"]] == ["its files are in the repository"]


@pytest.mark.parametrize("given", ["nowhere-at-all", "folder", "broken"])
def test_what_cannot_be_reviewed_is_a_failure_and_no_verdict(
    tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    base, _ = sides(CLEAN, tmp_path)
    side = given if given.startswith("nowhere") else str(tmp_path / given)
    assert main(["review", str(base), side, "--out", str(tmp_path / "out")]) == 1
    assert given in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rule: data-lost", "must hold a list"),
        ("- rule: data-lost", "has exactly rule, path, reason, expires"),
        (APPROVAL.replace("data-lost", "everything"), "'everything' is not one of"),
        (APPROVAL.replace("demo-studio/Note*", '"*"'), "alone would approve anything"),
        (APPROVAL.replace("2999-01-01", "soon"), "'soon' is not a day"),
        (APPROVAL.replace("its files are in the repository", '" "'), "reason is empty"),
        ("- [", "cannot be read"),
    ],
)
def test_approvals_that_are_half_are_none(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=said):
        read_approvals(tmp_path / FILE)


def test_an_approval_ends_with_its_day() -> None:
    concern = Concern("data-lost", "demo", "Data", "objects are lost", blocks=True)
    approval = Approval("data-lost", "demo/*", "made again", date(2026, 5, 4))
    assert judge([concern], [approval], date(2026, 5, 4)).verdict == "look"
    over = judge([concern], [approval], date(2026, 5, 5))
    assert (over.verdict, over.expired) == ("blocked", (approval,))
    assert judge([Concern("data-lost", "other", "Data", "", blocks=True)], [approval], date(2026, 1, 1)).blocked


def test_every_rule_that_is_told_is_known() -> None:
    """A rule that is misspelt where it is told could not be approved."""
    code = "".join(file.read_text() for file in (ROOT / "operations" / "review").glob("*.py"))
    assert set(re.findall(r'Concern\(\s*"([a-z-]+)"', code)) <= set(RULES)
    assert set(re.findall(r'yield "([a-z-]+)", ', code)) <= set(RULES)


def test_the_document_is_as_its_schema_says(tmp_path: Path) -> None:
    import jsonschema

    schema = json.loads((ROOT / "operations" / "review" / "review.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for number, pair in enumerate(PAIRS):
        if pair.name in ("model retrained", "notebook replaced", "retention dropped", "NAT added", "stack split"):
            code, document = reviewed(*sides(pair, tmp_path / str(number)), tmp_path / f"out{number}")
            assert code == (2 if pair.verdict == "blocked" else 0)
            jsonschema.validate(document, schema)
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({**document, "more": 1}, schema)


APP = """
import json, os
from pathlib import Path
out = Path(os.environ["CDK_OUTDIR"]); out.mkdir()
name = json.loads(os.environ["CDK_CONTEXT_JSON"])["environment"]
stack = {"type": "aws:cloudformation:stack", "environment": "aws://1/eu-west-1",
         "properties": {"templateFile": "a.template.json"}}
(out / "manifest.json").write_text(json.dumps({"artifacts": {name: stack}}))
(out / "a.template.json").write_text(json.dumps({"Resources": {"One": {"Type": "AWS::SNS::Topic",
                                     "Properties": {"DisplayName": "NAME"}}}}))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., str]:
    """Give a function that runs git in a new repository with the lock files of this one."""

    def git(*arguments: str) -> str:
        config = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *config, *arguments], cwd=tmp_path / "repo", capture_output=True, text=True, check=True
        ).stdout.strip()

    (tmp_path / "repo").mkdir()
    git("init", "--quiet")
    return git


def test_refs_are_synthesised_each_from_its_own_code(
    tmp_path: Path, repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from operations.review import refs

    folder = tmp_path / "repo"
    monkeypatch.setattr(refs, "ROOT", folder)
    monkeypatch.setattr(refs, "BIN", Path(sys.executable).parent)
    (folder / "cdk.json").write_text('{"context": {}}')
    for commit, name in (("base", "before"), ("head", "after")):
        (folder / "app.py").write_text(APP.replace("NAME", name))
        repository("add", ".")
        repository("commit", "--quiet", "-m", commit)
    repository("tag", "old", "HEAD~1")
    unlinted = ["--without-linters", "--out", str(tmp_path / "out")]
    assert main(["review", "old", "HEAD", "-e", "classroom", *unlinted]) == 0
    document = json.loads((tmp_path / "out" / "review.json").read_text())
    (change,) = document["changes"]
    assert (change["stack"], change["act"]) == ("classroom", "update")
    assert change["properties"] == [{"path": "DisplayName", "before": "before", "after": "after"}]
    assert document["base"].startswith("old (")
    assert len(repository("worktree", "list").splitlines()) == 1  # nothing is left of them
    (folder / "app.py").write_text("raise SystemExit(3)")
    repository("commit", "--quiet", "-am", "broken")
    assert main(["review", "old", "HEAD", *unlinted]) == 1
    assert len(repository("worktree", "list").splitlines()) == 1


@pytest.mark.exhaustive
def test_linters_judge_what_differs_between_two_refs(
    tmp_path: Path, repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real ones: a topic without encryption is in both, a security group open to the world in HEAD only."""
    from operations.review import refs

    folder = tmp_path / "repo"
    monkeypatch.setattr(refs, "ROOT", folder)
    monkeypatch.setattr(refs, "BIN", Path(sys.executable).parent)
    (folder / "cdk.json").write_text('{"context": {}}')
    group = {"GroupDescription": "a", "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}]}
    more = json.dumps({"Type": "AWS::EC2::SecurityGroup", "Properties": {**group, "Wrong": 1}})
    for added in ("", f', "Two": json.loads({more!r})'):
        (folder / "app.py").write_text(APP.replace('"NAME"}}', f'"same"}}}}{added}'))
        repository("add", ".")
        repository("commit", "--quiet", "-m", "one")
    assert main(["review", "HEAD~1", "HEAD", "--out", str(tmp_path / "out")]) == 2
    found = json.loads((tmp_path / "out" / "review.json").read_text())["findings"]
    assert {"cdk-nag.json", "cfn-lint.json"} <= set(found["read"])
    assert "AwsSolutions-EC23" in {one["rule"] for one in found["new"]}
    assert any(one["rule"].startswith("E3") for one in found["new"])
    assert not [one for one in found["new"] if one["place"].endswith("/One")]


def test_another_lock_file_has_its_own_installation(
    tmp_path: Path, repository: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from operations.review import refs

    folder = tmp_path / "repo"
    monkeypatch.setattr(refs, "ROOT", folder)
    monkeypatch.setattr(refs, "BIN", tmp_path / "must-not-be-used")
    (folder / "cdk.json").write_text('{"context": {}}')
    (folder / "app.py").write_text(APP)
    (folder / "requirements.txt").write_text("one==1")
    install = f"install:\n\t@mkdir -p .venv/bin && ln -s {sys.executable} .venv/bin/python\n"
    (folder / "Makefile").write_text(install)
    repository("add", ".")
    repository("commit", "--quiet", "-m", "base")
    (folder / "requirements.txt").write_text("one==2")
    assert main(["review", "HEAD", "HEAD", "--without-linters", "--out", str(tmp_path / "out")]) == 0
