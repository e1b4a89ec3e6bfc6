"""A workload: its data, the model trained on it, and the endpoint that serves the model."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.code import code_asset
from sandcastle.config import Environment, Workload
from sandcastle.config.catalogue import image_uri
from sandcastle.dataset import Dataset
from sandcastle.hosted_model import HostedModel
from sandcastle.job_logs import JobLogs
from sandcastle.job_permissions import JobPermissions
from sandcastle.job_provider import JobProvider
from sandcastle.naming import WorkloadNames
from sandcastle.resource import EnvironmentStack
from sandcastle.spending_limit import SpendingLimit
from sandcastle.trained_model import TrainedModel
from stacks.foundation import Foundation
from stacks.guardrails import Guardrails


class WorkloadStack(EnvironmentStack):
    """Dataset, trained model and hosted model of one workload."""

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
        names = WorkloadNames(environment.name, workload.name)
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
        )
        trained = TrainedModel(
            self,
            "TrainedModel",
            workload=workload,
            dataset=dataset,
            names=names,
            image=serving if train.artifact else _image(train.image, self.region),
            data_bucket_arn=data.arn,
            models_bucket_name=models.name,
            models_bucket_arn=models.arn,
        )
        provider = JobProvider(
            self,
            "Jobs",
            names=names,
            code=code,
            jobs=JobPermissions(
                names,
                trains=trained.kind == "training",
                tunes=trained.kind == "tuning",
                tunable=train.tuning is not None,
            ),
            job_roles=[dataset.role, *([trained.role] if trained.role else [])],
            result_bucket_arns=[data.arn, models.arn],
        )
        SpendingLimit(
            self,
            "SpendingLimit",
            roles=[provider.starting_role],
            budget_name=guardrails.limit.name,
            topic_arn=guardrails.topic.arn,
            code=code,
        )
        logs = JobLogs(self, "JobLogs", names=names, code=code)
        tags = {**self.standard_tags, "sandcastle:workload": workload.name}
        prepared = dataset.run(provider.service_token, tags)
        fitted = trained.run(provider.service_token, tags)
        hosted = HostedModel(
            self,
            "HostedModel",
            workload=workload,
            trained=trained,
            names=names,
            image=serving,
            models_bucket_arn=models.arn,
            reports_bucket_name=reports.name,
            reports_bucket_arn=reports.arn,
        )
        if fitted:
            fitted.add_resource_dependency(prepared)
        for role in (dataset.role, hosted.role, *([trained.role] if trained.role else [])):
            # Jobs and endpoint wait for their role, and the role for the logs' janitor. SageMaker goes on sending
            # lines for a while after an endpoint is deleted, which would bring its log group back: when the janitor
            # deletes the logs, no role is left that could write any.
            role.resource.add_resource_dependency(logs.resource)
        for name, value in (
            ("EndpointName", hosted.endpoint.attribute("EndpointName")),
            ("EndpointConfigName", hosted.config.attribute("EndpointConfigName")),
            ("DatasetUri", prepared.result),
            ("DatasetJob", prepared.job_name),
            *([("TrainingJob", fitted.job_name)] if fitted else []),
            *([("TuningJob", fitted.attribute("TuningJob"))] if fitted and trained.kind == "tuning" else []),
            *([("Objective", fitted.attribute("Objective"))] if fitted and trained.kind == "tuning" else []),
            ("ModelDataUrl", trained.archive),
            ("Fingerprint", trained.fingerprint),
            ("ContentType", workload.serve.content_type),
            ("Accept", workload.serve.accept),
        ):
            cdk.CfnOutput(self, name, value=value)


def _image(key: str, region: str) -> str:
    uri = image_uri(key, region)
    if uri is None:  # loading the environment has checked it
        raise ValueError(f"no image {key!r} in {region}")
    return uri
