"""Janitors: custom resources that remove what CloudFormation does not know, at their place in the order of deletion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.promises import Promise
from sandcastle.resource import Resource
from sandcastle.roles import Statement, policy_document

TIMEOUT_SECONDS = 900
"""The longest that AWS lets a function run; the janitor then hands over to itself."""

SERVICE_TIMEOUT_SECONDS = 3600
"""The longest that CloudFormation waits for a custom resource (``ServiceTimeout``)."""

WAIT_SECONDS = SERVICE_TIMEOUT_SECONDS - 300
"""When the janitor gives up and says what is left, in time for CloudFormation to hear it."""


_LONG = "only when something takes longer to go than the 15 minutes of one invocation"


class Janitor(Construct):
    """A function behind ``assets/functions/janitor.py`` and the custom resource that runs it when it is deleted.

    CloudFormation deletes against the direction of dependence. So a janitor that is to run before X is deleted depends
    on X (``runs_before``), and X depends on a janitor that is to run after X is gone (``runs_after``).

    Not on CDK's Provider framework: that is three functions, a state machine and their roles for each janitor, to wait
    for something that the function itself can wait for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        handler: str,
        description: str,
        code: UploadedAsset,
        statements: Sequence[Statement],
        promises: Sequence[Promise] = (),
        properties: dict[str, Any] | None = None,
    ) -> None:
        """``kind`` such as ``Custom::SandcastleStudioDrain``; ``properties`` are what the function reads."""
        super().__init__(scope, construct_id)
        self.function = Function(
            self,
            "Function",
            handler=handler,
            description=description,
            code=code,
            timeout_seconds=TIMEOUT_SECONDS,
            statements=statements,
            promises=promises,
        )
        hand_over = Statement(["lambda:InvokeFunction"], [self.function.arn], unseen={"lambda:InvokeFunction": _LONG})
        self.function.role.tell_unseen([hand_over])
        again = Resource(  # a role cannot name the function that it is made for
            self,
            "Again",
            "AWS::IAM::Policy",
            tagged=False,
            PolicyName="hand-over",
            Roles=[self.function.role.resource.ref],
            PolicyDocument=policy_document([hand_over]),
        )
        self.resource = Resource(
            self,
            "Resource",
            kind,
            tagged=False,
            ServiceToken=self.function.arn,
            ServiceTimeout=SERVICE_TIMEOUT_SECONDS,
            WaitSeconds=WAIT_SECONDS,
            **(properties or {}),
        )
        self.resource.add_resource_dependency(again)

    def runs_before(self, *later: cdk.CfnResource) -> None:
        """Have it do its work before any of these is deleted."""
        for one in later:
            self.resource.add_resource_dependency(one)

    def runs_after(self, *earlier: cdk.CfnResource) -> None:
        """Have it do its work when all of these are gone."""
        for one in earlier:
            one.add_resource_dependency(self.resource)
