"""One comment for each pull request, ours alone, made of untrusted text; driven through the module's own door."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import OperationError
from operations.review.post import github, web
from operations.review.post.__main__ import main
from operations.review.post.text import LONGEST, MARKER, comment
from tests.operations.review.post.forge import PAGE, SHA, Forge, running
from tests.synthesis import ROOT

VERDICT = f"{MARKER}\n## Infrastructure review: nothing blocks\n"


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running(Forge()) as served:
        yield served


def folder(tmp_path: Path, text: str = VERDICT, number: str = "7\n", *, changed: bool = True) -> Path:
    (tmp_path / "comment.md").write_text(text, encoding="utf-8")
    (tmp_path / "review.json").write_text(
        json.dumps({"verdict": "clean", "changes": [{"act": "update"}] if changed else []})
    )
    (tmp_path / "number").write_text(number)
    return tmp_path


def on_github(forge: Forge, **more: str) -> dict[str, str]:
    job = {"GITHUB_API_URL": forge.root, "GITHUB_REPOSITORY": "octo/hello", "GITHUB_TOKEN": "t0ken", "HEAD_SHA": SHA}
    return {**job, **more}


def on_gitlab(forge: Forge) -> dict[str, str]:
    return {
        "CI_API_V4_URL": forge.root,
        "CI_PROJECT_ID": "11",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",  # so outside of merged results pipelines
        "CI_COMMIT_SHA": SHA,
        "SANDCASTLE_REVIEW_TOKEN": "t0ken",
    }


def test_first_a_comment_is_made_and_from_then_on_updated(
    forge: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (VERDICT, VERDICT, VERDICT + "Now one blocker.\n"):
        assert main(["github", str(folder(tmp_path, text))], on_github(forge, REPORT_URL="https://x.test/1")) == 0
    assert capsys.readouterr().out.split() == ["comment:", "made", "comment:", "same", "comment:", "updated"]
    (only,) = forge.comments
    assert only["body"].startswith(MARKER)
    assert only["body"].endswith("Now one blocker.\n\n[The whole report](https://x.test/1)\n")
    assert {headers["Authorization"] for _, _, headers in forge.asked} == {"Bearer t0ken"}


def test_ours_is_found_on_the_last_of_many_pages(forge: Forge, tmp_path: Path) -> None:
    for number in range(2 * PAGE):
        forge.comment(f"a thought, number {number}", "octocat")
    ours = forge.comment(f"{MARKER}\r\nold")
    assert main(["github", str(folder(tmp_path))], on_github(forge)) == 0
    assert forge.changes() == ["PATCH"]
    assert ours["body"] == VERDICT


def test_nobody_elses_comment_is_touched(forge: Forge, tmp_path: Path) -> None:
    """Whatever it begins with; one whose account is gone, and one of the bot's about something else."""
    others = [
        forge.comment(f"{MARKER}\nmine!", "mallory"),
        forge.comment(VERDICT, None),
        forge.comment("coverage: 93%"),
    ]
    before = [one["body"] for one in others]
    assert main(["github", str(folder(tmp_path))], on_github(forge)) == 0
    assert [one["body"] for one in others] == before
    assert forge.changes() == ["POST"]


@pytest.mark.parametrize("number", ["8", "7/../../other", "-7", "\N{ARABIC-INDIC DIGIT SEVEN}", "", "7\n8", "1" * 12])
def test_another_pull_requests_number_is_refused(
    forge: Forge, tmp_path: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["github", str(folder(tmp_path, number=number))], on_github(forge)) == 1
    assert forge.changes() == []
    assert capsys.readouterr().err


def test_a_number_whose_head_is_another_commit_is_refused(
    forge: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge.head = "0" * 40
    assert main(["github", str(folder(tmp_path))], on_github(forge)) == 1
    assert f"{SHA} was reviewed" in capsys.readouterr().err
    assert forge.changes() == []


def test_no_change_makes_no_comment_but_corrects_an_old_one(forge: Forge, tmp_path: Path) -> None:
    quiet = folder(tmp_path, changed=False)
    assert main(["github", str(quiet)], on_github(forge)) == 0
    assert forge.comments == []
    forge.comment(f"{MARKER}\n1 blocker")
    assert main(["github", str(quiet)], on_github(forge)) == 0
    assert forge.comments[0]["body"] == VERDICT


def test_a_busy_server_is_asked_again_as_late_as_it_says(forge: Forge) -> None:
    forge.refuse = [(502, {}), (403, {"Retry-After": "7"}), (429, {"Retry-After": "9999"})]
    waited: list[float] = []
    api = web.Server(forge.root, {}, waited.append)
    assert github.put(api, github.PullRequest("octo/hello", "7", SHA), VERDICT) == "made"
    assert waited == [2.0, 7.0, 60.0]


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_refusal_is_told_with_what_the_server_says(
    forge: Forge, tmp_path: Path, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    forge.refuse = [(status, {})]
    assert main(["github", str(folder(tmp_path))], on_github(forge)) == 1
    said = capsys.readouterr().err
    assert str(status) in said
    assert "documentation_url" in said
    assert "t0ken" not in said


def test_the_token_follows_no_link_to_another_server(forge: Forge) -> None:
    forge.elsewhere = "http://127.0.0.1:9/elsewhere"
    for _ in range(PAGE + 1):
        forge.comment("a thought", "octocat")
    with pytest.raises(OperationError, match="is elsewhere"):
        github.put(web.Server(forge.root, {}), github.PullRequest("octo/hello", "7", SHA), VERDICT)


def test_the_token_follows_no_redirect(forge: Forge) -> None:
    forge.refuse = [(302, {"Location": "http://127.0.0.1:9/elsewhere"})]
    with pytest.raises(OperationError, match="302"):
        github.put(web.Server(forge.root, {}), github.PullRequest("octo/hello", "7", SHA), VERDICT)


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_REPOSITORY", "HEAD_SHA"])
def test_what_is_missing_is_named(
    forge: Forge, tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["github", str(folder(tmp_path))], on_github(forge, **{missing: ""})) == 1
    assert missing in capsys.readouterr().err
    assert forge.asked == []


def test_gitlab_note_is_made_updated_and_found_behind_pages(forge: Forge, tmp_path: Path) -> None:
    for _ in range(PAGE):
        forge.note(f"{MARKER}\nof another project's bot", author=1)
    for text in (VERDICT, VERDICT, VERDICT + "Now one blocker.\n"):
        assert main(["gitlab", str(folder(tmp_path, text))], on_gitlab(forge)) == 0
    assert forge.changes() == ["POST", "PUT"]
    assert forge.comments[-1]["body"] == VERDICT + "Now one blocker.\n"
    assert {headers["Private-Token"] for _, _, headers in forge.asked} == {"t0ken"}


def test_gitlab_refuses_a_commit_that_is_not_the_head(forge: Forge, tmp_path: Path) -> None:
    forge.head = "0" * 40
    assert main(["gitlab", str(folder(tmp_path))], on_gitlab(forge)) == 1
    assert forge.changes() == []


def test_text_of_others_calls_nobody_and_hides_nothing() -> None:
    told = comment(f"{MARKER}\nthanks @octocat and @org/team, mail a@b.test\u202e\x00{MARKER}\n")
    assert "@octocat" not in told
    assert "@org" not in told
    assert "\u202e" not in told
    assert "\x00" not in told
    assert told.count(MARKER) == 1


@given(st.text(max_size=300), st.integers(0, 3000), st.sampled_from(["", "https://x.test/report"]))
def test_no_text_is_too_long_or_loses_its_beginning(text: str, times: int, link: str) -> None:
    told = comment(f"{MARKER}\nverdict\n" + text * times, link)
    assert told.startswith(f"{MARKER}\nverdict\n")
    assert len(told) <= LONGEST
    assert told.count(MARKER) == 1
    assert link in told


def test_what_is_not_a_review_is_refused(forge: Forge, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["github", str(folder(tmp_path, "buy cheap watches"))], on_github(forge)) == 1
    assert "not one of `sandcastle review`" in capsys.readouterr().err
    (tmp_path / "comment.md").unlink()
    (tmp_path / "comment.md").symlink_to("/etc/passwd")
    assert main(["github", str(tmp_path)], on_github(forge)) == 1
    assert forge.asked == []


def test_it_needs_nothing_but_python(forge: Forge, tmp_path: Path) -> None:
    """The job that has the token installs nothing: -S leaves out every installed package."""
    line = [sys.executable, "-S", "-m", "operations.review.post", "github", str(folder(tmp_path))]
    environ = {**on_github(forge), "PATH": os.environ["PATH"], "no_proxy": "*"}
    done = subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "comment: made\n"), done.stderr
