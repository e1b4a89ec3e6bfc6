"""Findings of linters: read as each writes them, new and fixed told apart, known ones with their reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from operations.review.assembly import Assembly, read_assembly
from operations.review.findings import LINT, NAG, REASONS, REPORT, compare
from operations.review.review import review
from tests.operations.review.corpus.pair import write
from tests.operations.review.corpus.world import BASE, world


def validated(rule: str, place: str, severity: str = "warning") -> dict[str, Any]:
    """Return a report as CDK 2.275 writes it (aws-cdk-lib, validation-report.json)."""
    construct = {"constructPath": place, "constructFqn": "aws-cdk-lib.aws_s3.CfnBucket", "libraryVersion": "2.275.0"}
    violation = {"ruleName": rule, "description": f"{rule} says no", "severity": severity, "suggestedFix": "do"}
    report = {"pluginName": "CloudFormation Validate", "conclusion": "success"}
    return {
        "version": "55.0.0",
        "pluginReports": [{**report, "violations": [{**violation, "violatingConstructs": [construct]}]}],
    }


def linted(rule: str, logical_id: str, level: str) -> list[dict[str, Any]]:
    """Return a finding as cfn-lint 1.58 prints it with --format json."""
    path = ["Resources", logical_id, "Properties"]
    location = {"Path": path, "Start": {"LineNumber": 1}, "End": {"LineNumber": 1}}
    file = f"/somewhere/{BASE}.template.json"
    return [{"Rule": {"Id": rule}, "Level": level, "Message": "is wrong", "Filename": file, "Location": location}]


def assembly(folder: Path, **reports: Any) -> Assembly:
    write(folder, world())
    names = {"report": REPORT, "lint": LINT, "nag": NAG, "reasons": REASONS}
    for name, document in reports.items():
        (folder / names[name]).write_text(json.dumps(document))
    return read_assembly(folder)


NOTHING: dict[str, Any] = {"pluginReports": []}


def test_new_fixed_and_known_findings_are_told_apart(tmp_path: Path) -> None:
    base = assembly(tmp_path / "base", report=validated("W1", f"{BASE}/Data"), lint=[], nag=NOTHING)
    head = assembly(
        tmp_path / "head",
        report=validated("W2", f"{BASE}/Data/Resource", "error"),
        lint=linted("E3", "Files", "Error"),
        nag=validated("AwsSolutions-S1", f"{BASE}/Archive", "error"),
        reasons=[{"rule": "AwsSolutions-S1", "stack": BASE, "logical_id": "Archive", "reason": "nobody reads it"}],
    )
    found = compare(base, head)
    assert {(one.rule, one.place, one.severity) for one in found.new} == {
        ("W2", f"{BASE}/Data", "error"),
        ("E3", f"{BASE}/Files", "error"),
    }
    assert [(one.rule, one.place) for one in found.fixed] == [("W1", f"{BASE}/Data")]
    assert [(one.rule, one.reason) for one in found.acknowledged] == [("AwsSolutions-S1", "nobody reads it")]
    assert {one.path for one in review(base, head).gate.blocked} == {"Data", "Files"}


def test_a_report_of_one_side_says_nothing_about_the_change(tmp_path: Path) -> None:
    base = assembly(tmp_path / "base")
    head = assembly(tmp_path / "head", report=validated("W2", f"{BASE}/Data", "error"))
    found = compare(base, head)
    assert (found.new, found.read) == ((), ())


def test_warnings_are_told_and_block_nothing(tmp_path: Path) -> None:
    base = assembly(tmp_path / "base", lint=[])
    head = assembly(tmp_path / "head", lint=linted("W3", "Data", "Warning"))
    gate = review(base, head).gate
    assert (gate.verdict, [one.rule for one in gate.noted]) == ("look", ["finding"])


def test_acknowledgements_in_metadata_count(tmp_path: Path) -> None:
    """As ``Validations.of(x).acknowledge`` writes them into a stack's file of metadata."""
    base = assembly(tmp_path / "base", report=NOTHING)
    head = assembly(tmp_path / "head", report=validated("AwsSolutions-S1", f"{BASE}/Data", "error"))
    entry = {"type": "aws:cdk:acknowledged-rules", "data": {"Annotation::AwsSolutions-S1": "because"}}
    (tmp_path / "head" / f"{BASE}.metadata.json").write_text(json.dumps({f"/{BASE}/Data/Resource": [entry]}))
    found = compare(base, head)
    assert (found.new, [one.reason for one in found.acknowledged]) == ((), ["because"])
