"""A hosted model: the SageMaker model, and the endpoint of one kind or another that answers requests with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constructs import Construct

from sandcastle.batch_access import BatchAccess
from sandcastle.config import Serve, Workload
from sandcastle.config.serving_spec import MAIN
from sandcastle.endpoint_alarms import EndpointAlarms
from sandcastle.endpoint_config import ServingPlaces, endpoint_config
from sandcastle.endpoint_deployment import deployment_config
from sandcastle.endpoint_scaling import EndpointScaling
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import REGION
from sandcastle.resource import Resource
from sandcastle.serving_environment import script_variables
from sandcastle.serving_role import serving_role
from sandcastle.trained_model import TrainedModel


class HostedModel(Construct):
    """A model behind an endpoint, or a model alone (kind ``none``), for batch transform.

    Models and configuration have generated names and carry the fingerprint: another fingerprint replaces both, and the
    endpoint is updated to the new configuration without a break before CloudFormation removes the old ones. On deletion
    what scales the endpoint goes first, then the endpoint, then its alarms, and the role last; SageMaker needs the role
    while it deletes.

    ``outputs`` are what whoever asks the endpoint has to know, by name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: Workload,
        trained: Mapping[str, TrainedModel],
        names: WorkloadNames,
        image: str,
        reports_bucket_name: str,
        reports_bucket_arn: str,
        topic_arn: str,
        batch: BatchAccess,
    ) -> None:
        """``trained`` holds ``main`` and each variant with a model of its own; they have run. ``image`` serves them.

        ``topic_arn`` hears alarms, and of asynchronous requests. ``batch`` is what transform jobs may do.
        """
        super().__init__(scope, construct_id)
        serve = workload.serve
        places = ServingPlaces(reports_bucket_name, workload.name)
        self._alarms = (
            EndpointAlarms(self, "Alarms", endpoint=names.endpoint, variants=serve.variant_names, topic_arn=topic_arn)
            if serve.kind == "real-time"
            else None
        )
        self.role = serving_role(
            self,
            "Role",
            workload=workload,
            names=names,
            image=image,
            archives={one.readable for one in trained.values()},
            reports_bucket_arn=reports_bucket_arn,
            places=places,
            topic_arn=topic_arn,
            alarms=[one.attribute("Arn") for one in self._alarms.resources]
            if self._alarms and serve.deployment
            else [],
            batch=batch,
        )
        own = {variant: self._model(variant, one, serve, image) for variant, one in trained.items()}
        models = {variant: own.get(variant, own[MAIN]) for variant in (MAIN, *serve.variant_names)}
        self.outputs = {"EndpointKind": serve.kind, "ModelName": own[MAIN].attribute("ModelName")}
        if serve.kind == "none":
            return
        config = endpoint_config(self, "Config", serve=serve, models=models, places=places, topic_arn=topic_arn)
        endpoint = self._endpoint(serve, names, config)
        name = endpoint.attribute("EndpointName")
        self.outputs |= {
            "EndpointName": name,
            "EndpointConfigName": config.attribute("EndpointConfigName"),
            "VariantNames": " ".join(serve.variant_names),
        }
        if serve.scaling:
            scaling = EndpointScaling(
                self,
                "Scaling",
                endpoint=name,
                variants=serve.variant_names,
                scaling=serve.scaling,
                by_backlog=serve.kind == "async",
            )
            if not serve.scales_to_zero:  # the night leaves such an endpoint alone
                self.outputs["Scaling"] = scaling.settings
        if serve.kind == "async":
            self.outputs |= {"AsyncInput": places.uri(places.requests), "AsyncOutput": places.uri(places.answers)}

    def _model(self, variant: str, trained: TrainedModel, serve: Serve, image: str) -> Resource:
        """Add a model. SageMaker isolates no serverless endpoint from the network (developer guide, the exclusions)."""
        return Resource(
            self,
            "Model" if variant == MAIN else f"Model-{variant}",
            "AWS::SageMaker::Model",
            ExecutionRoleArn=self.role.arn,
            EnableNetworkIsolation=not serve.internet and serve.kind != "serverless",
            PrimaryContainer={
                "Image": image,
                "ModelDataUrl": trained.archive,
                "Environment": {"SANDCASTLE_FINGERPRINT": trained.fingerprint, **script_variables(serve, REGION)},
            },
        )

    def _endpoint(self, serve: Serve, names: WorkloadNames, config: Resource) -> Resource:
        settings: dict[str, Any] = {}
        watching = self._alarms.resources if self._alarms else []
        if self._alarms and serve.deployment:
            settings["DeploymentConfig"] = deployment_config(serve.deployment, self._alarms.names)
            watching = []  # the deployment refers to them
        if serve.scaling:
            # an update would go back to the configuration's count of instances, whatever the load is
            settings["RetainAllVariantProperties"] = True
            settings["ExcludeRetainedVariantProperties"] = [
                {"VariantPropertyType": kind} for kind in ("DesiredWeight", "DataCaptureConfig")
            ]
        endpoint = Resource(
            self,
            "Endpoint",
            "AWS::SageMaker::Endpoint",
            EndpointName=names.endpoint,
            EndpointConfigName=config.attribute("EndpointConfigName"),
            **settings,
        )
        for alarm in watching:
            endpoint.add_resource_dependency(alarm)
        return endpoint
