"""Switches beside policies that open something: public access blocks, canned ACLs, function URLs, unread policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.review.access.guarded import PLACES, named
from operations.review.access.pieces import NARROWED, UNCLEAR, WIDENED
from operations.review.assembly import Resource

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_SWITCHES = "PublicAccessBlockConfiguration"
_ACLS = {
    "PublicRead": "everybody can read it",
    "PublicReadWrite": "everybody can read and write it",
    "AuthenticatedRead": "everybody with any AWS account can read it",
}
_UNREAD = {
    "AWS::CloudFormation::Stack": "a nested stack, whose template is not read here",
    "AWS::SSO::PermissionSet": "a permission set of IAM Identity Center",
    "AWS::SSO::Assignment": "an assignment of IAM Identity Center",
    "AWS::RAM::ResourceShare": "a share with other accounts",
    "AWS::Lambda::LayerVersionPermission": "a permission of a layer",
    "AWS::KMS::Grant": "a grant of a key",
}
_IDENTITIES = "AWS::IAM::"


@dataclass(frozen=True)
class Exposure:
    """A change of such a switch. ``public`` when anybody may get in by it; ``unknown`` when nobody can tell."""

    resource: Resource
    direction: str
    words: str
    public: bool = False
    unknown: bool = False


def exposures(before: Resource | None, after: Resource | None) -> Iterator[Exposure]:
    """Yield what changed between two versions of a resource; None for one that is not there."""
    one = after or before
    if one is None:
        return
    if one.type == "AWS::S3::Bucket" and after:
        yield from _bucket(before, after)
    elif one.type == "AWS::Lambda::Url" and after:
        yield from _url(before, after)
    yield from _unread(before, after, one)


def _bucket(before: Resource | None, after: Resource) -> Iterator[Exposure]:
    was, now = _blocks(before), _blocks(after)
    if before and _SWITCHES in before.properties and _SWITCHES not in after.properties:
        now = dict.fromkeys(_BLOCKS, False)  # CloudFormation takes away what it no longer finds in the template
    off = [one for one in _BLOCKS if was[one] is not False and now[one] is False]
    on = [one for one in _BLOCKS if was[one] is False and now[one]]
    unsure = [one for one in _BLOCKS if was[one] is not None and now[one] is None]
    name = named(after)
    if off:
        yield Exposure(after, WIDENED, f"{name} no longer blocks public access ({', '.join(off)} off)", public=True)
    if on:
        yield Exposure(after, NARROWED, f"{name} blocks public access ({', '.join(on)} on)")
    if unsure:
        text = f"whether {name} blocks public access is not known ({', '.join(unsure)})"
        yield Exposure(after, UNCLEAR, text, unknown=True)
    yield from _acl(before, after, name)


def _acl(before: Resource | None, after: Resource, name: str) -> Iterator[Exposure]:
    was, now = (one.properties.get("AccessControl") if one else None for one in (before, after))
    if now == was:
        return
    if not isinstance(now, str | None):
        yield Exposure(after, UNCLEAR, f"who can read {name} by its ACL is not known", unknown=True)
    elif now in _ACLS:
        yield Exposure(after, WIDENED, f"{name} has the ACL {now}: {_ACLS[now]}", public=True)
    elif was in _ACLS:
        yield Exposure(after, NARROWED, f"{name} no longer has the ACL {was}")


def _blocks(bucket: Resource | None) -> dict[str, bool | None]:
    """Return what a bucket blocks, None for what only the deploy tells.

    A new bucket blocks everything unless its template says otherwise (S3 user guide, "Blocking public access").
    """
    given = bucket.properties.get(_SWITCHES) if bucket else None
    if given is None:
        return dict.fromkeys(_BLOCKS, True)
    if not isinstance(given, Mapping) or "Fn::If" in given:
        return dict.fromkeys(_BLOCKS, None)
    return {one: {"true": True, "false": False}.get(str(given.get(one, False)).lower()) for one in _BLOCKS}


def _url(before: Resource | None, after: Resource) -> Iterator[Exposure]:
    was = before.properties.get("AuthType") if before else None
    now = after.properties.get("AuthType")
    if now != was and now == "NONE":
        yield Exposure(after, WIDENED, f"{named(after)} lets anybody call its function over the internet", public=True)
    elif now != was and was == "NONE":
        yield Exposure(after, NARROWED, f"{named(after)} asks who calls its function")
    elif now not in (was, "AWS_IAM"):
        yield Exposure(after, UNCLEAR, f"who can call the function of {named(after)} is not known", unknown=True)


def _unread(before: Resource | None, after: Resource | None, one: Resource) -> Iterator[Exposure]:
    """Yield changes of what gives access in a way that is not decided here."""
    was, now = (_policies(each) for each in (before, after))
    if was == now:
        return
    if after is None:
        yield Exposure(one, UNCLEAR, f"{named(one)} is gone, and with it {_UNREAD.get(one.type, 'its policy')}")
        return
    what = _UNREAD.get(one.type, f"a policy of a {one.type}, which is not decided here")
    yield Exposure(one, UNCLEAR, f"{named(one)} {'changes' if before else 'is new'}: {what}", unknown=True)


def _policies(one: Resource | None) -> str:
    """Return the documents of a resource that is not decided elsewhere, as text to compare."""
    if one is None:
        return ""
    if one.type in _UNREAD:
        return json.dumps(one.properties, sort_keys=True, default=str)
    if one.type in PLACES or one.type.startswith(_IDENTITIES):
        return ""
    return "".join(_documents(one.properties, 0))


def _documents(value: Any, depth: int) -> Iterator[str]:
    if depth > 20:
        return
    if isinstance(value, Mapping):
        if "Statement" in value and ("Version" in value or "Effect" in json.dumps(value["Statement"], default=str)):
            yield json.dumps(value, sort_keys=True, default=str)
            return
        for each in value.values():
            yield from _documents(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _documents(each, depth + 1)
