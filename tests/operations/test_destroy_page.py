"""The page about a destroy: valid, self-contained, and nothing that comes from outside gets into its markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.audit import Inventory
from operations.audit.call import Call
from operations.audit.finding import Finding
from operations.audit.inventory import COLLECTORS
from operations.console import Console
from operations.destroy.deeds import deeds
from operations.destroy.history import Parts, Span, StackHistory
from operations.destroy.page import page, write_page
from operations.destroy.run import Run
from operations.stacks import Stack
from operations.sweep import Swept
from operations.target import Target
from tests.operations.webpage import Page

BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NASTY = '<script>alert("x")</script>'


def finding(kind: str, name: str, usd: float | None = 0.0) -> Finding:
    call = Call("sagemaker", "delete_endpoint", {"EndpointName": name}, "us-east-1")
    return Finding(kind, name, "InService", usd, "tag", call, "1 x ml.m5.large", BEGIN - timedelta(hours=73))


def a_run(*, left: tuple[Finding, ...] = (), unanswered: dict[str, str] | None = None) -> Run:
    before = (
        finding("endpoint", "sandcastle-a--bank", 83.95), finding("app", f"d-1/{NASTY}", None), finding("role", "r"),
        finding("bucket", "lost", 0.2), *left,
    )  # fmt: skip
    run = Run(Target("aws", "123456789012", "eu-west-1", {}), "a", Console(as_json=True), started=BEGIN)
    run.stacks = [Stack("sandcastle-a-studio", "id", "CREATE_COMPLETE", "", {})]
    run.parts = Parts({"sandcastle-a-studio": frozenset({"sandcastle-a--bank", "r"})})
    run.before = Inventory("a", before, {})
    run.audit = Inventory("a", left, unanswered or {}, counts={"sagemaker endpoints": len(left)})
    janitor = Span("StudioDrain", BEGIN, BEGIN + timedelta(seconds=61), "DELETE_COMPLETE")
    whole = Span("sandcastle-a-studio", BEGIN, BEGIN + timedelta(seconds=200), "DELETE_COMPLETE")
    run.history = [StackHistory(whole, 12, (janitor,), (f"Vpc: {NASTY}",))]
    run.swept = [Swept(before[3], BEGIN + timedelta(seconds=205), 3.0)]
    run.swept += [Swept(one, BEGIN, 1.0, "AccessDenied: not authorized") for one in left]
    run.attempts, run.seconds = 1, 211.4
    return run


@pytest.mark.parametrize("left", [(), (finding("endpoint", f"still-{NASTY}", 12.0),)])
def test_it_is_well_formed_self_contained_and_escapes_names(left: tuple[Finding, ...]) -> None:
    text = page(a_run(left=left), BEGIN)
    read = Page(text)
    assert read.open == []
    assert read.loads == []
    assert read.scripts == 0
    assert NASTY in read.text
    assert "url(" not in text
    assert "@import" not in text
    assert re.search(r"https?://", text) is None
    assert "$" not in text.split("<body>")[1]


def test_it_tells_what_was_there_what_it_cost_and_who_removed_it() -> None:
    text = Page(page(a_run(), BEGIN)).text
    for expected in ("a is gone.", "83.95 USD", "8.4", "sandcastle-a--bank", "3 min 31 s", "Studio Drain", "no price"):
        assert expected in text
    assert f"{len(COLLECTORS)} inventories" in text
    assert text.count("✓") == len(COLLECTORS)


def test_what_is_left_comes_with_its_cost_its_reason_and_its_command() -> None:
    run = a_run(left=(finding("endpoint", "stays", 12.0),), unanswered={"efs": "AccessDenied: no"})
    text = Page(page(run, BEGIN)).text
    for expected in (
        "1 resource left", "12.00 USD", "AccessDenied: not authorized", "efs did not answer",
        "aws sagemaker delete-endpoint --endpoint-name stays --region us-east-1",
    ):  # fmt: skip
        assert expected in text
    assert text.count("✗") == 1
    assert text.count("✓") == len(COLLECTORS) - 2


def test_each_thing_is_credited_to_who_removed_it() -> None:
    run = a_run(left=(finding("endpoint", "stays", 12.0),))
    assert run.before is not None
    assert run.audit is not None
    done = deeds(run.before, run.audit, run.swept, run.parts, BEGIN)
    assert {deed.finding.name: deed.by for deed in done} == {
        "sandcastle-a--bank": "stack", f"d-1/{NASTY}": "janitor", "r": "stack", "lost": "sweep", "stays": "left",
    }  # fmt: skip
    costs = {deed.finding.name: deed.cost_so_far for deed in done}
    assert costs["sandcastle-a--bank"] == pytest.approx(83.95 * 73 / 730)
    assert costs[f"d-1/{NASTY}"] is None


def test_the_file_has_the_environments_name(tmp_path: Path) -> None:
    path = write_page(a_run(), tmp_path / "reports", BEGIN)
    assert path == tmp_path / "reports" / "destroy-a.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("kind", "name", "stack"),
    [
        ("user profile", "d-1/ada", "studio"), ("user profile", "d-1/byhand", None),
        ("budget action", "b/1-2", "studio"), ("endpoint", "bank", "studio"),
        ("schedule", "nights/wake", "studio"), ("schedule", "default/mine", None),
        ("app", "d-1/lab/JupyterLab/default", None), ("domain", "d-1", "studio"),
    ],
)  # fmt: skip
def test_what_a_stack_made_is_known_by_its_physical_id(kind: str, name: str, stack: str | None) -> None:
    endpoint = "arn:aws:sagemaker:us-east-1:1:endpoint/bank"
    parts = Parts({"other": frozenset(), "studio": frozenset({"d-1", "d-1|ada", "1-2|b", endpoint, "nights"})})
    assert parts.stack_of(finding(kind, name)) == stack
