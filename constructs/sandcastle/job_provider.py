"""The provider that turns jobs into resources: one per workload stack, for its dataset and its trained models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources
from constructs import Construct, IConstruct

from sandcastle.acknowledgements import Acknowledgement, acknowledge_wildcards
from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.job_permissions import JobPermissions
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import list_objects, pass_roles
from sandcastle.promises import may, may_not
from sandcastle.roles import UNSEEN_KEY, ServiceRole, Statement

WAIT_MINUTES = 60
"""As long as CloudFormation lets a custom resource take. The framework counts calls, 720 of them, and each call takes
its own time besides the pause: it would notice too late. ``is_complete`` looks at the clock instead and fails after
54 minutes, in time for its text to reach the stack's events."""

_INACTIVE = "asked only about a function that Lambda has put to rest since, which localcloud never does"
_STATES = "localcloud runs state machines without asking IAM"


class JobProvider(Construct):
    """CDK's Provider framework around ``assets/functions/jobs.py``.

    ``on_event`` may start jobs, with the jobs' own roles and no other, and may see whether its own stack is being
    undone; ``is_complete`` may look, stop, and read how this workload's logs end. The framework's own functions get
    roles and a log group that go with the stack, and cannot create log groups.

    ``starting_role`` is the role of ``on_event``: the one that can spend.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: WorkloadNames,
        code: UploadedAsset,
        jobs: JobPermissions,
        job_roles: Sequence[ServiceRole],
        result_bucket_arns: Sequence[str],
    ) -> None:
        """``job_roles`` are those that jobs run under; results lie under the workload's prefix in the buckets.

        ``jobs`` says which kinds of job are started, and which are only looked for and stopped.
        """
        super().__init__(scope, construct_id)
        roles = [role.arn for role in job_roles]
        on_event = Function(
            self,
            "OnEvent",
            handler="jobs.on_event",
            description="Starts, finds or stops the job behind a dataset or a trained model",
            code=code,
            timeout_seconds=300,  # waits up to 90 s for a new role, and each call may be tried four times
            statements=[
                *jobs.start_statements(),
                # Exactly its own stack: a job that was started for a change which is being undone must not stay.
                Statement(["cloudformation:DescribeStacks"], [cdk.Aws.STACK_ID]),
                pass_roles(roles, "sagemaker.amazonaws.com"),
                *(list_objects(arn, f"{names.workload}/*") for arn in result_bucket_arns),
            ],
            promises=[
                *jobs.start_promises(),
                may("cloudformation:DescribeStacks", cdk.Aws.STACK_ID),
                *(may("iam:PassRole", arn, iam__PassedToService="sagemaker.amazonaws.com") for arn in roles),
                *(may_not("iam:PassRole", arn, iam__PassedToService="lambda.amazonaws.com") for arn in roles),
                may_not("sagemaker:DeleteEndpoint", "*"),
                may_not("cloudformation:DeleteStack", "*"),
                may_not("s3:GetObject", "*"),
            ],
        )
        is_complete = Function(
            self,
            "IsComplete",
            handler="jobs.is_complete",
            description="Says whether the job behind a dataset or a trained model has ended",
            code=code,
            timeout_seconds=120,  # must answer "not yet" also after a call that was tried four times in vain
            statements=jobs.look_statements(),
            promises=[*jobs.look_promises(), may_not("iam:PassRole", "*")],
        )
        self.starting_role = on_event.role
        self._functions = (on_event, is_complete)
        self._roles: list[iam.Role] = []
        self._provider = self._framework(on_event, is_complete)
        self.service_token = self._provider.service_token

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """What CDK's framework does in its own way."""
        handlers = [function.arn for function in self._functions]
        reason = "CDK lets its framework invoke any version of exactly the two handlers of this provider"
        for role in self._roles:
            yield from acknowledge_wildcards(
                _resource(role, "DefaultPolicy", "Resource"), [(f"{arn}:*", reason) for arn in handlers]
            )
        waiter = self._provider.node.find_child("waiter-state-machine")
        own = [
            cdk.Fn.get_att(cdk.Stack.of(self).get_logical_id(_resource(self._provider, name, "Resource")), "Arn")
            for name in ("framework-isComplete", "framework-onTimeout")
        ]
        reason = "CDK lets its waiter invoke any version of exactly the framework's own two functions"
        yield from acknowledge_wildcards(
            _resource(waiter, "Role", "DefaultPolicy", "Resource"), [(f"{arn.to_string()}:*", reason) for arn in own]
        )
        machine = _resource(waiter, "Resource")
        reason = "The waiter only repeats the is-complete function, which logs each call; its own log would cost twice"
        yield Acknowledgement(machine, "AwsSolutions-SF1", reason)
        reason = "The waiter is one task in a loop: there is nothing for a trace to take apart"
        yield Acknowledgement(machine, "AwsSolutions-SF2", reason)

    def _framework(self, on_event: Function, is_complete: Function) -> custom_resources.Provider:
        log_group = logs.LogGroup(
            self, "FrameworkLogs", retention=logs.RetentionDays.TWO_WEEKS, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        provider = custom_resources.Provider(
            self,
            "Framework",
            on_event_handler=self._handler("OnEventHandler", on_event),
            is_complete_handler=self._handler("IsCompleteHandler", is_complete),
            framework_on_event_role=self._role("FrameworkOnEventRole", log_group),
            framework_complete_and_timeout_role=self._role("FrameworkIsCompleteRole", log_group),
            log_group=log_group,
            query_interval=cdk.Duration.seconds(5),
            total_timeout=cdk.Duration.minutes(WAIT_MINUTES),
            disable_waiter_state_machine_logging=True,
        )
        waiter = _resource(provider, "waiter-state-machine", "Role", "Resource")
        waiter.add_property_override("Description", "CDK's waiter")
        waiter.add_metadata(UNSEEN_KEY, {"lambda:InvokeFunction": _STATES})
        return provider

    def _handler(self, construct_id: str, function: Function) -> lambda_.IFunction:
        return lambda_.Function.from_function_attributes(
            self, construct_id, function_arn=function.arn, same_environment=True
        )

    def _role(self, construct_id: str, log_group: logs.LogGroup) -> iam.Role:
        role = iam.Role(
            self,
            construct_id,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="CDK's provider framework",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        )
        _resource(role, "Resource").add_metadata(UNSEEN_KEY, {"lambda:GetFunction": _INACTIVE})
        self._roles.append(role)
        return role


def _resource(construct: IConstruct, *path: str) -> cdk.CfnResource:
    """Return the resource below a construct of CDK's own, by the ids that lead there."""
    for step in path:
        construct = construct.node.find_child(step)
    assert isinstance(construct, cdk.CfnResource)  # noqa: S101  # CDK's own layout, pinned with its version
    return construct
