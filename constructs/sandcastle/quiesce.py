"""The janitor that brings to rest what an environment made at run time."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.janitor import Janitor
from sandcastle.permissions import (
    ACCOUNT,
    GROUP_REASON,
    PARTITION,
    REGION,
    log_group_arn,
    sagemaker_arn,
    scaled_endpoints,
)
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import Statement

LATE_LOG_SECONDS = 30
"""How long after its end an endpoint may still log: SageMaker sends its last lines when it is gone already."""

JOB_GROUPS = tuple(f"/aws/sagemaker/{kind}Jobs" for kind in ("Training", "Processing", "Transform"))
"""Where jobs log; all jobs of an account share these groups."""

_ENDS = (
    "sagemaker:DeleteDataQualityJobDefinition",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteInferenceComponent",
    "sagemaker:DeleteModel",
    "sagemaker:DeleteModelBiasJobDefinition",
    "sagemaker:DeleteModelExplainabilityJobDefinition",
    "sagemaker:DeleteModelPackage",
    "sagemaker:DeleteModelPackageGroup",
    "sagemaker:DeleteModelPackageGroupPolicy",
    "sagemaker:DeleteModelQualityJobDefinition",
    "sagemaker:DeleteMonitoringSchedule",
    "sagemaker:DeletePipeline",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:SendPipelineExecutionStepFailure",
    "sagemaker:StopHyperParameterTuningJob",
    "sagemaker:StopMonitoringSchedule",
    "sagemaker:StopPipelineExecution",
    "sagemaker:StopProcessingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:StopTransformJob",
    "sagemaker:UpdateTrainingJob",
)
"""What ends something, and what has to be known for it. UpdateTrainingJob gives up a warm pool."""

_KINDS = (
    "data-quality-job-definition",
    "endpoint",
    "endpoint-config",
    "hyper-parameter-tuning-job",
    "inference-component",
    "model",
    "model-bias-job-definition",
    "model-explainability-job-definition",
    "model-package",
    "model-package-group",
    "model-quality-job-definition",
    "monitoring-schedule",
    "pipeline",
    "processing-job",
    "training-job",
    "transform-job",
)
"""As they stand in ARNs."""

_LISTS = (
    "sagemaker:ListDataQualityJobDefinitions",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListInferenceComponents",
    "sagemaker:ListModelBiasJobDefinitions",
    "sagemaker:ListModelExplainabilityJobDefinitions",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModelQualityJobDefinitions",
    "sagemaker:ListModels",
    "sagemaker:ListMonitoringExecutions",
    "sagemaker:ListMonitoringSchedules",
    "sagemaker:ListPipelines",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
)

_MONITORS = ("groundtruth-merge", "model-monitoring", "model-quality-monitoring")
"""What the jobs of monitoring schedules are called."""

_RULES = f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:rule/*"

_UNKNOWN_HERE = {
    "sagemaker:DeleteInferenceComponent": "localcloud has no inference components",
    "sagemaker:DeleteModelBiasJobDefinition": "localcloud has no bias monitoring",
    "sagemaker:DeleteModelExplainabilityJobDefinition": "localcloud has no explainability monitoring",
    "sagemaker:SendPipelineExecutionStepFailure": "only when a pipeline waits for an answer that nobody will give",
}

_NAMES = "names are chosen at run time; bounded to those that begin with the environment's own prefix"
_TAGS = "names are chosen at run time; the condition asks for the environment's tag"
_LISTED = "lists are no resources: the service authorization reference names none for them"


def quiesce(
    scope: Construct, construct_id: str, *, code: UploadedAsset, environment: str, domain_arn: str | None
) -> Janitor:
    """Make the janitor. ``domain_arn`` is the environment's Studio domain: what is launched there has it as a tag."""
    return Janitor(
        scope,
        construct_id,
        kind="Custom::SandcastleQuiesce",
        handler="quiesce.handler",
        description="Stops and deletes what the environment made at run time",
        code=code,
        statements=[
            *_ends(environment, domain_arn),
            *_sees(environment),
            *_scaling(environment),
            *_rules(environment),
            *_logs(),
        ],
        promises=_promises(environment),
        properties={
            "Environment": environment,
            "DomainArn": domain_arn or "",
            "LateLogSeconds": LATE_LOG_SECONDS,
        },
    )


def _ends(environment: str, domain_arn: str | None) -> list[Statement]:
    """Allow ending what the environment's name or tag is on, and what its Studio launched."""
    named = [sagemaker_arn(kind, f"sandcastle-{environment}--*") for kind in _KINDS]
    tagged = {"StringEquals": {"aws:ResourceTag/sandcastle:environment": environment}}
    statements = [
        Statement(_ENDS, named, reason=_NAMES, unseen=_UNKNOWN_HERE),
        Statement(_ENDS, [sagemaker_arn("*", "*")], tagged, reason=_TAGS),
        Statement(
            ["sagemaker:StopProcessingJob"],
            [sagemaker_arn("processing-job", f"{kind}-*") for kind in _MONITORS],
            reason="a schedule's jobs have names of SageMaker's and no tags; the function asks the schedule for them",
        ),
    ]
    if domain_arn:
        launched = {"StringEquals": {"aws:ResourceTag/sagemaker:domain-arn": domain_arn}}
        statements.append(Statement(_ENDS, [sagemaker_arn("*", "*")], launched, reason=_TAGS))
    return statements


def _sees(environment: str) -> list[Statement]:
    everything = [sagemaker_arn("*", "*")]
    stacks = f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/sandcastle-{environment}-*/*"
    return [
        Statement([*_LISTS, "cloudformation:ListStacks"], ["*"], reason=_LISTED),
        Statement(
            ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
            [stacks],
            reason="stacks of the environment by name; what a name cannot tell apart, the function asks the tags for",
        ),
        Statement(["sagemaker:ListTags"], everything, reason="whose something is has to be asked of all there is"),
        Statement(["tag:GetResources"], ["*"], reason=_LISTED),
    ]


def _scaling(environment: str) -> list[Statement]:
    alarms = f"arn:{PARTITION}:cloudwatch:{REGION}:{ACCOUNT}:alarm:*sandcastle-{environment}--*"
    return [
        Statement(
            ["application-autoscaling:DescribeScalingPolicies", "cloudwatch:DescribeAlarms"],
            ["*"],
            reason="which policies scale an endpoint, and which alarms call them, has to be asked of all there are",
        ),
        scaled_endpoints(),
        Statement(["cloudwatch:DeleteAlarms"], [alarms], reason=_NAMES),
    ]


def _rules(environment: str) -> list[Statement]:
    mine = {"StringEquals": {"aws:ResourceTag/sandcastle:environment": environment}}
    reason = "CloudFormation generates the names of rules; the condition asks for the environment's tag"
    return [Statement(["events:DisableRule"], [_RULES], mine, reason=reason)]


def _logs() -> list[Statement]:
    groups = [log_group_arn(group) for group in JOB_GROUPS]
    endpoints = log_group_arn("/aws/sagemaker/Endpoints/*")
    return [
        Statement(["logs:DescribeLogGroups"], ["*"], reason=_LISTED),
        Statement(
            ["logs:DeleteLogGroup"],
            [endpoints, f"{endpoints}:*"],
            reason="endpoints made at run time have any name; the function deletes groups of those that it deleted",
        ),
        Statement(["logs:DescribeLogStreams"], [f"{arn}:*" for arn in groups], reason=GROUP_REASON),
        Statement(
            ["logs:DeleteLogStream"],
            [f"{arn}:log-stream:*" for arn in groups],
            reason="jobs started at run time have any name; the function deletes streams of those with the tag",
        ),
    ]


def _promises(environment: str) -> Sequence[Promise]:
    own, other = f"sandcastle-{environment}--*", f"sandcastle-{environment}b--*"
    tag = "aws:ResourceTag/sandcastle:environment"
    neighbour = {
        tag: f"{environment}-b",
        "aws:ResourceTag/sagemaker:domain-arn": sagemaker_arn("domain", "d-neighbour"),
    }
    return [
        may("sagemaker:StopTrainingJob", sagemaker_arn("training-job", own)),
        may("sagemaker:DeleteEndpoint", sagemaker_arn("endpoint", own)),
        may("sagemaker:StopPipelineExecution", sagemaker_arn("pipeline", "*"), **{tag: environment}),
        may("sagemaker:DeleteModel", sagemaker_arn("model", "*"), **{tag: environment}),
        may("events:DisableRule", _RULES, **{tag: environment}),
        may_not("events:DisableRule", _RULES, **{tag: f"{environment}-b"}),
        may_not("events:EnableRule", "*"),
        may_not("sagemaker:StopTrainingJob", sagemaker_arn("training-job", other), **neighbour),
        may_not("sagemaker:DeleteEndpoint", sagemaker_arn("endpoint", other), **neighbour),
        may_not("sagemaker:StopProcessingJob", sagemaker_arn("processing-job", other), **neighbour),
        may_not("logs:DeleteLogGroup", log_group_arn("/aws/lambda/*")),
        may_not("sagemaker:CreateEndpoint", "*"),
        may_not("sagemaker:DeleteDomain", "*"),
        may_not("iam:PassRole", "*"),
        may_not("s3:GetObject", "*"),
    ]
