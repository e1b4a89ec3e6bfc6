"""The properties of Studio's CloudFormation types are those of the registry schemas that cfn-lint ships."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from localcloud.sagemaker.studio import cfn_properties
from tests.cfn_lint_data import DATA

SCHEMAS = DATA / "schemas"


def schema(kind: str) -> dict[str, Any]:
    providers = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())
    document: dict[str, Any] = json.loads(
        (SCHEMAS / "resources" / f"{providers[f'AWS::SageMaker::{kind}'].removesuffix('.json')}.json").read_text()
    )
    return document


def tree(document: Mapping[str, Any], node: Mapping[str, Any]) -> Any:
    """Names below a node; None for a plain value."""
    if "$ref" in node:
        return tree(document, document["definitions"][node["$ref"].rpartition("/")[2]])
    if "items" in node:
        return tree(document, node["items"])
    if "properties" in node:
        return {name: tree(document, inside) for name, inside in node["properties"].items()}
    return None


@pytest.mark.parametrize("kind", cfn_properties.TYPES)
def test_they_are_those_of_the_schema(kind: str) -> None:
    document = schema(kind)
    expected = tree(document, document)
    for path in document["readOnlyProperties"]:
        del expected[path.rpartition("/")[2]]
    assert cfn_properties.TYPES[kind] == expected


def test_the_first_unknown_one_is_named_as_cloudformation_does() -> None:
    settings = {"JupyterLabAppSettings": {"AppLifecycleManagement": {}}}
    props = {"DomainId": "d-1", "UserProfileName": "ada", "UserSettings": settings}
    problem = cfn_properties.unknown("UserProfile", props)
    assert problem == "#/UserSettings/JupyterLabAppSettings: extraneous key [AppLifecycleManagement] is not permitted"
    tags = {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Wert": "b"}]}
    assert cfn_properties.unknown("App", tags) == "#/Tags/1: extraneous key [Wert] is not permitted"
    assert cfn_properties.unknown("Domain", {"DomainName": "x", "SubnetIds": ["s"]}) is None
