"""What stacks import from guardrails and foundation: it must be there before and after every change of a setting.

CloudFormation updates these first, while the deployed stacks still import what their old templates did, and refuses to
take away an export that is in use. So both export the same for every environment file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, synthesise

NOTEBOOK = "notebook: {}"
PART = "StackPart"
CHANGES = {
    "no capture": {"capture_percent: 100": "capture_percent: 0"},
    "a serverless endpoint and none": {
        "  mnist-linear:\n    endpoint: {capture_percent: 100}": "  mnist-linear:\n    endpoint: {kind: serverless}",
        "  bank:\n    endpoint: {capture_percent: 100}": "  bank:\n    endpoint: {kind: none}",
    },
    "an asynchronous endpoint": {"endpoint: {capture_percent: 100}": "endpoint: {kind: async}"},
    "no Studio": {
        "studio:\n  users: [ada, grace]\n": "",
        "  instances: [ml.t3.medium, ml.m5.large]   # for their apps and jobs; T3 serves no model\n": "",
    },
    "no notebook": {NOTEBOOK: ""},
    "no spot": {"  bank:\n": "  bank:\n    train: {spot: false}\n"},
    "full data": {"data: sample": "data: full"},
    "a network with interface endpoints": {
        NOTEBOOK: "notebook: {network: vpc-only}",
        "monthly_budget_usd: 200": "monthly_budget_usd: 500",
    },
    "one workload": {"  mnist-linear:\n    endpoint: {capture_percent: 100}\n": ""},
}
"""Settings that end some use of the foundation: what is replaced in environments/local.yaml, everywhere, by what."""


@pytest.fixture(params=[*ENVIRONMENTS, *CHANGES], scope="module")
def variant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Each environment, and the default one with each change."""
    if request.param in ENVIRONMENTS:
        return synthesise(request.param)
    tmp_path = tmp_path_factory.mktemp("variant")
    for name in ("assets", "environments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "environments" / "local.yaml"
    text = file.read_text()
    for old, new in CHANGES[request.param].items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    return synthesise("local", tmp_path)


def imports(value: Any) -> Iterator[str]:
    """Yield the names of all exports that a value imports."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Fn::ImportValue":
                yield item
            else:
                yield from imports(item)
    elif isinstance(value, list):
        for item in value:
            yield from imports(item)


def exports(synthesis: Synthesis, *parts: str) -> dict[str, str]:
    """Return the stacks' exports: by name without the stack's, what is exported."""
    outputs = [one for part in parts for one in synthesis.template(part)["Outputs"].values()]
    return {one["Export"]["Name"].partition(":")[2]: json.dumps(one["Value"]) for one in outputs if "Export" in one}


@pytest.mark.parametrize(("part", "count"), [("guardrails", 2), ("foundation", 10)])
def test_exports_are_the_same_for_every_environment_file(variant: Synthesis, part: str, count: int) -> None:
    """ARN of the topic and name of the budget; name and ARN of three buckets, VPC, two subnets, security group."""
    assert exports(variant, part) == exports(synthesise("local"), part)
    assert len(exports(variant, part)) == count


def test_stacks_import_what_these_export(variant: Synthesis) -> None:
    """The teardown, deployed after them, also imports the domain's id and what tells stacks of workloads apart."""
    used = {name.partition(":")[2] for template in variant.templates.values() for name in imports(template)}
    shared = set(exports(variant, "guardrails", "foundation"))
    assert used & shared
    others = used - shared
    assert (PART in others) == bool(variant.workloads or variant.pipelines)
    for domain in others - {PART}:
        assert exports(variant, "studio")[domain] == json.dumps({"Ref": domain.removeprefix("ExportsOutputRef")[:-8]})
    assert len(others - {PART}) == any(name.endswith("-studio") for name in variant.templates)


def test_workloads_export_the_same_for_every_way_of_serving(variant: Synthesis) -> None:
    """The dashboard's stack is deployed after them: what it imports must outlive any change of an endpoint."""
    (part,) = {json.dumps(one["Outputs"][PART]["Value"]) for one in synthesise("local").workloads}
    for template in (*variant.workloads, *variant.pipelines):
        (found,) = [one for one in template["Outputs"].values() if "Export" in one]
        assert found["Export"]["Name"].endswith(f":{PART}")
        assert json.dumps(found["Value"]) == part


def test_no_import_is_there_for_metadata_only(variant: Synthesis) -> None:
    """A promise is no use of a bucket: it must not tie one stack to another."""
    for template in variant.templates.values():
        described = {name for one in template["Resources"].values() for name in imports(one.get("Metadata", {}))}
        used = {name for one in template["Resources"].values() for name in imports(one["Properties"])}
        assert described <= used
