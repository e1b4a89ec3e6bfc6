"""What linters say: cfn-lint nothing at all, cdk-nag nothing that is not acknowledged, CDK's own checks nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sandcastle.acknowledgements import apply_acknowledgements
from sandcastle.config import load_environment
from sandcastle.synth import context
from tests.synthesis import ENVIRONMENTS, ROOT, synthesise


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_cfn_lint_finds_nothing(name: str) -> None:
    synthesis = synthesise(name)
    region = load_environment(name, ROOT).region
    command = [sys.executable, "-m", "cfnlint", "--regions", str(region), "--format", "json", "--include-checks", "I"]
    files = [str(synthesis.folder / f"{stack}.template.json") for stack in synthesis.templates]
    run = subprocess.run([*command, "--", *files], capture_output=True, text=True, check=False)
    # Informational findings (I) are asked for too; these two are about habits that generated templates do not have.
    findings = [one for one in json.loads(run.stdout or "[]") if one["Rule"]["Id"] not in {"I3042", "I3011"}]
    assert findings == [], run.stderr


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_cdk_nag_finds_nothing_that_is_not_acknowledged(name: str) -> None:
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    from app import build

    app = cdk.App(context=context(ROOT), outdir=tempfile.mkdtemp(), builtin_cloud_formation_validation=False)
    build(load_environment(name, ROOT), app)
    before = findings_of(AwsSolutionsChecks(app), app)
    acknowledged = apply_acknowledgements(app)
    assert findings_of(AwsSolutionsChecks(app), app) == set()
    # No acknowledgement is stale: each one answers a finding, on exactly its construct.
    assert {(one.rule, one.construct.node.path) for one in acknowledged} == before
    assert all(len(one.reason) > 30 for one in acknowledged)


def findings_of(pack: object, app: object) -> set[tuple[str, str]]:
    report = pack.validate_scope(app)  # type: ignore[attr-defined]  # cdk-nag is untyped here
    return {(rule.rule_name, one.construct_path) for rule in report.violations for one in rule.violating_resources}


def test_cdks_own_validation_finds_nothing(tmp_path: Path) -> None:
    environ = {**os.environ, "CDK_OUTDIR": str(tmp_path / "out")}
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    environ["CDK_CONTEXT_JSON"] = json.dumps({**flags, "validate": "true"})
    run = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "WARNING" not in run.stderr
    report = tmp_path / "out" / "validation-report.json"
    assert not report.exists() or '"failure"' not in report.read_text()
