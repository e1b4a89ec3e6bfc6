"""Statements of policy documents, and where they are read from: any JSON, however odd it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from operations.review.access.language import VARIABLE, Pattern
from operations.review.access.symbols import ANYTHING, Symbol, character

Read = Callable[[Any], str]
"""Returns a value of a template as text, with symbols. Raises ``Unreadable``."""

ALLOW, DENY, EITHER = "Allow", "Deny", ""
_LITERAL = {"*": "*", "?": "?", "$": "$"}


class Unreadable(ValueError):
    """A part of a policy that is not worked out here, or is no policy at all."""


@dataclass(frozen=True)
class Condition:
    """One key of one operator. ``values`` is empty, and ``readable`` False, where they could not be read.

    ``key`` is in lower case, which IAM does not tell from upper case; ``name`` is the key as it was written.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    readable: bool = True
    name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Statement:
    """A statement of a policy.

    ``effect`` is empty for one that may allow or deny. ``certain`` is False for one that may not be there at all.
    ``scope`` bounds a resource's policy to that resource. ``principals`` are written ``AWS:...``, ``Service:...``.
    """

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_actions: bool = False
    not_resources: bool = False
    conditions: tuple[Condition, ...] = ()
    principals: tuple[str, ...] = ()
    not_principals: bool = False
    certain: bool = True
    scope: tuple[str, ...] = ()
    sid: str = field(default="", compare=False)

    @cached_property
    def action_patterns(self) -> tuple[Pattern, ...]:
        """Its actions; IAM does not tell upper from lower case in them."""
        return tuple(Pattern(one.lower()) for one in self.actions)

    @cached_property
    def resource_patterns(self) -> tuple[Pattern, ...]:
        """Its resources."""
        return tuple(Pattern(one, fields=True) for one in self.resources)

    @cached_property
    def scope_patterns(self) -> tuple[Pattern, ...]:
        """What its resources are bounded to."""
        return tuple(Pattern(one, fields=True) for one in self.scope)


UNREADABLE = Statement(EITHER, ("*",), ("*",), principals=("*",), certain=False)
"""Stands for a statement, or a whole policy, of which nothing is known."""


def as_text(value: Any) -> str:
    """Return a value that needs no working out as text. Raises Unreadable for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise Unreadable(f"{value!r} is no text")


def statements_of(document: Any, read: Read = as_text, *, scope: tuple[str, ...] = ()) -> tuple[Statement, ...]:
    """Return the statements of a document; ``UNREADABLE`` for each that is none.

    ``scope``: the resource that it is a policy of. Its statements may then leave the resource out.
    """
    if document is None:
        return ()
    if not isinstance(document, Mapping) or "Statement" not in document:
        return (_scoped(UNREADABLE, scope),)
    modern = document.get("Version") == "2012-10-17"  # only then policy variables are such
    return tuple(_scoped(one, scope) for one in _statements(document["Statement"], read, modern, bool(scope)))


def _scoped(statement: Statement, scope: tuple[str, ...]) -> Statement:
    if not scope:
        return statement
    return replace(statement, scope=scope, resources=statement.resources or scope)


def _statements(value: Any, read: Read, modern: bool, scoped: bool) -> Iterator[Statement]:
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, Mapping):
            yield UNREADABLE
        elif set(one) == {"Fn::If"}:  # either branch, or none of them: what the condition says is known at deploy
            branches = one["Fn::If"]
            for branch in branches[1:] if isinstance(branches, list) else [None]:
                if branch != {"Ref": "AWS::NoValue"}:
                    for found in _statements(branch, read, modern, scoped):
                        yield replace(found, certain=False)
        else:
            try:
                yield _statement(one, read, modern, scoped)
            except (Unreadable, RecursionError):
                yield UNREADABLE


def _statement(one: Mapping[str, Any], read: Read, modern: bool, scoped: bool) -> Statement:
    def texts(key: str) -> tuple[str, ...]:
        return tuple(_with_variables(read(each), modern) for each in listed(one[key]))

    effect = read(one.get("Effect"))
    if (
        effect not in (ALLOW, DENY)
        or ("Action" in one) == ("NotAction" in one)
        or {"Resource", "NotResource"} <= set(one)
    ):
        raise Unreadable("no statement")
    if not scoped and not {"Resource", "NotResource"} & set(one):
        raise Unreadable("a statement of an identity's policy names resources")
    principal = one.get("Principal", one.get("NotPrincipal"))
    return Statement(
        effect,
        texts("Action" if "Action" in one else "NotAction"),
        texts("Resource") if "Resource" in one else texts("NotResource") if "NotResource" in one else (),
        "NotAction" in one,
        "NotResource" in one,
        tuple(_conditions(one.get("Condition"), read, modern)),
        tuple(_principals(principal, read)),
        "NotPrincipal" in one,
        sid=str(one.get("Sid", "")),
    )


def _conditions(block: Any, read: Read, modern: bool) -> Iterator[Condition]:
    if block is None:
        return
    if not isinstance(block, Mapping):
        raise Unreadable("no block of conditions")
    for operator, keys in block.items():
        if not isinstance(keys, Mapping) or operator.startswith("Fn::"):
            yield Condition(operator, "", (), readable=False)
            continue
        for key, values in keys.items():
            try:
                found = tuple(_with_variables(read(each), modern) for each in listed(values))
                yield Condition(operator, key.lower(), found, name=key)
            except Unreadable:
                yield Condition(operator, key.lower(), (), readable=False, name=key)


def _principals(value: Any, read: Read) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, Mapping) and not any(key == "Ref" or key.startswith("Fn::") for key in value):
        for kind, names in value.items():
            for name in listed(names):
                text = read(name)
                yield "*" if text == "*" and kind == "AWS" else f"{kind}:{text}"
    else:
        text = read(value)
        yield text if text == "*" else f"AWS:{text}"


def _with_variables(text: str, modern: bool) -> str:
    """Return the text with a symbol for each policy variable: what it stands for differs from request to request."""
    if not modern or "${" not in text:
        return text

    def made(found: Any) -> str:
        name = found[1]
        return _LITERAL.get(name) or character(Symbol(("variable", name.lower()), found[0], ANYTHING, fixed=False))

    return VARIABLE.sub(made, text)


def listed(value: Any) -> list[Any]:
    """Return a policy's value as a list, which it may be already."""
    return value if isinstance(value, list) else [value]
