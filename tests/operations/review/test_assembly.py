"""Cloud assemblies are read as CDK writes them, and what is broken in them is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from operations.errors import UsageError
from operations.review.assembly import read_assembly
from tests.synthesis import synthesise


def written(folder: Path, artifacts: dict[str, Any], **templates: Any) -> Path:
    """Write an assembly by hand."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    for name, template in templates.items():
        (folder / f"{name}.template.json").write_text(template if isinstance(template, str) else json.dumps(template))
    return folder


def stack(name: str, environment: str = "aws://unknown-account/unknown-region") -> dict[str, Any]:
    """Return an artifact of the manifest."""
    properties = {"templateFile": f"{name}.template.json"}
    return {"type": "aws:cloudformation:stack", "environment": environment, "properties": properties}


def test_environment_is_read_whole() -> None:
    synthesis = synthesise("local")
    assembly = read_assembly(synthesis.folder)
    assert set(assembly.stacks) == set(synthesis.templates)
    for name, template in synthesis.templates.items():
        kinds = {key: one["Type"] for key, one in template["Resources"].items() if one["Type"] != "AWS::CDK::Metadata"}
        assert {key: one.type for key, one in assembly.stacks[name].resources.items()} == kinds
    bank = assembly.stacks["sandcastle-local-workload-bank"]
    assert "sandcastle-local-foundation" in bank.depends_on
    assert {one.path for one in bank.resources.values() if one.type == "AWS::SageMaker::Endpoint"} == {
        "HostedModel/Endpoint"
    }


def test_nested_assemblies_and_places(tmp_path: Path) -> None:
    inner = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "inner"}}
    outer = written(tmp_path, {"a": stack("a", "aws://123456789012/eu-west-1"), "inner": inner}, a={"Resources": {}})
    written(tmp_path / "inner", {"b": stack("b")}, b={"Resources": {"One": {"Type": "AWS::SNS::Topic"}}})
    stacks = read_assembly(outer).stacks
    assert (stacks["a"].account, stacks["a"].region) == ("123456789012", "eu-west-1")
    assert (stacks["b"].account, stacks["b"].region) == (None, None)
    assert [one.path for one in read_assembly(outer).resources()] == ["One"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "holds list"),
        ("[" * 100_000, "cannot be read"),
        ('{"a":' * 940 + "1" + "}" * 940, "cannot be read"),
        (None, "names it for stack a"),
    ],
)
def test_broken_file_is_named(tmp_path: Path, template: str | None, said: str) -> None:
    folder = written(tmp_path, {"a": stack("a")}, **({} if template is None else {"a": template}))
    with pytest.raises(UsageError, match=said) as caught:
        read_assembly(folder)
    assert "a.template.json" in str(caught.value)


def test_folder_without_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.json is not there"):
        read_assembly(tmp_path)


def test_what_is_no_resource_is_left_out(tmp_path: Path) -> None:
    template = {"Resources": {"One": "text", "Two": {"Type": 3, "Properties": []}, "Three": {"Type": "AWS::X::Y"}}}
    found = read_assembly(written(tmp_path, {"a": stack("a")}, a=template)).stacks["a"].resources
    assert {key: (one.type, one.properties) for key, one in found.items()} == {
        "Two": ("", {}),
        "Three": ("AWS::X::Y", {}),
    }
