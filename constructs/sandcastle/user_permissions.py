"""What a user of Studio may do with SageMaker: in spaces of one's own, and with whatever carries one's name as a tag.

The condition keys are those of the service authorization reference for SageMaker; which of them Studio sends is in the
developer guide, "Give your users access to spaces" and "Provide permissions for tagging".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandcastle.permissions import log_group_arn, pass_roles, pull_image, put_metrics, sagemaker_arn
from sandcastle.roles import Statement

JOB_LOGS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs")
"""Where jobs log; all jobs of an account share these groups."""

STUDIO_LOGS = "/aws/sagemaker/studio"
"""Where apps and their lifecycle scripts log, in streams that begin with the domain's id."""

_JOBS = (
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateTransformJob",
)
_SERVING = ("sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel")

_OWN = (
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeHyperParameterTuningJob",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:DescribeTransformJob",
    "sagemaker:InvokeEndpoint",
    "sagemaker:ListTags",
    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    "sagemaker:StopHyperParameterTuningJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:StopTransformJob",
    "sagemaker:UpdateEndpoint",
)
"""What one may do with what carries one's name. CreateEndpoint is asked about the configuration, too."""

_LISTS = (
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListModels",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
)
_STUDIO_LISTS = ("sagemaker:ListApps", "sagemaker:ListDomains", "sagemaker:ListSpaces", "sagemaker:ListUserProfiles")

_PAGES = "Studio's own pages in the browser call it, and no test opens them"
_UNLISTED = "lists are no resources: the service authorization reference names none for them"
_NAMED = "kinds of things are bounded by the actions; names are free, and the tags in the condition say whose it is"


def own_tags(environment: str, user: str, kind: str) -> dict[str, str]:
    """Return the condition that the tags name environment and user; ``kind`` is RequestTag or ResourceTag."""
    return {f"aws:{kind}/sandcastle:environment": environment, f"aws:{kind}/sandcastle:user": user}


def in_own_spaces(domain_id: str, user: str, instances: Sequence[str]) -> list[Statement]:
    """Allow a user to make, change and delete private spaces of one's own, and apps in them, on these instances.

    A shared space belongs to nobody, and an app outside a space (Studio Classic) has no owner to compare: neither is
    allowed.
    """
    profile = sagemaker_arn("user-profile", f"{domain_id}/{user}")
    space, app = sagemaker_arn("space", f"{domain_id}/*"), sagemaker_arn("app", f"{domain_id}/*")
    private = {"sagemaker:OwnerUserProfileArn": profile, "sagemaker:SpaceSharingType": "Private"}
    reason = "spaces have names that their owner chooses; the conditions bound it to the user's own in this domain"
    return [
        Statement(
            ["sagemaker:CreateSpace", "sagemaker:UpdateSpace", "sagemaker:DeleteSpace"],
            [space],
            {"StringEquals": private, "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(instances)}},
            reason=reason,
        ),
        Statement(["sagemaker:CreateApp"], [app], {"StringEquals": private, **_on_one_of(instances)}, reason=reason),
        Statement(["sagemaker:DeleteApp"], [app], {"StringEquals": private}, reason=reason),
        Statement(
            ["sagemaker:CreatePresignedDomainUrl", "sagemaker:DescribeUserProfile"],
            [profile],
            unseen={"sagemaker:CreatePresignedDomainUrl": _PAGES, "sagemaker:DescribeUserProfile": _PAGES},
        ),
    ]


def with_own_tags(environment: str, user: str, instances: Sequence[str]) -> list[Statement]:
    """Allow a user to start jobs, models and endpoints that carry one's name, and to do with those as one likes.

    Whoever could tag what is there already could take it over: tags are allowed only while something is made.
    An endpoint configuration without an instance type is a serverless one, which costs nothing while nobody asks it.
    """
    request = own_tags(environment, user, "RequestTag")
    resource = own_tags(environment, user, "ResourceTag")
    anything = [sagemaker_arn("*", "*")]
    tagging = {"sagemaker:TaggingAction": [_operation(action) for action in (*_JOBS, *_SERVING)]}
    types = {"ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(instances)}}
    return [
        Statement(_JOBS, anything, {"StringEquals": request, **_on_one_of(instances)}, reason=_NAMED),
        Statement(_SERVING, anything, {"StringEquals": request, **types}, reason=_NAMED),
        Statement(["sagemaker:AddTags"], anything, {"StringEquals": {**request, **tagging}}, reason=_NAMED),
        Statement(["sagemaker:CreateEndpoint", *_OWN], anything, {"StringEquals": resource}, reason=_NAMED),
    ]


def with_own_names(prefix: str, instances: Sequence[str]) -> list[Statement]:
    """Allow a user the same with jobs, models and endpoints whose names begin with the prefix, tags or not.

    The SageMaker SDK (3.27) gives training and processing jobs no tags of its configuration, and processing jobs no
    tags at all; a name it takes. (No name has a slash in it, so that the first ``*`` stands for a kind only.)
    """
    own = [sagemaker_arn("*", f"{prefix}*")]
    types = {"ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(instances)}}
    reason = "kinds of things are bounded by the actions; the beginning of the name is the user's"
    return [
        Statement(_JOBS, own, _on_one_of(instances), reason=reason),
        Statement(_SERVING, own, types, reason=reason),
        Statement(_OWN, own, reason=reason),
    ]


def own_job_logs(prefix: str) -> Statement:
    """Allow reading what jobs logged whose names begin with the prefix. Streams carry no tags, only the job's name."""
    return Statement(
        ["logs:GetLogEvents"],
        [f"{log_group_arn(group)}:log-stream:{prefix}*" for group in JOB_LOGS],
        reason="a stream's name is the job's, a host and a time; the beginning is the user's",
    )


def as_oneself(role_arn: str) -> Statement:
    """Allow handing one's own role to what one starts: a job can do what its user can, and no more."""
    return pass_roles([role_arn], "sagemaker.amazonaws.com")


def of_everybody(domain_id: str, images: Sequence[str]) -> list[Statement]:
    """Allow what differs for no user of Studio: seeing what there is, logging, and what jobs need to run."""
    studio = log_group_arn(STUDIO_LOGS)
    return [
        Statement(
            _STUDIO_LISTS,
            ["*"],
            reason=_UNLISTED,
            unseen={"sagemaker:ListDomains": _PAGES, "sagemaker:ListUserProfiles": _PAGES},
        ),
        Statement(
            ["sagemaker:DescribeApp", "sagemaker:DescribeDomain", "sagemaker:DescribeSpace"],
            [
                sagemaker_arn("domain", domain_id),
                sagemaker_arn("space", f"{domain_id}/*"),
                sagemaker_arn("app", f"{domain_id}/*"),
            ],
            reason="Studio's pages show the domain's spaces and apps, whatever their names",
        ),
        Statement(
            ["sagemaker:AddTags"],
            [sagemaker_arn("space", f"{domain_id}/*"), sagemaker_arn("app", f"{domain_id}/*")],
            {"StringEquals": {"sagemaker:TaggingAction": ["CreateApp", "CreateSpace"]}},
            reason="tags that Studio gives a space or app while it makes it, in this domain; later nobody may",
        ),
        *running_jobs(images, logging_to=[studio], streams=[f"{studio}:log-stream:{domain_id}/*"]),
    ]


def running_jobs(images: Sequence[str], logging_to: Sequence[str], streams: Sequence[str]) -> list[Statement]:
    """Allow seeing all jobs and endpoints, and what one's own need to run: logs, metrics, images.

    ``logging_to`` are ARNs of further log groups, ``streams`` those of the streams in them that may be written.
    """
    written = [*(log_group_arn(group) for group in JOB_LOGS), log_group_arn("/aws/sagemaker/Endpoints/*")]
    return [
        Statement(_LISTS, ["*"], reason=_UNLISTED),
        Statement(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"],
            [text for arn in (*written, *logging_to) for text in (arn, f"{arn}:*")],
            reason="SageMaker logs as the role of what logs, into groups that it shares or names",
        ),
        Statement(
            ["logs:PutLogEvents"],
            [*(f"{arn}:log-stream:*" for arn in written), *streams],
            reason="streams are named by job, endpoint, notebook or app; those of the last two begin with what is ours",
        ),
        put_metrics("/aws/sagemaker/Endpoints", *JOB_LOGS),  # namespaces are called like the log groups
        *pull_image(*images),
    ]


def _on_one_of(instances: Sequence[str]) -> dict[str, Any]:
    """Return the condition that every instance type of the request is one of these, and that it names any."""
    return {
        "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": list(instances)},
        "Null": {"sagemaker:InstanceTypes": "false"},
    }


def _operation(action: str) -> str:
    """Return the name of the API operation that an action of IAM is for."""
    return action.partition(":")[2]
