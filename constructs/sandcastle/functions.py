"""Lambda functions: one asset for all of them, a log group each that goes with the stack, a role each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement
from sandcastle.code import UploadedAsset
from sandcastle.permissions import write_function_logs
from sandcastle.promises import Promise, may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole, Statement
from sandcastle.runtimes import PYTHON

LOG_DAYS = 14
"""How long functions' logs are kept while the environment lives; they go with it."""

ANSWER_SECONDS = 100
"""How much longer CloudFormation waits for a custom resource than its function may run: for the invocation to arrive,
a cold start, one retry of the invocation, and the answer's way back."""


def service_timeout(timeout_seconds: int) -> int:
    """Return the ``ServiceTimeout`` (seconds) of a custom resource behind a function with this timeout.

    Were they equal, CloudFormation could give up while the function is still working and about to answer.
    """
    return timeout_seconds + ANSWER_SECONDS


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
        code: UploadedAsset,
        timeout_seconds: int,
        statements: Sequence[Statement],
        promises: Sequence[Promise] = (),
        memory_mb: int = 256,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """``handler`` is module and function, such as ``jobs.on_event``; ``code`` all functions' asset.

        ``variables`` are the function's environment variables, for a function that no custom resource tells anything.
        """
        super().__init__(scope, construct_id)
        log_group = Resource(self, "Logs", "AWS::Logs::LogGroup", RetentionInDays=LOG_DAYS)
        log_group.keep_nothing()
        log_group_arn = log_group.attribute("Arn")
        self.role = ServiceRole(
            self,
            "Role",
            service="lambda.amazonaws.com",
            description=f"Function {handler}",
            statements=[write_function_logs(log_group_arn), *statements],
            promises=[
                may("logs:PutLogEvents", log_group_arn),
                may_not("logs:CreateLogGroup", "*"),
                *promises,
            ],
        )
        self.resource = Resource(
            self,
            "Resource",
            "AWS::Lambda::Function",
            Description=description,
            Code={"S3Bucket": code.bucket, "S3Key": code.key},
            Handler=handler,
            Runtime=PYTHON,
            Architectures=["arm64"],
            MemorySize=memory_mb,
            Timeout=timeout_seconds,
            Role=self.role.arn,
            LoggingConfig={"LogGroup": log_group.ref},
            Environment={"Variables": dict(variables)} if variables else None,
        )
        self.arn = self.resource.attribute("Arn")

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Not the newest Python."""
        reason = "The project's Python for functions is 3.13, which AWS supports; a newer one comes with its tests"
        yield Acknowledgement(self.resource, "AwsSolutions-L1", reason)
