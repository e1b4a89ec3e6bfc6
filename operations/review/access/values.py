"""Works out the values of a template as text, with a symbol for whatever only the deploy will tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from operations.review.access.arns import KINDS, LOWERED, Kind
from operations.review.access.statements import Unreadable, as_text
from operations.review.access.symbols import (
    ANYTHING,
    DIGITS,
    HEXADECIMAL,
    PLACE,
    SOMETHING,
    Shape,
    Symbol,
    character,
    is_symbol,
    some_of,
    symbol_of,
)
from operations.review.assembly import Assembly, Resource, Stack

_IN_SUB = re.compile(r"\$\{([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
_DEEPEST = 60
"""References through references, such as a name that refers to a parameter; a circle has no end."""

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


class Values:
    """The values of all templates of an assembly."""

    def __init__(self, assembly: Assembly) -> None:
        self._stacks = assembly.stacks
        self._resources = {name: stack.resources for name, stack in assembly.stacks.items()}
        self._exports = dict(_exports(assembly))
        self._depth = 0

    def reader(self, stack: str) -> Callable[[Any], str]:
        """Return what reads the values of one stack's template."""
        return lambda value: self.text(stack, value)

    def text(self, stack: str, value: Any) -> str:
        """Return a value as text. Raises Unreadable when it is none: a list, an object that is no function."""
        if isinstance(value, Mapping):
            if len(value) != 1:
                raise Unreadable("an object is no text")
            ((name, argument),) = value.items()
            if self._depth > _DEEPEST:
                return _open(stack, value)
            self._depth += 1
            try:
                return self._function(stack, name, argument)
            except (
                AttributeError,
                LookupError,
                TypeError,
                ValueError,
            ):  # a function whose arguments are not what they must be
                return _open(stack, value)
            finally:
                self._depth -= 1
        text = as_text(value)
        if any(is_symbol(letter) for letter in text):
            raise Unreadable("characters of a private plane")
        return _DYNAMIC.sub(lambda found: _open(stack, found[0]), text)

    def arn(self, stack: str, logical_id: str) -> str:
        """Return the ARN of a resource, a symbol for one of a type that is not known."""
        kind = KINDS.get(self._resources[stack][logical_id].type)
        if kind is None:
            return self._attribute(stack, logical_id, "Arn")
        return self._arn(stack, logical_id, kind)

    def name(self, stack: str, logical_id: str) -> str:
        """Return the physical name of a resource of a known type. Raises KeyError for another type."""
        return self._name(stack, logical_id, KINDS[self._resources[stack][logical_id].type])

    def referred(self, stack: str, value: Any) -> Resource | None:
        """Return the resource that a value is a reference to, through exports of other stacks; None for none."""
        if isinstance(value, Mapping) and len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Fn::ImportValue":
                where = self._exports.get(argument) if isinstance(argument, str) else None
                return self.referred(*where) if where and where[0] != stack else None
            if name == "Fn::GetAtt" and isinstance(argument, list) and argument:
                argument = argument[0]
            if name in ("Ref", "Fn::GetAtt") and isinstance(argument, str):
                return self._resources[stack].get(argument.partition(".")[0])
        return None

    def account(self, stack: str) -> str:
        """Return the account of a stack, twelve digits or their symbol."""
        return self._stacks[stack].account or _ACCOUNT

    def region(self, stack: str) -> str:
        """Return the region of a stack, or its symbol."""
        return self._stacks[stack].region or _REGION

    def partition(self, stack: str) -> str:
        """Return the partition of a stack's region; a symbol when that is not known."""
        region = self._stacks[stack].region
        if region is None:
            return _PARTITION
        return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")

    def _function(self, stack: str, name: str, argument: Any) -> str:
        known: dict[str, Callable[[str, Any], str]] = {
            "Ref": self._reference,
            "Fn::GetAtt": self._got,
            "Fn::Join": self._joined,
            "Fn::Sub": self._substituted,
            "Fn::Select": self._selected,
            "Fn::ImportValue": self._imported,
            "Fn::FindInMap": self._mapped,
        }
        if name not in known:
            raise ValueError(f"{name} is not worked out")
        return known[name](stack, argument)

    def _got(self, stack: str, argument: Any) -> str:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(stack, logical_id, attribute)

    def _joined(self, stack: str, argument: Any) -> str:
        delimiter, parts = argument
        pieces = [self.text(stack, one) for one in parts] if isinstance(parts, list) else self._pieces(stack, parts)
        return str(delimiter).join(pieces)

    def _selected(self, stack: str, argument: Any) -> str:
        at, parts = int(argument[0]), argument[1]
        pieces = parts if isinstance(parts, list) else self._pieces(stack, parts)
        if not 0 <= at < len(pieces):
            raise ValueError("no such piece")
        return self.text(stack, pieces[at]) if isinstance(parts, list) else str(pieces[at])

    def _imported(self, stack: str, argument: Any) -> str:
        where, value = self._exports[self.text(stack, argument)]
        return self.text(where, value)

    def _mapped(self, stack: str, argument: Any) -> str:
        first, second, third = (self.text(stack, one) for one in argument[:3])
        return as_text(self._stacks[stack].template["Mappings"][first][second][third])

    def _pieces(self, stack: str, value: Any) -> list[str]:
        """Return the pieces of a Fn::Split. Raises ValueError when a symbol may hold the delimiter."""
        ((name, (delimiter, whole)),) = value.items()
        text = self.text(stack, whole)
        for letter in text:
            known = symbol_of(letter)
            if known and not all(run.characters and not run.characters & set(delimiter) for run in known.shape):
                raise ValueError("where it is split is not known")
        if name != "Fn::Split" or not delimiter:
            raise ValueError("no list")
        return text.split(delimiter)

    def _substituted(self, stack: str, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        found = ""
        at = 0
        for match in _IN_SUB.finditer(text):
            found += self.text(stack, text[at : match.start()])
            at = match.end()
            name = match[1]
            if name.startswith("!"):
                found += f"${{{name[1:]}}}"
            elif name in given:
                found += self.text(stack, given[name])
            elif "." in name:
                found += self._attribute(stack, *name.split(".", 1))
            else:
                found += self._reference(stack, name)
        return found + self.text(stack, text[at:])

    def _reference(self, stack: str, argument: Any) -> str:
        name = str(argument)
        pseudo: dict[str, Callable[[str], str]] = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::StackName": lambda each: each,
            "AWS::StackId": self._stack_id,
        }
        if name in pseudo:
            return pseudo[name](stack)
        if name == "AWS::URLSuffix" and self.partition(stack) == "aws":
            return "amazonaws.com"
        if name not in self._resources[stack]:
            return _open(stack, {"Ref": name})
        kind = KINDS.get(self._resources[stack][name].type)
        if kind and kind.ref == "name":
            return self._name(stack, name, kind)
        if kind and kind.ref == "arn":
            return self._arn(stack, name, kind)
        return self._symbol(stack, name, "Ref", SOMETHING)

    def _attribute(self, stack: str, logical_id: str, attribute: str) -> str:
        resource = self._resources[stack][logical_id]
        kind = KINDS.get(resource.type)
        if kind and attribute in ("Arn", kind.attribute):
            return self._arn(stack, logical_id, kind)
        return self._symbol(stack, logical_id, attribute, SOMETHING, alone=attribute == "Arn")

    def _arn(self, stack: str, logical_id: str, kind: Kind) -> str:
        name = self._name(stack, logical_id, kind)
        path = self._resources[stack][logical_id].properties.get("Path", "/")
        places = {"p": self.partition(stack), "r": self.region(stack), "a": self.account(stack)}
        lowered = name.lower() if self._resources[stack][logical_id].type in LOWERED else name
        return kind.arn.format(**places, name=lowered, path=self.text(stack, path))

    def _name(self, stack: str, logical_id: str, kind: Kind) -> str:
        given = self._resources[stack][logical_id].properties.get(kind.naming) if kind.naming else None
        if given is not None:
            return self.text(stack, given)
        return self._symbol(stack, logical_id, "name", kind.shape)

    def _symbol(self, stack: str, logical_id: str, what: str, shape: Shape, *, alone: bool = True) -> str:
        resource = self._resources[stack][logical_id]
        words = resource.path.replace("/", "") if what in ("name", "Ref", "Arn") else f"{resource.path}.{what}"
        ours = resource.type.startswith(
            ("Custom::", "AWS::CloudFormation::")
        )  # two of them may well be called the same
        family = f"{resource.type} {what}" if alone and not ours else ""
        return character(Symbol((stack, logical_id, what), words, shape, family))

    def _stack_id(self, stack: str) -> str:
        uuid = "-".join(character(Symbol((stack, "uuid", str(at)), "…", some_of(HEXADECIMAL, 4))) for at in range(5))
        place = f"arn:{self.partition(stack)}:cloudformation:{self.region(stack)}:{self.account(stack)}"
        return f"{place}:stack/{stack}/{uuid}"


_ACCOUNT = character(Symbol(("account",), "this account", some_of(DIGITS)))
_REGION = character(Symbol(("region",), "this region", some_of(PLACE)))
_PARTITION = character(Symbol(("partition",), "aws", some_of(PLACE)))


def _open(stack: str, value: Any) -> str:
    """Return a symbol for a value of which nothing is known, not even that it is no pattern."""
    written = json.dumps(value, sort_keys=True, default=str)
    name = value["Ref"] if isinstance(value, Mapping) and set(value) == {"Ref"} else written
    return character(Symbol((stack, "open", written), f"the value of {name}", ANYTHING, fixed=False))


def _exports(assembly: Assembly) -> list[tuple[str, tuple[str, Any]]]:
    found = []
    for stack in assembly.stacks.values():
        for name, value in _exported(stack):
            found.append((name, (stack.name, value)))
    return found


def _exported(stack: Stack) -> list[tuple[str, Any]]:
    outputs = stack.template.get("Outputs")
    exports = []
    for one in outputs.values() if isinstance(outputs, Mapping) else ():
        export = one.get("Export") if isinstance(one, Mapping) else None
        if isinstance(export, Mapping) and isinstance(export.get("Name"), str):
            exports.append((export["Name"], one.get("Value")))
    return exports
