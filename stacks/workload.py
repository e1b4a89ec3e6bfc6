"""A workload: its data, the models trained on it, and the endpoint that serves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import aws_cdk as cdk
from constructs import Construct

from sandcastle import batch_access
from sandcastle.assets import Assets
from sandcastle.code import code_asset
from sandcastle.config import BATCH, MONITOR_IMAGE, PORTABLE_IMAGE, Environment, Train, Workload
from sandcastle.config.catalogue import image_uri
from sandcastle.config.serving_spec import MAIN
from sandcastle.dashboard import Row
from sandcastle.dashboard_monitors import Watching
from sandcastle.dataset import Dataset
from sandcastle.endpoint_config import ServingPlaces
from sandcastle.hosted_model import HostedModel
from sandcastle.job_logs import JobLogs
from sandcastle.job_permissions import JobPermissions
from sandcastle.job_provider import JobProvider
from sandcastle.monitor_places import MonitorPlaces
from sandcastle.monitor_roles import MonitorAccess
from sandcastle.monitoring import Monitoring
from sandcastle.naming import WorkloadNames
from sandcastle.resource import EnvironmentStack
from sandcastle.spending_limit import SpendingLimit
from sandcastle.trained_model import TrainedModel
from stacks.foundation import Foundation
from stacks.guardrails import Guardrails


class WorkloadStack(EnvironmentStack):
    """Dataset, trained models and hosted model of one workload."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        workload: Workload,
        foundation: Foundation,
        guardrails: Guardrails,
    ) -> None:
        """``foundation`` holds the buckets that the workload reads and writes; ``guardrails`` bound what it starts."""
        super().__init__(scope, f"workload-{workload.name}", environment=environment, description=workload.title)
        names = WorkloadNames(environment.name, workload.name, workload.serve.kind)
        code = code_asset(self, Assets(environment.root).functions)
        data, models, reports = foundation.data, foundation.models, foundation.reports
        train = workload.train
        serving = _image(train.serving_image, self.region)
        dataset = Dataset(
            self,
            "Dataset",
            environment=environment,
            workload=workload,
            names=names,
            image=_image(workload.prepare.image, self.region),
            data_bucket_name=data.name,
            data_bucket_arn=data.arn,
            baseline=any(one.kind in ("data-quality", BATCH) for one in workload.monitors),
            asked=any(one.kind == BATCH for one in workload.monitors),
        )
        trained = {
            variant: TrainedModel(
                self,
                "TrainedModel" if variant == MAIN else f"TrainedModel-{variant}",
                workload=workload,
                dataset=dataset,
                names=names,
                image=serving if train.artifact else _image(train.image, self.region),
                data_bucket_arn=data.arn,
                models_bucket_name=models.name,
                models_bucket_arn=models.arn,
                train=one,
                variant=None if variant == MAIN else variant,
            )
            for variant, one in _trainings(workload).items()
        }
        kinds = {one.kind for one in trained.values()}
        tags = {**self.standard_tags, "sandcastle:workload": workload.name}
        monitoring = _monitoring(self, environment, workload, foundation, names, dataset, trained[MAIN], tags)
        roles = [one.role for one in trained.values() if one.role]
        roles_of_jobs = [*roles, *(monitoring.roles if monitoring else [])]
        provider = JobProvider(
            self,
            "Jobs",
            names=names,
            code=code,
            jobs=JobPermissions(
                names,
                trains="training" in kinds,
                tunes="tuning" in kinds,
                tunable=train.tuning is not None,
            ),
            job_roles=[dataset.role, *roles_of_jobs],
            result_bucket_arns=[data.arn, models.arn, *([reports.arn] if monitoring else [])],
        )
        logs = JobLogs(self, "JobLogs", names=names, code=code)
        prepared = dataset.run(provider.service_token, tags)
        for one in trained.values():
            others = [other.fingerprint for other in trained.values() if other is not one]
            if job := one.run(provider.service_token, tags, others):
                job.add_resource_dependency(prepared)
        if monitoring:
            monitoring.run(provider.service_token, prepared)
        hosted = HostedModel(
            self,
            "HostedModel",
            workload=workload,
            trained=trained,
            names=names,
            image=serving,
            reports_bucket_name=reports.name,
            reports_bucket_arn=reports.arn,
            topic_arn=guardrails.topic.arn,
            batch=batch_access.of_dataset(names, data.arn, dataset.fingerprint),
        )
        if monitoring:
            monitoring.watch(hosted.outputs.get("EndpointName", ""), code, guardrails.topic.arn)
        SpendingLimit(
            self,
            "SpendingLimit",
            roles=[provider.starting_role, *(monitoring.spending if monitoring else [])],
            budget_name=guardrails.limit.name,
            topic_arn=guardrails.topic.arn,
            code=code,
        )
        for role in (dataset.role, hosted.role, *roles_of_jobs):
            # Jobs and endpoint wait for their role, and the role for the logs' janitor. SageMaker goes on sending
            # lines for a while after an endpoint is deleted, which would bring its log group back: when the janitor
            # deletes the logs, no role is left that could write any.
            role.resource.add_resource_dependency(logs.resource)
        outputs = {
            **hosted.outputs,
            **(monitoring.outputs if monitoring else {}),
            **_training_outputs(trained[MAIN]),
            "DatasetUri": prepared.result,
            "DatasetJob": prepared.job_name,
            "ModelDataUrl": trained[MAIN].archive,
            "Fingerprint": trained[MAIN].fingerprint,
            "ContentType": workload.serve.content_type,
            "Accept": workload.serve.accept,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
        # Exported is what stays as long as the stack: the endpoint's name changes with its kind, and CloudFormation
        # refuses to change what another stack imports.
        self._part = f"{self.stack_name}:StackPart"
        cdk.CfnOutput(self, "StackPart", value=names.stack_part, export_name=self._part)
        self._names, self._workload = names, workload

    @property
    def row(self) -> Row | None:
        """What a dashboard in another stack shows of the endpoint, None when there is none."""
        if self._workload.serve.kind == "none":
            return None
        names = replace(self._names, part=cdk.Fn.import_value(self._part))
        return Row(names.workload, names.endpoint, self._workload.serve)

    @property
    def watching(self) -> Watching:
        """What it shows of the workload's monitors."""
        return Watching.of(replace(self._names, part=cdk.Fn.import_value(self._part)), self._workload.watched)


def _trainings(workload: Workload) -> dict[str, Train]:
    """Return by variant what is trained: the workload's model, and one for each variant with its own hyperparameters.

    Those are trained as they are and not tuned: somebody chose them.
    """
    others = {
        variant.name: replace(workload.train, hyperparameters=variant.hyperparameters, tune=False)
        for variant in workload.serve.variants
        if variant.hyperparameters is not None
    }
    return {MAIN: workload.train, **others}


def _monitoring(
    stack: WorkloadStack,
    environment: Environment,
    workload: Workload,
    foundation: Foundation,
    names: WorkloadNames,
    dataset: Dataset,
    trained: TrainedModel,
    tags: Mapping[str, str],
) -> Monitoring | None:
    """Add what watches endpoint and transform jobs, if anything does."""
    if not workload.monitors:
        return None
    data, models, reports = foundation.data, foundation.models, foundation.reports
    return Monitoring(
        stack,
        "Monitoring",
        assets=Assets(environment.root),
        workload=workload,
        dataset=dataset,
        trained=trained,
        access=MonitorAccess(
            names,
            MonitorPlaces(workload.name, data.name, reports.name),
            data_arn=data.arn,
            reports_arn=reports.arn,
            models_arn=models.arn,
            capture=ServingPlaces(reports.name, workload.name).capture,
            dataset=dataset.fingerprint,
        ),
        image=_image(MONITOR_IMAGE if workload.engine == "model-monitor" else PORTABLE_IMAGE, stack.region),
        training_image=_image(workload.train.image, stack.region),
        tags=tags,
    )


def _training_outputs(trained: TrainedModel) -> dict[str, str]:
    """Return what is said about the job that made the model, nothing for an archive that was there."""
    if trained.job is None:
        return {}
    found = {"TrainingJob": trained.job.job_name}
    if trained.kind == "tuning":
        found |= {name: trained.job.attribute(name) for name in ("TuningJob", "Objective")}
    return found


def _image(key: str, region: str) -> str:
    uri = image_uri(key, region)
    if uri is None:  # loading the environment has checked it
        raise ValueError(f"no image {key!r} in {region}")
    return uri
