"""The service put together: kinds, their operations, and the way of a request through validation to a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.clock import Clock
from localcloud.meter import Meter
from localcloud.sagemaker import errors
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.shaping import shape_reply
from localcloud.sagemaker.api.supported import check_supported
from localcloud.sagemaker.api.validation import check_request
from localcloud.sagemaker.core import Core, Kind, Operation, Request, tag_context
from localcloud.sagemaker.kinds.absent import AbsentKinds
from localcloud.sagemaker.kinds.app import Apps
from localcloud.sagemaker.kinds.domain import Domains
from localcloud.sagemaker.kinds.endpoint import Endpoints
from localcloud.sagemaker.kinds.endpoint_config import EndpointConfigs
from localcloud.sagemaker.kinds.job_definition import JobDefinitions
from localcloud.sagemaker.kinds.model import Models
from localcloud.sagemaker.kinds.model_package import ModelPackages
from localcloud.sagemaker.kinds.model_package_group import ModelPackageGroups
from localcloud.sagemaker.kinds.monitoring_schedule import MonitoringSchedules
from localcloud.sagemaker.kinds.notebook_instance import NotebookInstances
from localcloud.sagemaker.kinds.notebook_lifecycle_config import NotebookLifecycleConfigs
from localcloud.sagemaker.kinds.pipeline import Pipelines
from localcloud.sagemaker.kinds.pipeline_execution import PipelineExecutions
from localcloud.sagemaker.kinds.pipeline_version import PipelineVersions
from localcloud.sagemaker.kinds.processing_job import ProcessingJobs
from localcloud.sagemaker.kinds.space import Spaces
from localcloud.sagemaker.kinds.studio_lifecycle_config import StudioLifecycleConfigs
from localcloud.sagemaker.kinds.tags import Tags
from localcloud.sagemaker.kinds.training_job import TrainingJobs
from localcloud.sagemaker.kinds.transform_job import TransformJobs
from localcloud.sagemaker.kinds.tuning_job import TuningJobs
from localcloud.sagemaker.kinds.user_profile import UserProfiles
from localcloud.sagemaker.ports import AssumeDenied, Backend, Scope
from localcloud.sagemaker.quotas import Quotas
from localcloud.sagemaker.runtime import Runtime
from localcloud.sagemaker.store import tag_map
from localcloud.sagemaker.studio import tags
from localcloud.sagemaker.studio.records import Studio
from localcloud.switches import Switches


class SageMaker:
    """The control plane and the runtime of one server."""

    def __init__(
        self,
        clock: Clock,
        meter: Meter,
        backend: Backend,
        switches: Switches | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        """Empty; with switches and quotas at their defaults unless others are given."""
        self.core = Core(clock, meter, backend, switches, quotas)
        self.tags = Tags(self.core)
        groups = ModelPackageGroups(self.core)
        packages = ModelPackages(self.core, groups)
        models = Models(self.core, packages)
        configs = EndpointConfigs(self.core, models)
        self.endpoints = Endpoints(self.core, configs, models)
        scripts = NotebookLifecycleConfigs(self.core)
        self.runtime = Runtime(self.core, self.endpoints)
        self.training_jobs = training_jobs = TrainingJobs(self.core)
        processing_jobs = ProcessingJobs(self.core)
        definitions = JobDefinitions(self.core, self.endpoints)
        pipelines = Pipelines(self.core)
        self._kinds: list[Kind] = [
            self.endpoints,
            configs,
            models,
            training_jobs,
            processing_jobs,
            TuningJobs(self.core, training_jobs),
            TransformJobs(self.core, models),
            definitions,
            MonitoringSchedules(self.core, definitions, processing_jobs),
            groups,
            packages,
            pipelines,
            PipelineVersions(self.core, pipelines),
            PipelineExecutions(self.core, pipelines, self.call_as),
            NotebookInstances(self.core, scripts),
            scripts,
            *self._studio_kinds(),
            self.tags,
            AbsentKinds(),
        ]
        self.operations: dict[str, Operation] = {}
        for kind in self._kinds:
            self.operations.update(kind.operations())

    def _studio_kinds(self) -> list[Kind]:
        """In the order of a reset: what depends on others comes first."""
        studio = Studio(self.core.store)
        return [
            Apps(self.core, studio),
            Spaces(self.core, studio),
            UserProfiles(self.core, studio),
            StudioLifecycleConfigs(self.core, studio),
            Domains(self.core, studio),
        ]

    def call(self, operation: str, parameters: object, scope: Scope, headers: Mapping[str, str]) -> dict[str, Any]:
        """Serve one operation: validate, check what is honoured, run, shape. Raises ServiceError."""
        served = self._served(operation)
        request = Request(operation, check_request(operation, parameters), scope, headers)
        check_supported(operation, served.supported, request.parameters)
        reply = shape_reply(operation, served.handle(request))
        self._tag_for_studio(request, reply)
        return reply

    def call_as(self, role_arn: str, operation: str, parameters: dict[str, Any], scope: Scope) -> dict[str, Any]:
        """Serve one operation for the service itself, with the permissions of a role. Raises ServiceError."""
        served = self._served(operation)
        try:
            credentials = self.core.backend.assume(role_arn, "SageMaker")
        except AssumeDenied as reason:
            raise errors.access_denied(str(reason)) from None
        context = tag_context(tag_map(parameters.get("Tags"))) | served.iam_context(parameters, scope)
        resource = served.resource_arn(parameters, scope)
        denied = self.core.backend.denial(scope, credentials, f"sagemaker:{operation}", resource, context)
        if denied:
            raise errors.access_denied(denied)
        self.core.backend.meet_faults(scope, role_arn, operation, parameters)
        reply = self.call(operation, parameters, scope, credentials)
        self.core.backend.served(scope, role_arn, operation, parameters)
        return reply

    def resource_arn(self, operation: str, body: bytes, scope: Scope) -> str:
        """What IAM authorises the operation on: the resource's ARN, ``*`` for lists and for what names nothing."""
        served = self.operations.get(operation)
        try:
            parameters = json.loads(body)
        except ValueError:
            return "*"
        return served.resource_arn(parameters, scope) if served and isinstance(parameters, dict) else "*"

    def iam_context(self, operation: str, body: bytes, scope: Scope) -> dict[str, object]:
        """The condition keys that policies may use for the operation, without those of its tags."""
        served = self.operations.get(operation)
        try:
            parameters = json.loads(body)
        except ValueError:
            return {}
        return served.iam_context(parameters, scope) if served and isinstance(parameters, dict) else {}

    def _tag_for_studio(self, request: Request, reply: Mapping[str, Any]) -> None:
        """What somebody starts from a Studio app carries Studio's own tags ([DGn] facts teardown 3)."""
        own = tags.of_session(request.scope, self.core.backend.session_keys(request.headers))
        if not own or not request.operation.startswith("Create"):
            return
        with self.core.store.lock:
            for value in reply.values():
                record = self.core.store.by_arn(value) if isinstance(value, str) else None
                if record:
                    record.tags = {**record.tags, **own}

    def _served(self, operation: str) -> Operation:
        model.operation(operation)
        served = self.operations.get(operation)
        if served is None:
            raise errors.operation_not_supported(operation)
        return served

    def inject(self, event: Mapping[str, Any]) -> None:
        """What AWS does by itself: ``{"name": endpoint, "status": "SystemUpdating", "seconds": 600}``.

        Raises ValueError or KeyError for anything else.
        """
        if event["status"] != "SystemUpdating":
            raise ValueError("status must be SystemUpdating")
        self.endpoints.system_update(event["name"], float(event["seconds"]))

    def reset(self) -> None:
        """End what runs and forget every record."""
        for kind in self._kinds:
            kind.reset()
        self.core.quotas.reset()
