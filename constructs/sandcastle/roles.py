"""Roles: one purpose each, their permissions as whole statements, their promises beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement, acknowledge_wildcards
from sandcastle.promises import METADATA_KEY, Promise
from sandcastle.resource import Resource

UNSEEN_KEY = "sandcastle:unseen"
"""Where a role's metadata says which permissions no run on localcloud can be seen to use, and why."""


@dataclass(frozen=True)
class Statement:
    """An Allow statement of an identity policy.

    ``reason`` must say why whenever a resource holds a ``*``: why it is no narrower, and what bounds it.
    ``unseen`` says why an action is needed although no run on localcloud ever uses it (only AWS itself does, say): any
    other permission that is never used has no place here, and ``tests/least_privilege.py`` finds it.
    Raises ValueError for a wildcard action, for a ``*`` without a reason, and for unseen actions that are not granted.
    """

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reason: str = ""
    unseen: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what a least-privilege policy must not hold."""
        if any("*" in action for action in self.actions):
            raise ValueError(f"wildcard action in {list(self.actions)}: name each action")
        if any("*" in resource for resource in self.resources) and not self.reason:
            raise ValueError(f"{list(self.actions)} on {list(self.resources)}: a wildcard needs a written reason")
        if not set(self.unseen) <= set(self.actions):
            raise ValueError(
                f"unseen: {sorted(set(self.unseen) - set(self.actions))} are not among {list(self.actions)}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the statement as IAM writes it."""
        document: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            document["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return document


def policy_document(statements: Sequence[Statement]) -> dict[str, Any]:
    """Return the statements as a policy document."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


class ServiceRole(Construct):
    """A role that one AWS service takes, for resources of this account only.

    The permissions are the role's own inline policy and not a resource beside it: whatever refers to the role then
    also waits for its permissions, and on deletion keeps them until it is gone. (CDK's default policies are
    separate, and nothing but a function waits for them: an endpoint would lose its permissions while it is still
    being deleted.) The name is generated, so that CloudFormation can replace the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: str,
        description: str,
        statements: Sequence[Statement],
        promises: Sequence[Promise] = (),
        source_account: bool = False,
        path: str | None = None,
    ) -> None:
        """``service`` such as ``lambda.amazonaws.com``; ``source_account`` where the service names its caller.

        ``path`` groups roles, so that a policy can name all of them: ``/sandcastle/local/users/``.
        """
        super().__init__(scope, construct_id)
        self.statements = tuple(statements)
        trust: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
        if source_account:  # confused deputy: SageMaker sends the account that it works for
            trust["Condition"] = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        self.resource = Resource(
            self,
            "Resource",
            "AWS::IAM::Role",
            Description=description,
            Path=path,
            AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
            Policies=[{"PolicyName": "permissions", "PolicyDocument": policy_document(statements)}],
        )
        self.arn = self.resource.attribute("Arn")
        if promises:
            self.resource.add_metadata(METADATA_KEY, [promise.to_metadata() for promise in promises])
        self._unseen: dict[str, str] = {}
        self.tell_unseen(statements)

    def tell_unseen(self, statements: Sequence[Statement]) -> None:
        """Write down which of these permissions no run is seen to use; for policies that the role gets later, too."""
        self._unseen |= {action: why for one in statements for action, why in one.unseen.items()}
        if self._unseen:
            self.resource.add_metadata(UNSEEN_KEY, dict(self._unseen))

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Every wildcard in a resource, with its statement's reason."""
        pairs = [(resource, one.reason) for one in self.statements for resource in one.resources]
        yield from acknowledge_wildcards(self.resource, pairs)
