"""Which AWS actions a function's code can call, read from its source: every call that its handler can reach."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import boto3
from botocore import xform_name

SERVICES = (
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "ec2",
    "efs",
    "events",
    "iam",
    "lambda",
    "logs",
    "resourcegroupstaggingapi",
    "s3",
    "sagemaker",
    "scheduler",
    "sns",
)

PREFIXES = {"efs": "elasticfilesystem", "resourcegroupstaggingapi": "tag"}
"""Services whose permissions have another name than the client."""

_LISTS = ("describe_", "get_resources", "list_")
"""How the operations begin that are called by a text."""

ACTIONS = {
    "list_objects_v2": {"s3:ListBucket"},
    "list_object_versions": {"s3:ListBucketVersions"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"},
    "delete_objects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "create_endpoint": {"sagemaker:CreateEndpoint", "sagemaker:AddTags"},
    # SageMaker takes away what scales the endpoint, in the name of whoever deletes it.
    "delete_endpoint": {"sagemaker:DeleteEndpoint", "application-autoscaling:DeregisterScalableTarget"},
    # Application Auto Scaling looks at the variant, and makes alarms, in the name of whoever asks it.
    "register_scalable_target": {
        "application-autoscaling:RegisterScalableTarget",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    },
    "put_scaling_policy": {"application-autoscaling:PutScalingPolicy", "cloudwatch:PutMetricAlarm"},
    "invoke": {"lambda:InvokeFunction"},
    # A request with tags and a role needs both besides (service authorization reference, dependent actions).
    "create_training_job": {"sagemaker:CreateTrainingJob", "sagemaker:AddTags", "iam:PassRole"},
    "create_hyper_parameter_tuning_job": {
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    },
    "create_endpoint_config": {"sagemaker:CreateEndpointConfig", "sagemaker:AddTags"},
    "create_data_quality_job_definition": {
        "sagemaker:CreateDataQualityJobDefinition",
        "sagemaker:AddTags",
        "iam:PassRole",
    },
    "create_model_quality_job_definition": {
        "sagemaker:CreateModelQualityJobDefinition",
        "sagemaker:AddTags",
        "iam:PassRole",
    },
    "create_monitoring_schedule": {"sagemaker:CreateMonitoringSchedule", "sagemaker:AddTags"},
    "create_schedule": {"scheduler:CreateSchedule", "iam:PassRole"},
    "update_schedule": {"scheduler:UpdateSchedule", "iam:PassRole"},
    "create_processing_job": {"sagemaker:CreateProcessingJob", "sagemaker:AddTags", "iam:PassRole"},
}
"""Operations whose permission has another name than the operation, or more than one."""


@cache
def operations() -> dict[str, str]:
    """Return the Python name of every operation of the services, with its permission."""
    found = {}
    for service in SERVICES:
        client = boto3.client(service, "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        for operation in client.meta.service_model.operation_names:
            found[xform_name(operation)] = f"{PREFIXES.get(service, service)}:{operation}"
    return found


def actions_of(folder: Path, handler: str) -> set[str]:
    """Return the permissions that ``module.function`` in the folder needs.

    A name reaches the function of that name in its module or the one it is imported from; an attribute reaches every
    function and method of that name in the modules that its module imports, and in those with classes derived from
    theirs. That is more than really happens and never less, as long as nothing is called through ``getattr``.
    """
    modules = {file.stem: Module(file, folder) for file in folder.glob("*.py")}
    derived = derived_from(modules)
    called: set[str] = set()
    first = tuple(handler.split(".", 1))
    todo, seen = [(first[0], first[1])], set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        module = modules[place[0]]
        for node in (inner for body in module.functions[place[1]] for inner in ast.walk(body)):
            if isinstance(node, ast.Name):
                assert node.id != "getattr", f"{place}: calls that cannot be read"
                todo += [one for one in module.named(node.id) if one[1] in modules[one[0]].functions]
            elif isinstance(node, ast.Attribute):
                reached = module.reach(modules)
                reached |= {other for name in reached for other in derived.get(name, ())}
                todo += [(name, node.attr) for name in reached if node.attr in modules[name].functions]
                called |= {node.attr} & set(operations())
            elif isinstance(node, ast.Constant) and str(node.value).startswith(_LISTS):  # what a paginator is got for
                called |= {str(node.value)} & set(operations())
    return set().union(*(ACTIONS.get(name, {operations()[name]}) for name in called))


def derived_from(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Return, for each module with a class, the modules in which classes are derived from it."""
    found: dict[str, set[str]] = {}
    for module in modules.values():
        for base in module.bases & set(module.imports):
            found.setdefault(module.imports[base][0], set()).add(module.name)
    return found


class Module:
    """One source file: its functions and methods by name, and what it imports from its neighbours."""

    def __init__(self, file: Path, folder: Path) -> None:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        self.name = file.stem
        self.functions: dict[str, list[ast.FunctionDef]] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        self.bases: set[str] = set()
        neighbours = {other.stem for other in folder.glob("*.py")}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                self.functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.ClassDef):
                self.bases |= {base.id for base in node.bases if isinstance(base, ast.Name)}
            elif isinstance(node, ast.ImportFrom) and node.module in neighbours:
                self.imports |= {one.name: (node.module, one.name) for one in node.names}

    def named(self, name: str) -> list[tuple[str, str]]:
        """Return where the name leads to."""
        return [(self.name, name)] if name in self.functions else [self.imports[name]] if name in self.imports else []

    def reach(self, modules: dict[str, Module]) -> set[str]:
        """Return this module and all that it imports, step by step to the end."""
        found, todo = set(), [self.name]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [module for module, _ in modules[name].imports.values()]
        return found
