"""What all users of Studio may do alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement, acknowledge_wildcards
from sandcastle.resource import Resource
from sandcastle.roles import UNSEEN_KEY, ServiceRole, policy_document
from sandcastle.user_permissions import of_everybody


class Everybody(Construct):
    """One managed policy on all user roles.

    Managed, because the policies in a role may have 10,240 characters together and those attached to it count for
    themselves (IAM and STS quotas); and one for all, because a template may have a megabyte.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain_id: str,
        roles: Sequence[ServiceRole],
        images: Sequence[str],
    ) -> None:
        """``images`` are what jobs may run."""
        super().__init__(scope, construct_id)
        self._statements = of_everybody(domain_id, images)
        self.policy = Resource(
            self,
            "Policy",
            "AWS::IAM::ManagedPolicy",
            tagged=False,  # CloudFormation tags no managed policies
            Description="Studio: what all users may do alike",
            Roles=[role.resource.ref for role in roles],
            PolicyDocument=policy_document(self._statements),
        )

        unseen = {action: why for one in self._statements for action, why in one.unseen.items()}
        self.policy.add_metadata(UNSEEN_KEY, unseen)

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Every wildcard in a resource, with its statement's reason."""
        pairs = [(resource, one.reason) for one in self._statements for resource in one.resources]
        yield from acknowledge_wildcards(self.policy, pairs)
