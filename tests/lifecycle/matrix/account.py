"""Everything that is in an account, asked of each service directly: the project's own audit is what is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.lifecycle.conftest import Cloud

_SAGEMAKER = {
    # list operation, member of the reply, name of an entry
    "domain": ("list_domains", "Domains", "DomainId"),
    "user profile": ("list_user_profiles", "UserProfiles", "UserProfileName"),
    "space": ("list_spaces", "Spaces", "SpaceName"),
    "studio lifecycle config": ("list_studio_lifecycle_configs", "StudioLifecycleConfigs", "StudioLifecycleConfigName"),
    "notebook instance": ("list_notebook_instances", "NotebookInstances", "NotebookInstanceName"),
    "notebook lifecycle config": (
        "list_notebook_instance_lifecycle_configs",
        "NotebookInstanceLifecycleConfigs",
        "NotebookInstanceLifecycleConfigName",
    ),
    "endpoint": ("list_endpoints", "Endpoints", "EndpointName"),
    "endpoint config": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    "model": ("list_models", "Models", "ModelName"),
    "monitoring schedule": ("list_monitoring_schedules", "MonitoringScheduleSummaries", "MonitoringScheduleName"),
    "data quality job definition": (
        "list_data_quality_job_definitions",
        "JobDefinitionSummaries",
        "MonitoringJobDefinitionName",
    ),
    "model quality job definition": (
        "list_model_quality_job_definitions",
        "JobDefinitionSummaries",
        "MonitoringJobDefinitionName",
    ),
    "pipeline": ("list_pipelines", "PipelineSummaries", "PipelineName"),
    "model package group": ("list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
}

_RUNNING_JOBS = {
    "training job": ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    "processing job": ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName"),
    "tuning job": (
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJobName",
    ),
    "transform job": ("list_transform_jobs", "TransformJobSummaries", "TransformJobName"),
}

_EC2 = {
    "vpc": ("describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "security group": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "network interface": ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    "vpc endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "route table": ("describe_route_tables", "RouteTables", "RouteTableId"),
}

_OTHERS: dict[str, Callable[[Cloud], Iterator[str]]] = {}


def contents(cloud: Cloud) -> dict[str, set[str]]:
    """Return the names of everything in the account by kind; what is only a free record of the past is left out."""
    found: dict[str, set[str]] = {}
    sagemaker, ec2 = cloud.client("sagemaker"), cloud.client("ec2")
    for kind, (operation, result, name) in _SAGEMAKER.items():
        found[kind] = set(_names(sagemaker, operation, result, name))
    found["app"] = {
        f"{app['DomainId']}/{app.get('SpaceName') or app.get('UserProfileName')}/{app['AppName']}"
        for app in _items(sagemaker, "list_apps", "Apps")
        if app["Status"] not in ("Deleted", "Failed")
    }
    for kind, (operation, result, name) in _RUNNING_JOBS.items():
        for status in ("InProgress", "Stopping"):
            found[kind] = found.get(kind, set()) | set(_names(sagemaker, operation, result, name, StatusEquals=status))
    for kind, (operation, result, name) in _EC2.items():
        found[kind] = set(_names(ec2, operation, result, name))
    for kind, ask in _OTHERS.items():
        found[kind] = set(ask(cloud))
    return found


def more(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what is there after and was not before, by kind."""
    return {kind: names - before[kind] for kind, names in after.items() if names - before[kind]}


def _other(kind: str) -> Callable[[Callable[[Cloud], Iterator[str]]], Callable[[Cloud], Iterator[str]]]:
    def register(ask: Callable[[Cloud], Iterator[str]]) -> Callable[[Cloud], Iterator[str]]:
        _OTHERS[kind] = ask
        return ask

    return register


@_other("stack")
def _stacks(cloud: Cloud) -> Iterator[str]:
    yield from cloud.stacks()


@_other("bucket")
def _buckets(cloud: Cloud) -> Iterator[str]:
    yield from (bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"])


@_other("file system")
def _file_systems(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("efs"), "describe_file_systems", "FileSystems", "FileSystemId")


@_other("log group")
def _log_groups(cloud: Cloud) -> Iterator[str]:
    """Groups that all jobs, notebooks or apps of an account share stay: their streams are what counts."""
    logs = cloud.client("logs")
    for group in _names(logs, "describe_log_groups", "logGroups", "logGroupName"):
        if group.startswith("/aws/sagemaker/") and "Endpoints/" not in group:
            for stream in _names(logs, "describe_log_streams", "logStreams", "logStreamName", logGroupName=group):
                yield f"{group}: {stream}"
        else:
            yield group


@_other("alarm")
def _alarms(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("cloudwatch"), "describe_alarms", "MetricAlarms", "AlarmName")


@_other("dashboard")
def _dashboards(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("cloudwatch"), "list_dashboards", "DashboardEntries", "DashboardName")


@_other("budget")
def _budgets(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("budgets"), "describe_budgets", "Budgets", "BudgetName", AccountId="000000000000")


@_other("topic")
def _topics(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("sns"), "list_topics", "Topics", "TopicArn")


@_other("function")
def _functions(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("lambda"), "list_functions", "Functions", "FunctionName")


@_other("state machine")
def _machines(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("stepfunctions"), "list_state_machines", "stateMachines", "stateMachineArn")


@_other("role")
def _roles(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("iam"), "list_roles", "Roles", "RoleName")


@_other("managed policy")
def _policies(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("iam"), "list_policies", "Policies", "Arn", Scope="Local")


@_other("schedule")
def _schedules(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("scheduler"), "list_schedules", "Schedules", "Arn")


@_other("schedule group")
def _groups(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("scheduler"), "list_schedule_groups", "ScheduleGroups", "Name")


@_other("event rule")
def _rules(cloud: Cloud) -> Iterator[str]:
    yield from _names(cloud.client("events"), "list_rules", "Rules", "Name")


@_other("scalable target")
def _targets(cloud: Cloud) -> Iterator[str]:
    client = cloud.client("application-autoscaling")
    yield from _names(
        client, "describe_scalable_targets", "ScalableTargets", "ResourceId", ServiceNamespace="sagemaker"
    )


def _items(client: Any, operation: str, result: str, **parameters: Any) -> Iterator[Any]:
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**parameters):
            yield from page[result]
    else:
        yield from getattr(client, operation)(**parameters)[result]


def _names(client: Any, operation: str, result: str, name: str, **parameters: Any) -> Iterator[str]:
    yield from (item[name] for item in _items(client, operation, result, **parameters))
