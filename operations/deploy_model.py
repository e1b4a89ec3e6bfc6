"""``sandcastle deploy-model WORKLOAD JOB``: another model behind the deployed endpoint, and back again."""

from __future__ import annotations

from typing import Any

from operations.by_hand import follow, goes_on, names_begin, new_name, tags_of
from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.project import job_prefix
from operations.served import known_workload
from operations.stacks import environment_stacks, workload_outputs
from operations.target import Target

_CONFIG = (
    "AsyncInferenceConfig",
    "DataCaptureConfig",
    "EnableNetworkIsolation",
    "ExecutionRoleArn",
    "ExplainerConfig",
    "KmsKeyId",
    "ProductionVariants",
    "ShadowProductionVariants",
    "VpcConfig",
)
"""Members of DescribeEndpointConfig's reply that CreateEndpointConfig takes."""

_MODEL = ("ExecutionRoleArn", "EnableNetworkIsolation", "InferenceExecutionConfig", "PrimaryContainer", "VpcConfig")
"""Members of DescribeModel's reply that CreateModel takes, for models of one container as ours are."""


def deploy_model(
    target: Target, environment: str, workload: str, job: str | None, best_of: str | None, console: Console
) -> dict[str, Any]:
    """Put the artifact of a training job behind the endpoint: ``job``, the best of ``best_of``, else the latest.

    What else serves is as deployed: container, role, instances, capture, alarms. Raises UsageError for a job that is
    not the workload's, OperationError when the job has no artifact or the endpoint rolled back.
    """
    known_workload(workload)
    outputs = workload_outputs(target, environment, workload)
    endpoint, config = _served(workload, outputs)
    job = _job(target, environment, workload, job, best_of)
    artifact = _artifact(target, job)
    name, sagemaker = new_name(environment, workload), target.client("sagemaker")
    template = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    variant = template["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    container = {**model["PrimaryContainer"], "ModelDataUrl": artifact}
    container.pop("ModelDataSource", None)  # the same address in another form
    tags = tags_of(environment, workload)
    made = {key: model[key] for key in _MODEL if model.get(key)}
    sagemaker.create_model(ModelName=name, **{**made, "PrimaryContainer": container}, Tags=tags)
    changed = {key: template[key] for key in _CONFIG if template.get(key)}
    changed["ProductionVariants"] = [{**variant, "ModelName": name}, *template["ProductionVariants"][1:]]
    sagemaker.create_endpoint_config(EndpointConfigName=name, **changed, Tags=tags)
    console.step(f"{endpoint} is given the model of {job}")
    try:
        _update(target, endpoint, name, console)
    finally:
        _clear(target, environment, workload, _config_of(target, endpoint))
    console.say(f"{endpoint} serves the model of {job}.")
    console.say(f"  {artifact}")
    console.say(
        "The next `sandcastle deploy`, and a wake after a night, puts the template's model back; now: "
        f"sandcastle deploy-model {workload} --restore --environment {environment}"
    )
    return {"workload": workload, "endpoint": endpoint, "job": job, "artifact": artifact, "model": name}


def restore_model(target: Target, environment: str, workload: str, console: Console) -> dict[str, Any]:
    """Put the template's model back behind the endpoint. Raises OperationError when the endpoint rolled back."""
    known_workload(workload)
    outputs = workload_outputs(target, environment, workload)
    endpoint, config = _served(workload, outputs)
    before = _config_of(target, endpoint)
    if before != config:
        console.step(f"{endpoint} is given the template's model")
        _update(target, endpoint, config, console)
        _clear(target, environment, workload, config)
    console.say(f"{endpoint} serves the template's model" + ("." if before != config else ", as it did before."))
    return {"workload": workload, "endpoint": endpoint, "config": config, "changed": before != config}


def restore_all(target: Target, environment: str, console: Console) -> None:
    """Put the template's model back wherever ``deploy-model`` has put another one. Does nothing elsewhere.

    CloudFormation does not: it compares templates, and does not look at the endpoint.
    """
    for stack in environment_stacks(target, environment):
        endpoint, workload = stack.outputs.get("EndpointName"), stack.workload
        if endpoint and workload and _config_of(target, endpoint).startswith(names_begin(environment, workload)):
            restore_model(target, environment, workload, console)


def _served(workload: str, outputs: dict[str, str]) -> tuple[str, str]:
    """Return the endpoint and the template's configuration of it."""
    if "EndpointName" not in outputs:
        raise UsageError(f"Workload {workload} has a model and no endpoint (endpoint kind none).")
    return outputs["EndpointName"], outputs["EndpointConfigName"]


def _job(target: Target, environment: str, workload: str, job: str | None, best_of: str | None) -> str:
    sagemaker = target.client("sagemaker")
    if job:
        return job
    if best_of:
        found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=best_of)
        best = found.get("BestTrainingJob", {}).get("TrainingJobName")
        if not best:
            raise OperationError(f"{best_of} is {found['HyperParameterTuningJobStatus']} and has no best trial.")
        return str(best)
    prefix = job_prefix(environment, workload)
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=prefix, StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for one in page["TrainingJobSummaries"]:
            if one["TrainingJobName"].startswith(prefix):
                return str(one["TrainingJobName"])
    raise OperationError(f"No training job of {workload} has completed in environment {environment}.")


def _artifact(target: Target, job: str) -> str:
    found = target.client("sagemaker").describe_training_job(TrainingJobName=job)
    if found["TrainingJobStatus"] != "Completed":
        raise OperationError(f"{job} is {found['TrainingJobStatus']}: it has no model to serve.")
    artifact: str = found["ModelArtifacts"]["S3ModelArtifacts"]
    return artifact


def _update(target: Target, endpoint: str, config: str, console: Console) -> None:
    """Change the endpoint and wait. Raises OperationError when it went back to what it had, or failed."""
    sagemaker = target.client("sagemaker")
    kept = {}
    if sagemaker.describe_endpoint(EndpointName=endpoint).get("LastDeploymentConfig"):
        kept["RetainDeploymentConfig"] = True  # its pace, and the alarms that roll it back
    if _is_scaled(target, endpoint):
        kept["RetainAllVariantProperties"] = True  # as many instances as the load needs now
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **kept)
    told: list[str] = []

    def tell(looked: dict[str, Any]) -> None:
        if looked["EndpointStatus"] not in told[-1:]:
            told.append(looked["EndpointStatus"])
            console.step(f"{endpoint} is {told[-1]}")

    with goes_on(console, f"The update of {endpoint}", "sandcastle deploy-model ... --restore, when it has ended"):
        found = follow(
            target,
            lambda: sagemaker.describe_endpoint(EndpointName=endpoint),
            lambda looked: looked["EndpointStatus"] in {"Creating", "Updating", "SystemUpdating", "RollingBack"},
            tell,
        )
    if found["EndpointStatus"] != "InService" or found["EndpointConfigName"] != config:
        ended = (
            "went back to the model that it had"
            if found["EndpointStatus"] == "InService"
            else f"is {found['EndpointStatus']}"
        )
        raise OperationError(
            f"{endpoint} {ended}: {found.get('FailureReason', 'SageMaker gives no reason')}\n"
            f"Its log: sandcastle logs {endpoint}"
        )


def _is_scaled(target: Target, endpoint: str) -> bool:
    """Say whether anything else than the configuration decides about the endpoint's instances."""
    pages = (
        target.client("application-autoscaling")
        .get_paginator("describe_scalable_targets")
        .paginate(ServiceNamespace="sagemaker")
    )
    begins = f"endpoint/{endpoint}/"
    return any(one["ResourceId"].startswith(begins) for page in pages for one in page["ScalableTargets"])


def _config_of(target: Target, endpoint: str) -> str:
    name: str = target.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    return name


def _clear(target: Target, environment: str, workload: str, used: str) -> None:
    """Delete what ``deploy-model`` made before and the endpoint does not use: neither costs anything, both confuse.

    Model and configuration of one call have the same name.
    """
    sagemaker, prefix = target.client("sagemaker"), names_begin(environment, workload)
    for page in sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=prefix):
        for one in page["EndpointConfigs"]:
            if one["EndpointConfigName"].startswith(prefix) and one["EndpointConfigName"] != used:
                sagemaker.delete_endpoint_config(EndpointConfigName=one["EndpointConfigName"])
    for page in sagemaker.get_paginator("list_models").paginate(NameContains=prefix):
        for one in page["Models"]:
            if one["ModelName"].startswith(prefix) and one["ModelName"] != used:
                sagemaker.delete_model(ModelName=one["ModelName"])
