"""A workload: its data, the model trained on it, and the endpoint that serves the model."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.config import Environment, Workload
from sandcastle.config.catalogue import image_uri
from sandcastle.dataset import Dataset
from sandcastle.hosted_model import HostedModel
from sandcastle.job_logs import JobLogs
from sandcastle.job_provider import JobProvider
from sandcastle.naming import WorkloadNames
from sandcastle.trained_model import TrainedModel
from stacks.foundation import Foundation


class WorkloadStack(cdk.Stack):
    """Dataset, trained model and hosted model of one workload."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        workload: Workload,
        foundation: Foundation,
        **stack: Any,
    ) -> None:
        """Keyword arguments beyond these are CDK's own for a stack."""
        super().__init__(scope, construct_id, description=f"Sandcastle {environment.name}: {workload.title}", **stack)
        names = WorkloadNames(environment.name, workload.name)
        functions = Assets(environment.root).functions
        data, models, reports = foundation.data, foundation.models, foundation.reports
        image = _image(workload.train.algorithm, self.region)
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
            image=image,
            data_bucket_arn=data.arn,
            models_bucket_name=models.name,
            models_bucket_arn=models.arn,
        )
        provider = JobProvider(
            self,
            "Jobs",
            names=names,
            functions=functions,
            job_roles=[dataset.role, trained.role],
            result_bucket_arns=[data.arn, models.arn],
        )
        logs = JobLogs(self, "JobLogs", names=names, functions=functions)
        tags = {
            "sandcastle:environment": environment.name,
            "sandcastle:stack": self.stack_name,
            "sandcastle:workload": workload.name,
        }
        prepared = dataset.run(provider.service_token, tags)
        fitted = trained.run(provider.service_token, tags)
        hosted = HostedModel(
            self,
            "HostedModel",
            workload=workload,
            trained=trained,
            job=fitted,
            names=names,
            image=image,
            models_bucket_arn=models.arn,
            reports_bucket_name=reports.name,
            reports_bucket_arn=reports.arn,
        )
        fitted.resource.add_resource_dependency(prepared.resource)
        prepared.resource.add_resource_dependency(logs.resource)
        hosted.endpoint.add_resource_dependency(logs.resource)
        for name, value in (
            ("EndpointName", hosted.endpoint.attr_endpoint_name),
            ("DatasetUri", prepared.result),
            ("DatasetJob", prepared.job_name),
            ("TrainingJob", fitted.job_name),
            ("ModelDataUrl", fitted.result),
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
