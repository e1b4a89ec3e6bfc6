"""What linters say: cfn-lint nothing at all, cdk-nag nothing that is not acknowledged, CDK's own checks nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sandcastle.acknowledgements import acknowledgements_of
from tests.stacks.monitored import ENGINES, monitored
from tests.synthesis import ENVIRONMENTS, ROOT, synthesise

SUPERFLUOUS = "CDK's provider framework makes its functions depend on roles that they refer to anyway"
NEWER = "botocore knows inference routers, the authorization data of this cfn-lint does not yet"
PLACES = "whoever asks an asynchronous endpoint needs the folder, whose bucket is another stack's"
REPORTED = "whoever looks at what monitors found, or tells them what was true, needs a folder in another stack's bucket"
PREPARED = "whoever judges a pipeline's model by hand needs the folder of its data, whose bucket is another stack's"
ACKNOWLEDGED = {
    ("W3005", "JobsFramework"): SUPERFLUOUS,
    ("W3037", "SpendingLimitPolicy"): NEWER,
    ("W6001", "AsyncInput"): PLACES,
    ("W6001", "AsyncOutput"): PLACES,
    ("W6001", "DataUri"): PREPARED,
    ("W6001", "DataQualityBaseline"): REPORTED,
    ("W6001", "GroundTruth"): REPORTED,
    ("W6001", "ModelQualityBaseline"): REPORTED,
    ("W6001", "MonitoringReports"): REPORTED,
}
"""Findings of cfn-lint by rule and beginning of the resource's id, each with the reason why it stays."""


LINTED = {"everything": "", "team": "", "pipelines": "-pipeline-digits"}
"""Environments, and the end of stacks' names, that hold between them every construct in every form; the others differ
by names and numbers."""


def test_cfn_lint_finds_nothing_that_is_not_acknowledged() -> None:
    """All at once: to read the schemas takes longer than to judge by them."""
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--format", "json"]
    made = [(synthesise(name), end) for name, end in LINTED.items()]
    made += [(monitored(engine), "-workload-bank") for engine in ENGINES]
    linted = {stack: one for one, end in made for stack in one.templates if stack.endswith(end)}
    files = [str(one.folder / f"{stack}.template.json") for stack, one in linted.items()]
    run = subprocess.run([*command, "--", *files], capture_output=True, text=True, check=False)
    found = [(one["Rule"]["Id"], str(one["Location"]["Path"][1])) for one in json.loads(run.stdout)]
    used = {key for key in ACKNOWLEDGED for rule, place in found if rule == key[0] and place.startswith(key[1])}
    templates = [one.templates[stack] for stack, one in linted.items()]
    names = {name for one in templates for part in ("Resources", "Outputs") for name in one.get(part, {})}
    there = {key for key in ACKNOWLEDGED if any(name.startswith(key[1]) for name in names)}
    left = [one for one in found if not any(one[0] == rule and one[1].startswith(at) for rule, at in ACKNOWLEDGED)]
    assert left == [], run.stderr
    assert used == there


@pytest.mark.parametrize("name", [*ENVIRONMENTS, "portable"])  # Model Monitor is the engine of ``monitored``
def test_cdk_nag_finds_exactly_what_is_acknowledged(name: str) -> None:
    """No finding without an acknowledgement of its own, and no acknowledgement without its finding."""
    import aws_cdk as cdk
    from aws_cdk.cloudformation_include import CfnInclude
    from cdk_nag import AwsSolutionsChecks

    synthesis = monitored(name) if name in ENGINES else synthesise(name)
    app = cdk.App(outdir=tempfile.mkdtemp(), builtin_cloud_formation_validation=False)
    for stack in synthesis.templates:
        # The rules look at CDK's typed resources: reading the finished templates makes typed ones of all of them.
        file = synthesis.folder / f"{stack}.template.json"
        CfnInclude(cdk.Stack(app, stack), "Template", template_file=str(file))
    found = {
        (rule.rule_name, *str(one.construct_path).split("/Template/"))
        for rule in AwsSolutionsChecks(app).validate_scope(app).violations
        for one in rule.violating_resources
    }
    acknowledged = {(one.rule, one.stack, one.logical_id): one.reason for one in acknowledgements_of(synthesis.app)}
    assert found == set(acknowledged)
    assert all(len(reason) > 30 for reason in acknowledged.values())
    assert len(found) > 40


def test_cdks_own_validation_finds_nothing(tmp_path: Path) -> None:
    environ = {**os.environ, "CDK_OUTDIR": str(tmp_path / "out")}
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    environ["CDK_CONTEXT_JSON"] = json.dumps({**flags, "validate": "true"})
    run = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "WARNING" not in run.stderr
    report = tmp_path / "out" / "validation-report.json"
    assert not report.exists() or '"failure"' not in report.read_text()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_cdk_warns_of_nothing(name: str) -> None:
    """Its command line prints these warnings at every synthesis; the flags in cdk.json answer them."""
    files = list(synthesise(name).folder.glob("*.json"))
    assert files
    assert [file.name for file in files if '"aws:cdk:warning"' in file.read_text()] == []
