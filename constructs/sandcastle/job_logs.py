"""The janitor of what a workload's jobs and endpoint log outside the stack."""

from __future__ import annotations

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function, service_timeout
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import GROUP_REASON, log_group_arn
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import Statement

_SHARED = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs")
_TRANSFORM = "/aws/sagemaker/TransformJobs"

TIMEOUT_SECONDS = 300


class JobLogs(Construct):
    """``Custom::SandcastleJobLogs``: whatever logs must depend on it, so that it is deleted after them.

    The roles that log must, too: SageMaker writes the last lines some time after a job or endpoint is gone, and makes
    the endpoint's log group again for them. A deleted role writes nothing.

    Nothing here limits how long these logs are kept while the stack lives: the groups belong to SageMaker, which makes
    them at the first line, and those of jobs are shared by the whole account.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, names: WorkloadNames, code: UploadedAsset, runs: bool = False
    ) -> None:
        """``code`` is all functions' asset; ``runs``: the jobs are those of a pipeline's runs, which transform, too."""
        super().__init__(scope, construct_id)
        groups = [*_SHARED, _TRANSFORM] if runs else [*_SHARED]
        shared = [log_group_arn(group) for group in groups]
        endpoint = log_group_arn(names.endpoint_log_groups)
        function = Function(
            self,
            "Function",
            handler="job_logs.handler",
            description="Deletes what jobs and the endpoint logged",
            code=code,
            timeout_seconds=TIMEOUT_SECONDS,
            statements=[
                Statement(
                    ["logs:DeleteLogGroup"],
                    [endpoint, f"{endpoint}:*"],
                    reason="groups of this stack's endpoint; an endpoint of another kind has another end of its name",
                ),
                Statement(["logs:DescribeLogStreams"], [f"{arn}:*" for arn in shared], reason=GROUP_REASON),
                Statement(
                    ["logs:DeleteLogStream"],
                    [
                        f"{arn}:log-stream:{start}-*"
                        for arn in shared
                        for start in (names.job_prefix, names.tuning_prefix)
                    ],
                    reason="streams of this workload's jobs; a stream's name ends with fingerprint, host and time",
                ),
            ],
            promises=[
                may("logs:DeleteLogGroup", endpoint),
                may("logs:DeleteLogStream", f"{shared[0]}:log-stream:{names.job_prefix}-*"),
                may("logs:DeleteLogStream", f"{shared[0]}:log-stream:{names.tuning_prefix}-*"),
                *(may_not("logs:DeleteLogGroup", arn) for arn in shared),
                may_not("logs:DeleteLogStream", f"{shared[0]}:log-stream:other-*"),
                may_not("logs:GetLogEvents", "*"),
            ],
        )
        self.resource = Resource(
            self,
            "Resource",
            "Custom::SandcastleJobLogs",
            tagged=False,
            ServiceToken=function.arn,
            ServiceTimeout=service_timeout(TIMEOUT_SECONDS),
            JobPrefix=names.job_prefix,
            TuningPrefix=names.tuning_prefix,
            StackPart="" if runs else names.stack_part,
            Groups=groups if runs else None,
            EndpointLogGroup=names.endpoint_log_group,
        )
