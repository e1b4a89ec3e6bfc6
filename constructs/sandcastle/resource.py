"""Resources written as CloudFormation writes them, and the stack that tags them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.config import Environment


class EnvironmentStack(cdk.Stack):
    """A stack of an environment, in the environment's region, with the tags that everything in it carries."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, description: str, compact: bool = False
    ) -> None:
        """The stack is named ``sandcastle-<environment>-<construct id>``.

        ``compact`` writes the template without spaces, for one that may get near CloudFormation's limit of a megabyte.
        """
        name = f"sandcastle-{environment.name}-{construct_id}"
        super().__init__(
            scope,
            name,
            env=cdk.Environment(region=environment.region),
            description=f"Sandcastle {environment.name}: {description}",
            suppress_template_indentation=compact,
        )
        self.standard_tags = {"sandcastle:environment": environment.name, "sandcastle:stack": name}
        for key, value in self.standard_tags.items():  # for the stack itself, and for what CDK's own constructs make
            cdk.Tags.of(self).add(key, value)


class Resource(cdk.CfnResource):
    """A resource of a template::

        Resource(self, "Vpc", "AWS::EC2::VPC", CidrBlock="10.42.0.0/16")

    The properties are CloudFormation's, under CloudFormation's names; one that is None is left out. CDK's typed
    classes for single resources add nothing to this but their loading time, a sixth of the whole synth; that the
    properties are right is proved by cfn-lint and CDK's own validation, against CloudFormation's schemas.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        kind: str,
        *,
        tagged: bool = True,
        own_tags: Mapping[str, str] | None = None,
        **properties: Any,
    ) -> None:
        """``tagged`` is False for types that take no tags; ``own_tags`` are added to those of the stack."""
        given = {key: value for key, value in properties.items() if value is not None}
        if tagged:
            stack = cdk.Stack.of(scope)
            assert isinstance(stack, EnvironmentStack)  # noqa: S101  # every stack of this project is one
            tags = {**stack.standard_tags, **(own_tags or {})}
            given["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        super().__init__(scope, construct_id, type=kind, properties=given)

    def attribute(self, name: str) -> str:
        """Return an attribute that CloudFormation knows when the resource exists, such as ``Arn``."""
        return self.get_att(name).to_string()

    def keep_nothing(self) -> None:
        """Have CloudFormation delete it with the stack, said in the template for types that hold data."""
        self.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
