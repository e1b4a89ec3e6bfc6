"""What linters say: cfn-lint nothing at all, cdk-nag nothing that is not acknowledged, CDK's own checks nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandcastle.acknowledgements import acknowledgements_of
from tests.stacks.monitored import ENGINES, monitored
from tests.synthesis import ENVIRONMENTS, ROOT, Template, synthesise

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


def places(value: Any, at: str = "") -> Iterator[str]:
    """Where something stands in a value, whatever it is; places in a list are all the same."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places(below, f"{at}/{key}")
    elif isinstance(value, list):
        for below in value:
            yield from places(below, f"{at}/*")
    else:
        yield at


def form(template: Template) -> set[str]:
    """What a template has but for names, numbers and metadata: the properties of each type, and how they are given."""
    named = ("Resources", "Outputs", "Parameters", "Conditions", "Mappings", "Rules")
    return {
        f"{part}/{one.get('Type', '')}{place}"
        for part in named
        for one in template.get(part, {}).values()
        for place in places({key: value for key, value in one.items() if key != "Metadata"})
    }


def of_new_forms(templates: dict[str, Template]) -> list[str]:
    """The stacks that have between them all that any of them has, the largest first."""
    forms = {stack: form(template) for stack, template in templates.items()}
    seen: set[str] = set()
    found = []
    for stack in sorted(forms, key=lambda stack: (-len(forms[stack]), stack)):
        if not forms[stack] <= seen:
            seen |= forms[stack]
            found.append(stack)
    return found


def test_a_stack_is_left_out_when_others_have_all_that_it_has() -> None:
    def bucket(**properties: Any) -> Template:
        return {"Resources": {"Any": {"Type": "AWS::S3::Bucket", "Properties": properties}}}

    plain, named = bucket(Tags=[{"Key": "a"}]), bucket(Tags=[{"Key": "b"}, {"Key": "c"}], BucketName="b")
    referred = bucket(BucketName={"Ref": "Name"})
    assert of_new_forms({"plain": plain, "named": named}) == ["named"]
    assert of_new_forms({"plain": plain, "named": named, "referred": referred}) == ["named", "referred"]


def test_cfn_lint_finds_nothing_that_is_not_acknowledged() -> None:
    """All at once: to read the schemas takes longer than to judge by them."""
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--format", "json"]
    made = [(synthesise(name), end) for name, end in LINTED.items()]
    made += [(monitored(engine), "-workload-bank") for engine in ENGINES]
    there_are = {stack: one for one, end in made for stack in one.templates if stack.endswith(end)}
    linted = of_new_forms({stack: one.templates[stack] for stack, one in there_are.items()})
    files = [str(there_are[stack].folder / f"{stack}.template.json") for stack in linted]
    run = subprocess.run([*command, "--", *files], capture_output=True, text=True, check=False)
    found = [(one["Rule"]["Id"], str(one["Location"]["Path"][1])) for one in json.loads(run.stdout)]
    used = {key for key in ACKNOWLEDGED for rule, place in found if rule == key[0] and place.startswith(key[1])}
    templates = [there_are[stack].templates[stack] for stack in linted]
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
