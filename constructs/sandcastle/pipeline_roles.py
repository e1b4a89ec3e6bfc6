"""Roles of a pipeline beside those that every workload has: the pipeline itself, and who judges and who watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.monitor_roles import METRICS
from sandcastle.naming import PipelineNames
from sandcastle.permissions import (
    ON_AWS,
    PARTITION,
    list_objects,
    pass_roles,
    pull_image,
    put_metrics,
    read_objects,
    sagemaker_arn,
    write_logs,
    write_objects,
)
from sandcastle.pipeline.baselines import DATA_FOLDER, MODEL_FOLDER
from sandcastle.pipeline_places import PipelinePlaces
from sandcastle.promises import may, may_not
from sandcastle.roles import ServiceRole, Statement

_PROCESSING = "/aws/sagemaker/ProcessingJobs"
_RUNS = "files of this workload's pipeline only; the folder between is a version of the data or a run"
_JOBS = "what runs of this workload's pipelines make; SageMaker ends the names with the run's id and a random part"
_STOPPED = "only when a run is stopped, or fails while other steps run"


@dataclass(frozen=True)
class Buckets:
    """ARNs of the environment's buckets."""

    data: str
    models: str
    reports: str


def evaluate_role(
    scope: Construct,
    construct_id: str,
    *,
    names: PipelineNames,
    places: PipelinePlaces,
    buckets: Buckets,
    code: UploadedAsset,
    image: str,
    version: str,
) -> ServiceRole:
    """Add the role of the jobs that judge models; ``code`` is what they run, ``version`` one of the data's versions."""
    tests, about = places.prepared("test"), places.prepared("about")
    archive = f"arn:{PARTITION}:s3:::{code.bucket}"
    left = places.made_by_runs("Evaluate*")
    return ServiceRole(
        scope,
        construct_id,
        service="sagemaker.amazonaws.com",
        source_account=True,
        description=f"Judges the models of {names.workload}",
        statements=[
            read_objects(archive, code.key),
            list_objects(archive, f"{code.key}*"),
            read_objects(buckets.models, places.archives, reason=_RUNS),
            list_objects(buckets.models, f"{places.folder}/*"),
            read_objects(buckets.data, tests, about, reason=_RUNS),
            list_objects(buckets.data, f"{places.folder}/*"),
            write_objects(buckets.data, left, reason=_RUNS),
            *write_logs(_PROCESSING, f"{names.pipeline_job_prefix}-*"),
            put_metrics(_PROCESSING, unseen=ON_AWS),
            *pull_image(image),
        ],
        promises=[
            may("s3:GetObject", f"{buckets.models}/{places.archives}"),
            may("s3:GetObject", f"{buckets.data}/{tests}"),
            may("s3:PutObject", f"{buckets.data}/{left}"),
            may_not("s3:GetObject", f"{buckets.data}/{places.folder}/{version}/train/train.csv"),
            may_not("s3:PutObject", f"{buckets.data}/{places.folder}/{version}/*"),
            may_not("s3:PutObject", f"{buckets.models}/*"),
            may_not("s3:DeleteObject", "*"),
            may_not("sagemaker:CreateModel", "*"),
            may_not("iam:PassRole", "*"),
        ],
    )


def monitor_role(
    scope: Construct,
    construct_id: str,
    *,
    names: PipelineNames,
    places: PipelinePlaces,
    buckets: Buckets,
    capture: str,
    images: Sequence[str],
    code: Sequence[UploadedAsset],
    streams: Sequence[str],
) -> ServiceRole:
    """Add the role of the jobs that make baselines, and of those of the monitoring schedules.

    ``capture`` is the folder of what the endpoint captures; ``images`` are those of the engine; ``code`` is what its
    jobs read: the script that makes rows of what is captured, and the portable analyzer. ``streams`` are what the names
    of the logs of scheduled jobs begin with.
    """
    programs = [(f"arn:{PARTITION}:s3:::{one.bucket}", one.key) for one in code]
    baseline, runs = places.prepared("baseline"), places.made_by_runs()
    found = [places.prepared(DATA_FOLDER), places.made_by_runs("Evaluate*", MODEL_FOLDER, "*")]
    watched, reports = f"{capture}/*", f"{places.reports}/*"
    return ServiceRole(
        scope,
        construct_id,
        service="sagemaker.amazonaws.com",
        source_account=True,
        description=f"Makes baselines for {names.workload} and watches its endpoint",
        statements=[
            *(read_objects(bucket, key) for bucket, key in programs),
            *(list_objects(bucket, f"{key}*") for bucket, key in programs),
            read_objects(buckets.data, baseline, found[0], runs, reason=_RUNS),
            list_objects(buckets.data, f"{places.folder}/*"),
            write_objects(buckets.data, *found, reason=_RUNS),
            read_objects(buckets.reports, watched, reports, reason="captured data and reports of this workload only"),
            list_objects(buckets.reports, watched, reports),
            write_objects(buckets.reports, reports, reason="SageMaker names reports by endpoint, schedule and hour"),
            *write_logs(
                _PROCESSING,
                f"{names.pipeline_job_prefix}-*",
                f"{names.job_prefix}-mon-*",  # run by hand: operations/monitor
                *(f"{begin}*" for begin in streams),
            ),
            put_metrics(_PROCESSING, *METRICS),
            *pull_image(*images),
        ],
        promises=[
            *(may("s3:GetObject", f"{bucket}/{key}") for bucket, key in programs),
            may("s3:GetObject", f"{buckets.data}/{baseline}"),
            may("s3:GetObject", f"{buckets.reports}/{watched}"),
            *(may("s3:PutObject", f"{buckets.data}/{key}") for key in found),
            may("s3:PutObject", f"{buckets.reports}/{reports}"),
            may_not("s3:PutObject", f"{buckets.reports}/{watched}"),
            may_not("s3:GetObject", f"{buckets.models}/*"),
            may_not("s3:DeleteObject", "*"),
            may_not("sagemaker:UpdateEndpoint", "*"),
            may_not("iam:PassRole", "*"),
        ],
    )


def pipeline_role(
    scope: Construct,
    construct_id: str,
    *,
    names: PipelineNames,
    places: PipelinePlaces,
    buckets: Buckets,
    tunes: bool,
    functions: Sequence[str],
    job_roles: Sequence[str],
) -> ServiceRole:
    """Add the role of both pipelines: it starts their jobs, with these roles and no others, and calls these functions.

    Whatever it makes has a name that begins as this workload's; what is not named so it can neither make nor stop.
    """
    made = f"{names.pipeline_job_prefix}-*"
    jobs = {kind: sagemaker_arn(f"{kind}-job", made) for kind in ("processing", "training", "transform")}
    tuning = sagemaker_arn("hyper-parameter-tuning-job", f"{names.tuning_prefix}-*")
    models = sagemaker_arn("model", made)
    group, packages = (
        sagemaker_arn("model-package-group", names.group),
        sagemaker_arn("model-package", f"{names.group}/*"),
    )
    judged = places.made_by_runs("Evaluate*", "evaluation", "evaluation.json")
    return ServiceRole(
        scope,
        construct_id,
        service="sagemaker.amazonaws.com",
        source_account=True,
        description=f"Runs the pipelines of {names.workload}",
        statements=[
            *(_job(kind.capitalize(), arn) for kind, arn in jobs.items()),
            *([_job("HyperParameterTuning", tuning, "ListTrainingJobsForHyperParameterTuning")] if tunes else []),
            _made("CreateModel", "DescribeModel", arn=models),
            _made("CreateModelPackage", "DescribeModelPackage", arn=packages),
            Statement(["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackageGroup"], [group]),
            Statement(
                ["sagemaker:ListModelPackages"],
                ["*"],
                reason="which version's baselines count is a list's to say: it names no resource",
                unseen={"sagemaker:ListModelPackages": "only when a check is compared with an approved version's"},
            ),
            read_objects(buckets.data, judged, reason=_RUNS),
            Statement(["lambda:InvokeFunction"], functions),
            pass_roles(job_roles, "sagemaker.amazonaws.com"),
        ],
        promises=[
            *(may(f"sagemaker:Create{kind.capitalize()}Job", arn) for kind, arn in jobs.items()),
            *([may("sagemaker:CreateHyperParameterTuningJob", tuning)] if tunes else []),
            may("sagemaker:CreateModelPackage", packages),
            *(may("lambda:InvokeFunction", arn) for arn in functions),
            *(may("iam:PassRole", arn, iam__PassedToService="sagemaker.amazonaws.com") for arn in job_roles),
            *(may_not("iam:PassRole", arn, iam__PassedToService="lambda.amazonaws.com") for arn in job_roles),
            may_not("sagemaker:CreateTrainingJob", sagemaker_arn("training-job", "other-*")),
            may_not("sagemaker:StopProcessingJob", sagemaker_arn("processing-job", "other-*")),
            may_not("sagemaker:UpdateModelPackage", "*"),
            may_not("sagemaker:CreateEndpoint", "*"),
            may_not("sagemaker:UpdateEndpoint", "*"),
            may_not("s3:PutObject", "*"),
            may_not("s3:GetObject", f"{buckets.models}/*"),
        ],
    )


def _job(kind: str, arn: str, *more: str) -> Statement:
    """Allow starting jobs of a kind, looking at them, stopping them; ``more`` are further actions, without ``Job``."""
    actions = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
    return Statement(
        ["sagemaker:AddTags", *actions, *(f"sagemaker:{one}Job" for one in more)],
        [arn],
        reason=_JOBS,
        unseen={f"sagemaker:Stop{kind}Job": _STOPPED},
    )


def _made(*actions: str, arn: str) -> Statement:
    return Statement(["sagemaker:AddTags", *(f"sagemaker:{action}" for action in actions)], [arn], reason=_JOBS)
