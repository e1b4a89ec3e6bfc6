"""What the workflows of GitHub and GitLab call is there, and who holds a token runs nobody else's code.

Their form is judged by linters (`make check`): the vendors' schemas, and zizmor for what makes workflows unsafe.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.cli import _parser
from tests.synthesis import ROOT

GITHUB = {file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / ".github" / "workflows").glob("*.yml")}
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())
SHA = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = GITHUB[name]["jobs"]
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs(name).values():
        yield from job["steps"]


def lines() -> Iterator[str]:
    for name in GITHUB:
        for step in steps(name):
            yield from step.get("run", "").splitlines()
    for job in GITLAB.values():
        if isinstance(job, dict):
            yield from job.get("script", ())


def words(line: str) -> list[str]:
    """Return a line's words as a shell would, variables and file names replaced by values of their form."""
    line = re.sub(r'"?\$\{?[A-Z_]*REGION\}?"?', "us-east-1", line.partition(" ||")[0])
    return shlex.split(re.sub(r"\$\{?[A-Z_]+(:-\w+)?\}?", "7", line))


COMMANDS = sorted({line.strip() for line in lines() if ".venv/bin/sandcastle" in line})
MODULES = sorted({match[1] for line in lines() if (match := re.search(r"python3? -m (\S+)", line))})


def test_they_call_what_one_would_think() -> None:
    called = {words(line)[1] for line in COMMANDS}
    assert called == {"review", "deploy", "destroy", "audit"}
    assert set(MODULES) == {"operations.review.post", "operations.tools.preview"}


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_knows_every_option(line: str) -> None:
    assert _parser().parse_args(words(line)[1:]).handler


@pytest.mark.parametrize("module", MODULES)
def test_the_module_can_be_run(module: str) -> None:
    found = find_spec(module)
    assert found is not None
    package = Path(str(found.origin)).parent
    assert found.submodule_search_locations is None or (package / "__main__.py").exists()


@pytest.mark.parametrize("name", sorted(GITHUB))
def test_every_action_is_pinned_to_a_commit(name: str) -> None:
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert used
    assert [one for one in used if not SHA.fullmatch(one)] == []


@pytest.mark.parametrize("name", sorted(GITHUB))
def test_nothing_may_write_but_the_job_that_comments(name: str) -> None:
    """Beside the token for OIDC, which says who somebody is and may nothing by itself."""
    granted = [GITHUB[name].get("permissions", "all"), *(job.get("permissions", {}) for job in jobs(name).values())]
    assert "all" not in granted
    write = {scope for one in granted for scope, access in one.items() if access == "write"} - {"id-token"}
    assert write == ({"pull-requests"} if name == "review-comment" else set())


def test_the_job_that_comments_runs_the_default_branch_and_installs_nothing() -> None:
    [checkout] = [step for step in steps("review-comment") if step.get("uses", "").startswith("actions/checkout@")]
    assert "ref" not in checkout["with"]
    [run] = [step["run"] for step in steps("review-comment") if "run" in step]
    assert run.startswith("python3 -m operations.review.post github ")


def test_no_text_of_others_stands_in_a_script() -> None:
    """Titles, branches and labels come through variables, which a shell does not read as commands."""
    for name in GITHUB:
        for step in steps(name):
            assert "${{" not in step.get("run", ""), (name, step)


@pytest.mark.parametrize("job", ["deploy", "destroy"])
def test_a_preview_is_for_branches_of_this_repository(job: str) -> None:
    assert "head.repo.full_name == github.repository" in jobs("preview")[job]["if"]
    assert jobs("preview")[job]["environment"] == "preview"


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what stands behind them."""


_Template.add_multi_constructor(
    "!",
    lambda loader, _, node: getattr(loader, f"construct_{node.id}")(
        node, **({} if node.id == "scalar" else {"deep": True})
    ),
)
ROLES = yaml.load((ROOT / ".github" / "aws-roles.yaml").read_text(), _Template)["Resources"]  # noqa: S506 ours


def statements() -> Iterator[dict[str, Any]]:
    """Yield what the roles are allowed."""
    for resource in ROLES.values():
        properties = resource["Properties"]
        for document in (
            properties.get("PolicyDocument"),
            *(one["PolicyDocument"] for one in properties.get("Policies", ())),
        ):
            yield from document["Statement"] if document else ()


def test_only_the_named_environment_of_the_named_repository_assumes_a_role() -> None:
    for name in ("Audit", "Preview"):
        [trust] = ROLES[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert trust["Condition"] == {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": f"repo:${{Repository}}:environment:{name.lower()}",
            }
        }


def test_no_action_is_a_pattern_and_what_changes_something_is_a_previews_own() -> None:
    for statement in statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert [one for one in actions if "*" in one] == []
        if statement["Resource"] == "*" and "Condition" not in statement:
            assert [one for one in actions if not re.search(r":(Describe|Get|List|View)", one)] == []
