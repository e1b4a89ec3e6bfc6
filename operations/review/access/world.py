"""The world of an assembly: who there is, what their policies say, and which resources have policies of their own.

What the templates do not say is outside of it: service control policies, what was granted by hand, policies of other
accounts. A principal with a policy whose text is not in the templates (AWS's managed ones) is answered with UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from operations.review.access.decide import Answer, Clause, Part, Policies, decide
from operations.review.access.guarded import Guarded, all_guarded, named
from operations.review.access.language import Pattern, matches
from operations.review.access.logic import Truth
from operations.review.access.statements import (
    ALLOW,
    EITHER,
    UNREADABLE,
    Statement,
    Unreadable,
    listed,
    statements_of,
)
from operations.review.access.values import Values
from operations.review.access.words import plain
from operations.review.assembly import Assembly, Resource

_KINDS = {"AWS::IAM::Role": "Roles", "AWS::IAM::User": "Users", "AWS::IAM::Group": "Groups"}
_ATTACHED = {
    "AWS::IAM::Policy": ("Roles", "Users", "Groups"),
    "AWS::IAM::ManagedPolicy": ("Roles", "Users", "Groups"),
    "AWS::IAM::RolePolicy": ("RoleName",),
    "AWS::IAM::UserPolicy": ("UserName",),
    "AWS::IAM::GroupPolicy": ("GroupName",),
}
_NOTHING = {"Ref": "AWS::NoValue"}
_GATED_ACTIONS = ("kms:*", "sts:assumerole")
_GATED = Clause(Part.GATED, Statement(ALLOW, _GATED_ACTIONS, ("*",)))


@dataclass(frozen=True)
class Principal:
    """A role, user or group. ``unknown`` says which policies of it have a text that is not in the templates."""

    resource: Resource
    name: str
    arn: str
    account: str
    identity: tuple[Statement, ...] = ()
    boundary: tuple[Statement, ...] | None = None
    unknown: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What it is called in questions."""
        return f"{self.resource.stack}/{self.resource.logical_id}"


@dataclass(frozen=True)
class World:
    """All principals by key (``stack/logical id``), and all resources' own policies."""

    assembly: Assembly
    values: Values
    principals: Mapping[str, Principal]
    guarded: tuple[Guarded, ...]

    @classmethod
    def of(cls, assembly: Assembly) -> World:
        """Read the world of an assembly."""
        values = Values(assembly)
        resources = list(assembly.resources())
        made = _Attachments(resources, values)
        principals = {one.key: one for one in made.principals()}
        return cls(assembly, values, principals, all_guarded(resources, values))

    def answer(
        self, principal: str | Principal, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> Answer:
        """Say what the templates' policies allow the principal.

        ``action`` and ``resource`` may have wildcards: the answer is about everything that matches. ``context`` has
        condition keys of the requests; other keys are open. Raises KeyError for a principal that is not there.
        """
        who = self.principals[principal] if isinstance(principal, str) else principal
        known = {key.lower(): value for key, value in (context or {}).items()}
        given = {"aws:principalarn": who.arn, "aws:principalaccount": who.account, **known}
        return decide(self.policies(who), action, resource, given)

    def policies(self, who: Principal) -> Policies:
        """Return all that decides about a principal."""
        found = self._policies.get(who.key)
        if found is None:
            found = self._policies[who.key] = Policies(
                tuple(self._clauses(who)), who.boundary is not None, who.resource.type == "AWS::IAM::User"
            )
        return found

    @cached_property
    def _policies(self) -> dict[str, Policies]:
        return {}

    def _clauses(self, who: Principal) -> Iterator[Clause]:
        yield from own_clauses(who)
        for one in self.guarded:
            if one.through:
                continue
            foreign = _elsewhere(who.account, self.values.account(one.stack))
            if foreign:  # both sides must allow it: more than one world's policies
                yield Clause(Part.IDENTITY, Statement(EITHER, ("*",), one.scope, certain=False))
                continue
            if one.gate:
                yield Clause(Part.GATE, Statement(ALLOW, _GATED_ACTIONS, one.scope))
            for statement in one.statements:
                for part, applies in meant(statement, who):
                    yield Clause(part, statement, applies)
        yield _GATED


def own_clauses(who: Principal) -> Iterator[Clause]:
    """Yield what stands in the principal's own policies and in its boundary."""
    for one in who.identity:
        yield Clause(Part.IDENTITY, one)
    for one in who.boundary or ():
        yield Clause(Part.BOUNDARY, one)
    if who.unknown:
        yield Clause(Part.IDENTITY, UNREADABLE)


def meant(statement: Statement, who: Principal) -> Iterator[tuple[Part, Truth]]:
    """Yield how a resource's policy means the principal; nothing when it does not."""
    if statement == UNREADABLE or not statement.principals:
        yield Part.ANYONE, None
        return
    if statement.not_principals:  # whom exactly it leaves out depends on sessions, too
        yield Part.ANYONE if statement.effect == ALLOW else Part.DIRECT, None
        return
    found: dict[Part, Truth] = {}
    for one in statement.principals:
        part, applies = _one_meant(one, who)
        if applies is not False:
            found[part] = True if applies or found.get(part) else None
    yield from found.items()


def _one_meant(principal: str, who: Principal) -> tuple[Part, Truth]:
    if principal == "*":
        return Part.ANYONE, True
    kind, _, text = principal.partition(":")
    if kind != "AWS":
        return Part.DIRECT, False
    parts = text.split(":")
    if text == who.account or text.isdigit() or (len(parts) == 6 and parts[5] == "root"):
        owner = parts[4] if len(parts) == 6 else text
        return Part.ACCOUNT, True if owner == who.account else False if _elsewhere(who.account, owner) else None
    if len(parts) == 6 and parts[2] == "iam":
        return Part.DIRECT, matches(who.arn, Pattern(text, wild=False))
    return Part.DIRECT, None  # a session, an id, a value that is not known yet


def _elsewhere(mine: str, other: str) -> bool:
    return mine.isdigit() and other.isdigit() and mine != other


class _Attachments:
    """Which policies stand on which principals: in them, beside them, by name or by ARN, in any stack."""

    def __init__(self, resources: list[Resource], values: Values) -> None:
        self._values = values
        self._resources = resources
        self._of = [one for one in resources if one.type in _KINDS]
        self._keys = {
            (_KINDS[one.type], values.name(one.stack, one.logical_id)): (one.stack, one.logical_id) for one in self._of
        }
        self._managed = {
            values.arn(one.stack, one.logical_id): one for one in resources if one.type == "AWS::IAM::ManagedPolicy"
        }
        self._beside: dict[tuple[str, str], list[Statement]] = {}
        self._outside: dict[tuple[str, str], tuple[Resource, list[Statement]]] = {}
        for one in resources:
            if one.type in _ATTACHED:
                self._attach(one)

    def principals(self) -> Iterator[Principal]:
        """Yield every principal with all its policies; those of a user's groups among them."""
        made = {(one.stack, one.logical_id): self._principal(one) for one in self._of}
        groups = self._members()
        for key, who in made.items():
            inherited = [made[group] for group in groups.get(key, ()) if group in made]
            identity = who.identity + tuple(each for group in inherited for each in group.identity)
            unknown = who.unknown + tuple(each for group in inherited for each in group.unknown)
            if any(group not in made for group in groups.get(key, ())):
                unknown += ("a group that is made elsewhere",)
            yield replace(who, identity=identity, unknown=tuple(dict.fromkeys(unknown)))
        for (_, name), (source, statements) in self._outside.items():
            outside = replace(source, logical_id=f"outside:{plain(name)}", path=plain(name))
            unknown = ("what else it has: it is made elsewhere",)
            account = self._values.account(source.stack)
            yield Principal(outside, plain(name), name, account, tuple(statements), None, unknown)

    def _attach(self, policy: Resource) -> None:
        statements = statements_of(policy.properties.get("PolicyDocument"), self._values.reader(policy.stack))
        if "Condition" in policy.body:  # the template says whether it is made at all
            statements = tuple(replace(one, certain=False) for one in statements)
        for key in _ATTACHED[policy.type]:
            kind = key.removesuffix("Name") + "s" if key.endswith("Name") else key
            for value, certain in _flat(policy.properties.get(key)):
                found = statements if certain else tuple(replace(one, certain=False) for one in statements)
                name = self._text(policy.stack, value)
                where = self._keys.get((kind, name))
                if where:
                    self._beside.setdefault(where, []).extend(found)
                else:
                    self._outside.setdefault((kind, name), (policy, []))[1].extend(found)

    def _principal(self, one: Resource) -> Principal:
        read = self._values.reader(one.stack)
        identity: list[Statement] = []
        unknown: list[str] = []
        policies = one.properties.get("Policies")
        for policy, certain in _flat(policies):
            document = policy.get("PolicyDocument", "") if isinstance(policy, Mapping) else ""
            found = statements_of(document, read)
            identity += found if certain else [replace(each, certain=False) for each in found]
        identity += self._beside.get((one.stack, one.logical_id), [])
        for value, certain in _flat(one.properties.get("ManagedPolicyArns")):
            found_or_name = self._managed_statements(one.stack, value)
            if isinstance(found_or_name, str):
                unknown.append(found_or_name)
            else:
                identity += found_or_name if certain else [replace(each, certain=False) for each in found_or_name]
        boundary: tuple[Statement, ...] | None = None
        if (bound := one.properties.get("PermissionsBoundary")) is not None and bound != _NOTHING:
            limits = self._managed_statements(one.stack, bound)
            boundary = (UNREADABLE,) if isinstance(limits, str) else limits
        arn = self._values.arn(one.stack, one.logical_id)
        account = self._values.account(one.stack)
        return Principal(one, named(one), arn, account, tuple(identity), boundary, tuple(unknown))

    def _managed_statements(self, stack: str, value: Any) -> tuple[Statement, ...] | str:
        """Return the statements of a managed policy of ours, or the name of one whose text is not here."""
        arn = self._text(stack, value)
        policy = self._managed.get(arn)
        if policy is None:
            return plain(arn).rpartition("policy/")[2] or plain(arn)
        return statements_of(policy.properties.get("PolicyDocument"), self._values.reader(policy.stack))

    def _members(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """Return the groups of each user, one that is made elsewhere as ``("", name)``."""
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}

        def add(user: tuple[str, str] | None, stack: str, group: Any) -> None:
            name = self._text(stack, group)
            if user:
                found.setdefault(user, []).append(self._keys.get(("Groups", name), ("", name)))

        for one in self._resources:
            if one.type == "AWS::IAM::User":
                for group, _ in _flat(one.properties.get("Groups")):
                    add((one.stack, one.logical_id), one.stack, group)
            elif one.type == "AWS::IAM::UserToGroupAddition":
                for user, _ in _flat(one.properties.get("Users")):
                    add(
                        self._keys.get(("Users", self._text(one.stack, user))),
                        one.stack,
                        one.properties.get("GroupName"),
                    )
        return found

    def _text(self, stack: str, value: Any) -> str:
        try:
            return self._values.text(stack, value)
        except Unreadable:
            return str(value)


def _flat(value: Any) -> Iterator[tuple[Any, bool]]:
    """Yield what a list holds, both branches of its Fn::If as what may be there."""
    for one in listed(value) if value is not None else ():
        if isinstance(one, Mapping) and set(one) == {"Fn::If"} and isinstance(one["Fn::If"], list):
            for branch in one["Fn::If"][1:]:
                yield from ((each, False) for each, _ in _flat(branch))
        elif one != _NOTHING:
            yield one, True
