"""Puts patterns, actions and conditions into words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from operations.review.access.statements import Condition
from operations.review.access.symbols import symbol_of

_VERBS = {
    "*": "do everything with",
    "s3:getobject": "read",
    "s3:putobject": "write",
    "s3:deleteobject": "delete",
    "s3:listbucket": "list",
    "iam:passrole": "pass on",
    "sts:assumerole": "take",
    "lambda:invokefunction": "invoke",
    "sns:publish": "publish to",
    "sqs:sendmessage": "send to",
    "kms:decrypt": "decrypt with",
    "kms:encrypt": "encrypt with",
    "secretsmanager:getsecretvalue": "read",
}
_OPERATORS = {
    "stringequals": "is",
    "stringnotequals": "is not",
    "stringlike": "is like",
    "stringnotlike": "is not like",
    "arnequals": "is like",
    "arnlike": "is like",
    "arnnotequals": "is not like",
    "arnnotlike": "is not like",
    "bool": "is",
    "ipaddress": "is in",
    "notipaddress": "is not in",
}
_MANY = {"forallvalues": "each value of ", "foranyvalue": "a value of "}
_ARN = re.compile(r"arn:([^:]*):([^:]*):([^:]*):([^:]*):(.*)", re.DOTALL)
_LONGEST = 4
"""Of a list; the rest is counted."""

_CONDITIONS = 3
"""Conditions that are written out; more are counted."""


def plain(text: str) -> str:
    """Return a text with the names of its symbols."""
    return "".join(known.name if (known := symbol_of(letter)) else letter for letter in text)


def listing(items: Iterable[str], longest: int = _LONGEST, joint: str = "and") -> str:
    """Return items as a list in a sentence, those beyond the longest counted."""
    found = list(dict.fromkeys(items))
    if len(found) > longest + 1:
        return f"{', '.join(found[:longest])} {joint} {len(found) - longest} more"
    return f" {joint} ".join([", ".join(found[:-1]), found[-1]] if found[1:] else found)


def doing(actions: Sequence[str], *, other: bool = False) -> str:
    """Return what the actions do, up to their object. ``other``: all actions but these."""
    if other:
        return f"do everything but {listing(sorted(actions), joint='or')} with"
    verbs = [_VERBS[one.lower()] for one in actions if one.lower() in _VERBS]
    rest = sorted(one for one in actions if one.lower() not in _VERBS)
    whole = [f"do everything of {one[:-2]} with" for one in rest if one.endswith(":*")]
    calls = [one for one in rest if not one.endswith(":*")]
    return listing([*verbs, *whole, *([f"call {listing(calls)} on"] if calls else [])], 6)


def resource(text: str, account: str = "") -> str:
    """Return a resource pattern in words. ``account`` is the one that needs no mention."""
    if text == "*":
        return "anything"
    found = _ARN.fullmatch(text)
    if not found:
        return plain(text)
    _, service, _, owner, rest = found.groups()
    whose = (
        "" if owner in ("", account, "aws") else " of any account" if owner == "*" else f" of account {plain(owner)}"
    )
    return (_bucket(rest) if service == "s3" else _thing(service, rest)) + whose


def things(texts: Sequence[str], account: str = "", *, other: bool = False) -> str:
    """Return resource patterns as a list; versions of a function are not told apart from it."""
    versions = {f"{one}:*" for one in texts}
    said = listing([resource(one, account) for one in texts if one not in versions])
    return f"everything but {said}" if other else said


def _bucket(rest: str) -> str:
    bucket, slash, key = rest.partition("/")
    name = "any bucket" if bucket == "*" else plain(bucket)
    if not slash:
        return name if bucket == "*" else f"bucket {name}" if "*" not in bucket else f"buckets like {name}"
    if key == "*":
        return f"every object in {name}"
    key = plain(key)
    if key.endswith("/*") and "*" not in key[:-1]:
        return f"every object below {key[:-1]} in {name}"
    return f"objects like {key} in {name}" if "*" in key or "?" in key else f"{key} in {name}"


def _thing(service: str, rest: str) -> str:
    rest = plain(rest)
    if service == "logs":
        group, _, stream = rest.removeprefix("log-group:").partition(":")
        name = "any log group" if group == "*" else f"log group {group}"
        stream = stream.removeprefix("log-stream:")
        return f"log streams like {stream} of {name}" if stream not in ("", "*") else name
    kind, mark, name = rest.partition("/") if "/" in rest else rest.partition(":")
    if not mark or "*" in kind:
        plural = f"anything of {service}"
        named = {"sns": "topic", "sqs": "queue"}.get(service, service)
        return plural if set(rest) <= set("*/:") else f"{plural} like {name}" if "*" in kind else f"{named} {rest}"
    kind = kind.replace("-", " ")
    return f"any {kind}" if name == "*" else f"{kind} {name}"


def condition(conditions: Sequence[Condition]) -> str:
    """Return the conditions in words, beginning with ``if``; empty for none."""
    said = [_one(one) for one in conditions]
    if len(said) > _CONDITIONS:
        return f" under {len(said)} conditions"
    return f" if {' and '.join(said)}" if said else ""


def _one(one: Condition) -> str:
    sets, _, operator = one.operator.lower().rpartition(":")
    lenient = operator.endswith("ifexists")
    operator = operator.removesuffix("ifexists")
    if operator == "null":
        return f"{one.name} is {'not ' if one.values == ('true',) else ''}given"
    values = listing([plain(each) for each in one.values], joint="or") if one.readable else "something not known here"
    said = f"{_MANY.get(sets, '')}{one.name} {_OPERATORS.get(operator, one.operator)} {values}"
    return f"{said} (or not given)" if lenient else said


def principal(text: str, account: str = "") -> str:
    """Return the principal of a resource's policy in words."""
    kind, _, name = text.partition(":")
    if text == "*":
        return "anybody"
    if kind == "Service":
        return f"the service {plain(name)}"
    if kind != "AWS":
        return f"{kind} {plain(name)}"
    found = _ARN.fullmatch(name)
    owner, rest = (found[4], found[5]) if found else (name, "root")
    if rest == "root":
        return plain(owner) if owner == account else f"account {plain(owner)}"
    whose = "" if owner == account else f" of account {plain(owner)}"
    return plain(rest).rpartition("/")[2] + whose
