"""Cloud assemblies: what `cdk synth` wrote, read without CDK (schema: @aws-cdk/cloud-assembly-schema)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from operations.errors import UsageError

METADATA = "AWS::CDK::Metadata"
"""The resource that CDK adds for its own statistics; it is nobody's change."""


DEEPEST = 700
"""Levels of nesting that are read. CloudFormation takes far fewer; Python's own walks end at a thousand."""

SOURCES = "sources.json"
"""What the app writes beside the templates when it is asked to (context ``sources``): lines of code by construct."""


@dataclass(frozen=True)
class Resource:
    """A resource of a template: where it is, and all that stands there.

    ``path`` is the construct's below its stack, without its last ``Resource``; the logical id where CDK wrote none.
    """

    stack: str
    logical_id: str
    path: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The CloudFormation type; empty where the template has none that is a text."""
        found = self.body.get("Type")
        return found if isinstance(found, str) else ""

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties, none where the template has something else there."""
        return _mapping(self.body.get("Properties"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the template says about the resource beside its properties."""
        return _mapping(self.body.get("Metadata"))

    @property
    def retained(self) -> bool:
        """Whether a delete leaves it where it is."""
        return self.body.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate", "Snapshot")


@dataclass(frozen=True)
class Stack:
    """A stack of an assembly. ``region`` and ``account`` are None where the template is for any."""

    name: str
    template: Mapping[str, Any]
    account: str | None = None
    region: str | None = None
    depends_on: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)
    """The path of each resource's construct by logical id."""
    protected: bool = False
    """Whether CloudFormation refuses to delete the stack."""
    file: str = ""
    """The name of its template's file, which begins with the construct's id and not with the stack's name."""

    @property
    def malformed(self) -> tuple[str, ...]:
        """What CloudFormation could not read: ``Resources`` that is no object, or entries of it without a type."""
        found = self.template.get("Resources")
        if not isinstance(found, Mapping):
            return ("Resources",) if "Resources" in self.template else ()
        good = {key for key, one in found.items() if isinstance(one, Mapping) and isinstance(one.get("Type"), str)}
        return tuple(sorted(str(key) for key in found if key not in good))

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """Its resources by logical id, without CDK's own statistics; what is not a resource at all is left out."""
        found = _mapping(self.template.get("Resources")).items()
        made = {
            key: Resource(self.name, key, self.paths.get(key, key), body)
            for key, body in found
            if isinstance(body, Mapping)
        }
        return {key: one for key, one in made.items() if one.type != METADATA}


@dataclass(frozen=True)
class Assembly:
    """All stacks of a synthesised app by name, those of nested assemblies too."""

    folder: Path
    stacks: Mapping[str, Stack]
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where each construct is made, ``file:line`` by its path with its stack's name; what is not known is not there."""

    def resources(self) -> Iterator[Resource]:
        """Yield every resource of every stack."""
        for stack in self.stacks.values():
            yield from stack.resources.values()


def read_assembly(folder: Path) -> Assembly:
    """Read a folder that `cdk synth` wrote.

    Raises UsageError naming the file when it is no such folder, or a file in it is not what its manifest says.
    """
    sources = _document(folder / SOURCES, "it was there") if (folder / SOURCES).exists() else {}
    return Assembly(folder, dict(sorted(_stacks(folder))), {str(path): str(line) for path, line in sources.items()})


def _stacks(folder: Path) -> Iterator[tuple[str, Stack]]:
    manifest = _document(folder / "manifest.json", "a folder that cdk synth wrote has one")
    for name, artifact in _mapping(manifest.get("artifacts")).items():
        described = _mapping(artifact)
        properties = _mapping(described.get("properties"))
        if described.get("type") == "cdk:cloud-assembly" and "directoryName" in properties:
            yield from _stacks(folder / str(properties["directoryName"]))
        elif described.get("type") == "aws:cloudformation:stack" and "templateFile" in properties:
            account, region = _place(str(described.get("environment", "")))
            stack = str(properties.get("stackName") or described.get("displayName") or name)
            template = _document(folder / str(properties["templateFile"]), f"the manifest names it for stack {stack}")
            listed = described.get("dependencies")
            file = Path(str(properties["templateFile"])).name
            needs = frozenset(str(one) for one in listed if not str(one).endswith(".assets")) if listed else frozenset()
            protected = properties.get("terminationProtection") is True
            yield stack, Stack(stack, template, account, region, needs, _paths(folder, described), protected, file)


def _paths(folder: Path, artifact: Mapping[str, Any]) -> dict[str, str]:
    """Return constructs' paths by logical id: newer assemblies have a file of metadata, older ones an entry."""
    name = artifact.get("additionalMetadataFile")
    metadata = _document(folder / str(name), "the manifest names it") if name else artifact.get("metadata")
    found = {}
    for path, entries in _mapping(metadata).items():
        for entry in entries if isinstance(entries, list) else ():
            if _mapping(entry).get("type") == "aws:cdk:logicalId":
                parts = path.strip("/").split("/")[1:]
                found[str(entry["data"])] = "/".join(parts[:-1] if parts[-1:] == ["Resource"] and parts[1:] else parts)
    return found


def _place(environment: str) -> tuple[str | None, str | None]:
    """Return account and region of ``aws://account/region``, None for one that is not known at synth."""
    parts = environment.removeprefix("aws://").split("/")
    if len(parts) != 2:
        return None, None
    account, region = (None if not part or part.startswith("unknown-") else part for part in parts)
    return account, region


def _document(file: Path, why: str) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{file} is not there: {why}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{file} holds {type(document).__name__}, not an object.")
    if _nested_too_deep(document):
        raise UsageError(f"{file} cannot be read: it is nested more than {DEEPEST} levels.")
    return document


def _nested_too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
