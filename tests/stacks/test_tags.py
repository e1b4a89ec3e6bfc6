"""Everything that takes tags carries the environment and the stack; audit and cost rely on it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.cfn_lint_data import DATA
from tests.synthesis import Synthesis


@cache
def tag_property(kind: str) -> str | None:
    """Return the property in which the resource type takes tags, from its CloudFormation schema."""
    folder = DATA / "schemas"
    name = json.loads((folder / "providers" / "us-east-1.json").read_text()).get(kind)
    if name is None:
        return None
    schema = json.loads((folder / "resources" / f"{name}.json").read_text())
    tagging = schema.get("tagging", {})
    if tagging.get("taggable") is False:
        return None
    path = tagging.get("tagProperty", "/properties/Tags").rsplit("/", 1)[1]
    return path if path in schema["properties"] else None


def tags(resource: dict[str, Any], name: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource["Properties"].get(name, [])}


def test_every_taggable_resource_is_tagged(each: Synthesis) -> None:
    tagged = set()
    for stack, template in each.templates.items():
        expected = {"sandcastle:environment": stack.split("-")[1], "sandcastle:stack": stack}
        for key, resource in template["Resources"].items():
            name = tag_property(resource["Type"])
            if name is not None:
                assert expected.items() <= tags(resource, name).items(), f"{stack}/{key}"
                tagged.add(resource["Type"])
    assert {"AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::IAM::Role"} <= tagged
    assert {"AWS::SageMaker::Endpoint"} <= tagged or not each.workloads
    assert {"AWS::SageMaker::Pipeline", "AWS::SageMaker::ModelPackageGroup"} <= tagged or not each.pipelines
    assert {"AWS::Budgets::Budget", "AWS::SNS::Topic", "AWS::Logs::LogGroup", "AWS::EC2::VPC"} <= tagged


def test_stacks_are_tagged(each: Synthesis) -> None:
    manifest = json.loads((each.folder / "manifest.json").read_text())["artifacts"]
    for stack in each.templates:
        found = manifest[stack]["properties"]["tags"]
        assert found == {"sandcastle:environment": stack.split("-")[1], "sandcastle:stack": stack}
