"""Lambda functions: one asset for all of them, a log group each that goes with the stack, a role each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement
from sandcastle.fingerprint import hash_folder
from sandcastle.permissions import write_function_logs
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import ServiceRole, Statement

LOG_DAYS = 14
"""How long functions' logs are kept while the environment lives; they go with it."""

_IGNORED = ["__pycache__", "*.pyc", "*.md"]


class Function(Construct):
    """A function of ``assets/functions`` in Python 3.13.

    arm64: the code is plain Python, and AWS charges a fifth less than for x86. No reserved concurrency: it would
    take from the account's pool, which in a new account is ten. The role cannot create log groups, so that a last
    line written after the stack's group is gone cannot bring it back.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        source: Path,
        timeout_seconds: int,
        statements: Sequence[Statement],
        promises: Sequence[Promise] = (),
        memory_mb: int = 256,
    ) -> None:
        """``handler`` is module and function, such as ``jobs.on_event``; ``source`` the folder of all functions."""
        super().__init__(scope, construct_id)
        code = _code(self, source)
        log_group = logs.CfnLogGroup(self, "Logs", retention_in_days=LOG_DAYS)
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self.role = ServiceRole(
            self,
            "Role",
            service="lambda.amazonaws.com",
            description=f"Function {handler} of {cdk.Stack.of(self).stack_name}",
            statements=[write_function_logs(log_group.attr_arn), *statements],
            promises=[
                may("logs:PutLogEvents", log_group.attr_arn),
                may_not("logs:CreateLogGroup", "*"),
                *promises,
            ],
        )
        self.resource = lambda_.CfnFunction(
            self,
            "Resource",
            description=description,
            code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
            handler=handler,
            runtime="python3.13",
            architectures=["arm64"],
            memory_size=memory_mb,
            timeout=timeout_seconds,
            role=self.role.arn,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log_group.ref),
        )

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Not the newest Python."""
        reason = "The project's Python for functions is 3.13, which AWS supports; a newer one comes with its tests"
        yield Acknowledgement(self.resource, "AwsSolutions-L1", reason)

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.resource.attr_arn


def _code(scope: Construct, source: Path) -> s3_assets.Asset:
    """Return the stack's asset with the functions, made by the first who asks."""
    stack = cdk.Stack.of(scope)
    found = stack.node.try_find_child("FunctionCode")
    if isinstance(found, s3_assets.Asset):
        return found
    return s3_assets.Asset(
        stack,
        "FunctionCode",
        path=str(source),
        exclude=_IGNORED,
        ignore_mode=cdk.IgnoreMode.GIT,
        asset_hash=hash_folder(source, _IGNORED),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
    )
