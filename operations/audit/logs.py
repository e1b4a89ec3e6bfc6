"""What an environment has in CloudWatch Logs: groups of its own, and streams in the groups that an account shares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.audit.finding import Finding
from operations.audit.prices import item_month
from operations.audit.survey import Survey
from operations.project import ENVIRONMENT_TAG

SAGEMAKER = "/aws/sagemaker/"
SHARED = tuple(
    SAGEMAKER + name for name in ("TrainingJobs", "ProcessingJobs", "TransformJobs", "NotebookInstances", "studio")
)
"""Groups in which SageMaker keeps a stream for each job, notebook instance or app of the account."""

_JOBS = ("sagemaker:training-job", "sagemaker:processing-job", "sagemaker:transform-job")
"""Records of jobs outlive the jobs and keep their tags (facts on teardown, 1.11 to 1.14)."""


def log_groups(survey: Survey) -> Iterator[Finding]:
    """Yield the environment's own groups, by tag or by the name of the endpoint or function whose logs they hold."""
    listed = {
        group["logGroupName"]: group
        for group in survey.pages("logs", "describe_log_groups", "logGroups")
        if group["logGroupName"] not in SHARED
    }
    for name, tag_map in survey.each(lambda name: _tags(survey, name), listed):
        why = survey.owner.by_map(tag_map)
        if not why and ENVIRONMENT_TAG not in tag_map and name.startswith(SAGEMAKER):
            last = name.rsplit("/", 1)[-1]
            why = survey.owner.by_run_time_name(last) or ("name" if last in survey.memory.names else None)
        if why:
            removal = survey.owner.call("logs", "delete_log_group", logGroupName=name)
            yield _finding(survey, "log group", name, listed[name], why, removal)


def log_streams(survey: Survey) -> Iterator[Finding]:
    """Yield the environment's streams in the shared groups.

    A stream is named after its job (``<job>/algo-1-...``), notebook instance (``<instance>/...``) or Studio domain
    (``<domain>/<profile or space>/...``).
    """
    shared = [
        group["logGroupName"]
        for group in survey.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=SAGEMAKER)
        if group["logGroupName"] in SHARED
    ]
    if not shared:
        return
    domains = {domain["DomainId"] for domain, _ in survey.domains.ours} | survey.memory.domains
    notebooks = _notebooks(survey)
    prefixes = {f"{name}/" for name in (*domains, *notebooks, *survey.memory.names, *_tagged_jobs(survey))}
    named = survey.owner.job_prefixes
    prefixes = {prefix for prefix in prefixes if not prefix.startswith(named)} | set(named)
    questions = [(group, prefix) for group in shared for prefix in sorted(prefixes)]
    for (group, _), streams in survey.each(lambda pair: streams_of(survey, *pair), questions):
        for stream in streams:
            yield stream_finding(survey, group, stream, "name")


def stream_finding(survey: Survey, group: str, stream: Any, why: str) -> Finding:
    """Return what is told of a stream that is the environment's for this reason."""
    name = stream["logStreamName"]
    removal = survey.owner.call("logs", "delete_log_stream", logGroupName=group, logStreamName=name)
    return _finding(survey, "log stream", f"{group} {name}", stream, why, removal)


def streams_of(survey: Survey, group: str, prefix: str) -> list[Any]:
    """Return the streams of a group whose names begin so."""
    return survey.pages("logs", "describe_log_streams", "logStreams", logGroupName=group, logStreamNamePrefix=prefix)


def _notebooks(survey: Survey) -> set[str]:
    """Return the names of the environment's notebook instances: CloudFormation generates them."""
    found = survey.pages("sagemaker", "list_notebook_instances", "NotebookInstances")
    by_arn = {item["NotebookInstanceArn"]: item["NotebookInstanceName"] for item in found}
    return {
        by_arn[arn] for arn, tag_map in survey.each(survey.sagemaker_tags, by_arn) if survey.why(tag_map, by_arn[arn])
    }


def _tagged_jobs(survey: Survey) -> set[str]:
    """Return the names of all jobs, ended ones too, that carry the environment's tag.

    The tag index may lag behind (it says what is tagged, never what is not): it only adds to what names prove.
    """
    found = survey.pages(
        "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList",
        TagFilters=[{"Key": ENVIRONMENT_TAG, "Values": [survey.owner.environment]}], ResourceTypeFilters=list(_JOBS),
    )  # fmt: skip
    return {item["ResourceARN"].rsplit("/", 1)[-1] for item in found}


def _finding(survey: Survey, kind: str, name: str, item: Any, why: str, removal: Any) -> Finding:
    size = item.get("storedBytes", 0)
    usd = item_month(survey.owner.region, "log storage", size / 2**30)
    made = datetime.fromtimestamp(item["creationTime"] / 1000, UTC) if "creationTime" in item else None
    return Finding(kind, name, f"{size:,} bytes", usd, why, removal, "log storage", made)


def _tags(survey: Survey, group: str) -> dict[str, str]:
    arn = f"arn:aws:logs:{survey.owner.region}:{survey.owner.account}:log-group:{group}"
    try:
        found: dict[str, str] = survey.client("logs").list_tags_for_resource(resourceArn=arn).get("tags", {})
        return found
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
