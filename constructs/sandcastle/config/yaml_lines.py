"""Reads YAML and remembers on which line each key stands, so that every mistake can name its line.

PyYAML's constructor loses positions and lets a repeated key win silently; its composer keeps both. This walks
the composed nodes and accepts what a configuration file needs: maps with text keys, lists, scalars, anchors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandcastle.config.problem import Problem

KeyPath = tuple[str | int, ...]
"""Where a value is: keys and list positions from the top of the file."""

MOST_BYTES = 256_000
"""A larger file is refused before it is parsed, which takes seconds for each megabyte."""

_MOST_NODES = 10_000
"""A file that expands to more (nested aliases) is refused: no environment is that large."""

_NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_PLAIN_NUMBER = re.compile(
    r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.IGNORECASE
)
"""YAML 1.1 also reads 3:20 as 200, 017 as 15 and 1_0 as 10: no person means that."""


@dataclass
class Document:
    """A YAML file: its value as plain Python, the line of each key (from 1), and what was wrong with its form."""

    file: str
    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unread: set[KeyPath] = field(default_factory=set)
    """Where a value stands that could not be read: reported already, None here."""

    def line(self, path: KeyPath) -> int:
        """Return the line of the key, or of the nearest key above it that exists."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: KeyPath, message: str, *, allowed: str = "", show_value: bool = True) -> None:
        """Note a mistake at the key, with the value that is written there when it is short enough to show."""
        value = self.at(path) if show_value and path else None
        shown = None if value is None or isinstance(value, (dict, list)) else repr(value)[:80]
        self.problems.append(Problem(self.file, self.line(path), dotted(path), message, shown, allowed))

    def at(self, path: KeyPath) -> Any:
        """Return the value at the path, or None when there is nothing."""
        value = self.value
        for step in path:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value


def dotted(path: KeyPath) -> str:
    """Return the path as people write it: ``notify[0]``, ``workloads.bank.endpoint``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def read_yaml(path: Path, shown_as: str) -> Document:
    """Read the file; what YAML itself refuses, and repeated keys, are in the document's problems.

    Raises OSError when the file cannot be read.
    """
    document = Document(shown_as)
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        document.problem((), f"the file is too large: more than {MOST_BYTES // 1000} kB", allowed="a smaller file")
        return document
    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if node is None:
            document.problem((), "the file is empty")
        else:
            document.value = _Walk(document, loader).value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(str(part) for part in (error.context, error.problem) if part)
        _refuse(document, mark.line + 1 if mark else 1, reason)
    except yaml.reader.ReaderError as error:
        line = content.count(b"\n", 0, max(error.position, 0)) + 1
        _refuse(document, line, f"character {error.character!r}: {error.reason}")
    except RecursionError:
        _refuse(document, 1, "nested too deeply")
    finally:
        if loader is not None:
            loader.dispose()
    return document


def _refuse(document: Document, line: int, reason: str) -> None:
    document.value = None
    document.problems.append(Problem(document.file, line, "", f"this is not valid YAML: {reason}"))


class _Walk:
    """Turns composed nodes into plain Python values and notes lines and problems in the document."""

    def __init__(self, document: Document, loader: yaml.SafeLoader) -> None:
        self.document = document
        self.loader = loader
        self.count = 0
        self.open: set[int] = set()

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """Return the node's value; where it is wrong, None, with the reason noted."""
        line = node.start_mark.line + 1
        self.document.lines.setdefault(path, line)
        self.count += 1
        if self.count > _MOST_NODES:
            raise yaml.MarkedYAMLError(problem=f"more than {_MOST_NODES} values", problem_mark=node.start_mark)
        if id(node) in self.open:
            raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            assert isinstance(node, yaml.SequenceNode)  # noqa: S101  # the composer knows three kinds of node
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self.open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag in _NUMBER_TAGS and _PLAIN_NUMBER.fullmatch(node.value) is None:
            return self._unread(node, path, "numbers must be written in plain decimal digits; text needs quotes")
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:  # ValueError: `2026-02-30` looks like a date and is none
            reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
            return self._unread(node, path, f"cannot be read: {reason}")

    def _unread(self, node: yaml.ScalarNode, path: KeyPath, message: str) -> None:
        line, shown = node.start_mark.line + 1, repr(node.value)[:80]
        self.document.unread.add(path)
        self.document.problems.append(Problem(self.document.file, line, dotted(path), message, shown))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key_node.tag != "tag:yaml.org,2002:str":
                shown = key if key is not None else "(a list or map)"
                self._note(line, path, f"key {shown!s} is not text; put it in quotes, or write merged keys out")
            elif key in seen:
                self._note(line, (*path, key), f"this key is written twice; the first is on line {seen[key]}")
            else:
                seen[key] = line
                self.document.lines[*path, key] = line
                result[key] = self.value(value_node, (*path, key))
        return result

    def _note(self, line: int, path: KeyPath, message: str) -> None:
        self.document.problems.append(Problem(self.document.file, line, dotted(path), message))
