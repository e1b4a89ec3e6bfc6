"""What an environment has in SageMaker and what is listed, tagged and removed like most: one row for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.audit import sagemaker_costs as costs
from operations.audit.finding import Finding
from operations.audit.survey import Collector, Survey

Cost = Callable[[Survey, str], tuple[float | None, str]]
"""Returns a month's cost of the thing of this name and how it was reckoned."""

_RUNNING = ({"StatusEquals": "InProgress"}, {"StatusEquals": "Stopping"})


@dataclass(frozen=True)
class Kind:
    """How one kind is listed (``listing``, a boto3 operation, and ``result``, the list in its reply) and removed.

    ``name``, ``arn`` and ``status`` are keys of what is listed; ``remove`` takes the name as the parameter ``by``.
    ``questions`` are the filters under which it is listed, one question each; ``cost`` reckons a month.
    ``untaggable`` is what CloudFormation makes without its stack's tags.
    """

    kind: str
    listing: str
    result: str
    name: str
    arn: str
    remove: str
    status: str = ""
    by: str = ""
    cost: Cost = costs.free
    questions: tuple[Mapping[str, str], ...] = ({},)
    untaggable: bool = False


def _job(kind: str, stem: str, operations: str, result: str = "") -> Kind:
    """Return the row of a kind of job: what is not finished counts, and is billed by the second until it is."""
    return Kind(
        f"{kind} job", f"list_{operations}_jobs", result or f"{stem}Summaries", f"{stem}Name", f"{stem}Arn",
        f"stop_{operations}_job", f"{stem}Status", cost=costs.by_the_second, questions=_RUNNING,
    )  # fmt: skip


def _definition(kind: str, stem: str) -> Kind:
    return Kind(
        f"{kind} job definition", f"list_{stem}_job_definitions", "JobDefinitionSummaries",
        "MonitoringJobDefinitionName", "MonitoringJobDefinitionArn", f"delete_{stem}_job_definition",
        by="JobDefinitionName",
    )  # fmt: skip


MODEL_GROUPS = Kind(
    "model package group", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName",
    "ModelPackageGroupArn", "delete_model_package_group", "ModelPackageGroupStatus",
)  # fmt: skip
PIPELINES = Kind("pipeline", "list_pipelines", "PipelineSummaries", "PipelineName", "PipelineArn", "delete_pipeline")
SCHEDULES = Kind(
    "monitoring schedule", "list_monitoring_schedules", "MonitoringScheduleSummaries", "MonitoringScheduleName",
    "MonitoringScheduleArn", "delete_monitoring_schedule", "MonitoringScheduleStatus", cost=costs.by_the_firing,
    untaggable=True,
)  # fmt: skip
KINDS = (
    Kind(
        "endpoint", "list_endpoints", "Endpoints", "EndpointName", "EndpointArn", "delete_endpoint", "EndpointStatus",
        cost=costs.endpoint,
    ),
    Kind(
        "inference component", "list_inference_components", "InferenceComponents", "InferenceComponentName",
        "InferenceComponentArn", "delete_inference_component", "InferenceComponentStatus",
    ),
    Kind(
        "endpoint config", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn",
        "delete_endpoint_config",
    ),
    Kind("model", "list_models", "Models", "ModelName", "ModelArn", "delete_model"),
    _job("training", "TrainingJob", "training"),
    _job("processing", "ProcessingJob", "processing"),
    _job("transform", "TransformJob", "transform"),
    _job("tuning", "HyperParameterTuningJob", "hyper_parameter_tuning"),
    Kind(
        "warm pool", "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", "TrainingJobArn",
        "update_training_job", "TrainingJobStatus", cost=costs.warm_pool,
        questions=({"WarmPoolStatusEquals": "Available"},),  # one in use is billed as the job that uses it
    ),
    PIPELINES,
    MODEL_GROUPS,
    SCHEDULES,
    _definition("data quality", "data_quality"),
    _definition("model quality", "model_quality"),
    _definition("model bias", "model_bias"),
    _definition("model explainability", "model_explainability"),
    Kind(
        "notebook instance", "list_notebook_instances", "NotebookInstances", "NotebookInstanceName",
        "NotebookInstanceArn", "delete_notebook_instance", "NotebookInstanceStatus", cost=costs.notebook,
    ),
    Kind(
        "notebook lifecycle config", "list_notebook_instance_lifecycle_configs", "NotebookInstanceLifecycleConfigs",
        "NotebookInstanceLifecycleConfigName", "NotebookInstanceLifecycleConfigArn",
        "delete_notebook_instance_lifecycle_config",
    ),
    Kind(
        "studio lifecycle config", "list_studio_lifecycle_configs", "StudioLifecycleConfigs",
        "StudioLifecycleConfigName", "StudioLifecycleConfigArn", "delete_studio_lifecycle_config",
    ),
    Kind(
        "feature group", "list_feature_groups", "FeatureGroupSummaries", "FeatureGroupName", "FeatureGroupArn",
        "delete_feature_group", "FeatureGroupStatus", cost=costs.feature_group,
    ),
    Kind(
        "MLflow server", "list_mlflow_tracking_servers", "TrackingServerSummaries", "TrackingServerName",
        "TrackingServerArn", "delete_mlflow_tracking_server", "TrackingServerStatus", cost=costs.unpriced,
    ),
    Kind(
        "MLflow app", "list_mlflow_apps", "Summaries", "Name", "Arn", "delete_mlflow_app", "Status", by="Arn",
        cost=costs.unpriced,
    ),
)  # fmt: skip
"""Every kind but those of Studio that lie in a domain, and those that lie in one of these (``executions`` ...)."""


def collector(kind: Kind) -> Collector:
    """Return what yields everything of a kind."""

    def collect(survey: Survey) -> Iterator[Finding]:
        for item, why in owned(survey, kind):
            name = item[kind.name]
            usd, price = kind.cost(survey, name)
            by = kind.by or kind.name
            removal = survey.owner.call("sagemaker", kind.remove, **{by: item.get(by, name)})
            yield Finding(
                kind.kind, name, item.get(kind.status, ""), usd, why, removal, price, item.get("CreationTime")
            )

    return collect


def owned(survey: Survey, kind: Kind) -> Iterator[tuple[Any, str]]:
    """Yield each listed item that the owner has, with the reason; tags are asked of the service one by one."""
    listed = {
        item[kind.arn]: item
        for question in kind.questions
        for item in survey.pages("sagemaker", kind.listing, kind.result, **question)
    }
    for arn, tag_map in survey.each(survey.sagemaker_tags, listed):
        name = listed[arn][kind.name]
        why = survey.why(tag_map, name)
        if not why and kind.untaggable and name in survey.memory.names:
            why = "made by a stack of this environment"
        if why:
            yield listed[arn], why


def executions(survey: Survey) -> Iterator[Finding]:
    """Yield every execution of a pipeline that has not ended; its steps run jobs."""
    for pipeline, why in owned(survey, PIPELINES):
        parameters = {"PipelineName": pipeline["PipelineName"]}
        for item in survey.pages("sagemaker", "list_pipeline_executions", "PipelineExecutionSummaries", **parameters):
            if item["PipelineExecutionStatus"] in ("Executing", "Stopping"):
                arn = item["PipelineExecutionArn"]
                yield Finding(
                    "pipeline execution", arn.split("pipeline/", 1)[-1], item["PipelineExecutionStatus"], None,
                    f"of a pipeline with {why}",
                    survey.owner.call("sagemaker", "stop_pipeline_execution", PipelineExecutionArn=arn),
                    "its jobs are billed by the second", item.get("StartTime"),
                )  # fmt: skip


def packages(survey: Survey) -> Iterator[Finding]:
    """Yield every version in a model package group, and packages without a group."""
    groups = [group["ModelPackageGroupName"] for group, _ in owned(survey, MODEL_GROUPS)]
    found = [
        (item, "in a group of this environment")
        for group in groups
        for item in survey.pages(
            "sagemaker", "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group
        )
    ]
    single = Kind("", "list_model_packages", "ModelPackageSummaryList", "ModelPackageName", "ModelPackageArn", "")
    found += owned(survey, single)
    for item, why in found:
        arn = item["ModelPackageArn"]
        yield Finding(
            "model package", arn.split("model-package/", 1)[-1], item["ModelPackageStatus"], 0.0, why,
            survey.owner.call("sagemaker", "delete_model_package", ModelPackageName=arn),
            created=item.get("CreationTime"),
        )  # fmt: skip


def monitoring_runs(survey: Survey) -> Iterator[Finding]:
    """Yield every monitoring job that runs: SageMaker names it by the hour and puts no tag on it."""
    for schedule, why in owned(survey, SCHEDULES):
        name = schedule["MonitoringScheduleName"]
        for item in survey.pages(
            "sagemaker", "list_monitoring_executions", "MonitoringExecutionSummaries", MonitoringScheduleName=name
        ):
            job = item.get("ProcessingJobArn", "").rsplit("/", 1)[-1]
            if job and item["MonitoringExecutionStatus"] in ("Pending", "InProgress", "Stopping"):
                yield Finding(
                    "processing job", job, item["MonitoringExecutionStatus"], None, f"of a schedule with {why}",
                    survey.owner.call("sagemaker", "stop_processing_job", ProcessingJobName=job),
                    "billed by the second until it ends", item.get("CreationTime"),
                )  # fmt: skip
