"""A SageMaker that remembers, beneath a real boto3 client: for functions whose calls depend on what was before.

Requests are checked against AWS's own model. An endpoint in progress is so for a number of looks at it; what it may be
asked meanwhile, and how refusals are worded, is what the facts on teardown (1.8, 1.10, 1.18, 1.30) say.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

ENDPOINT = "sandcastle-test--penguins--5f0c2a10"
PACKAGES = "arn:aws:sagemaker:us-east-1:000000000000:model-package/sandcastle-test--penguins-5f0c2a10"
BUSY = {"Creating", "Updating", "RollingBack", "Deleting", "SystemUpdating"}


class Crash(BaseException):
    """The function dies: no ``except Exception`` of it notices."""


@dataclass
class World:
    """Everything there is, and what shall happen to it."""

    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    #: how many looks at it a change of the endpoint or of a schedule takes
    looks: int = 3
    #: models whose container does not start
    broken: set[str] = field(default_factory=set)
    #: schedules whose job runs, and for how many further refusals
    running: Counter[str] = field(default_factory=Counter)
    #: operations that were called, and those that were not refused
    calls: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    #: done once, at the call of this number, ``before`` it takes effect or after
    at_call: int = 0
    before: bool = False
    event: Callable[[], None] = lambda: None
    #: the answer to the call of this number is lost, and the client makes it again
    lost: int = 0
    #: since the beginning
    seconds: int = 0

    def client(self) -> Any:
        """Return a client of SageMaker whose calls come here."""
        template = _template()
        client = object.__new__(type(template))  # to make one from the start takes longer than a whole test
        client.__dict__.update(template.__dict__)

        def call(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            report = ParamValidator().validate(
                parameters, client.meta.service_model.operation_model(operation).input_shape
            )
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report())
            self.calls.append(operation)
            mine = len(self.calls) == self.at_call
            if mine and self.before:
                self.event()
            if len(self.calls) == self.lost:
                getattr(self, _snake(operation))(**copy.deepcopy(parameters))
                self.effects.append(operation)
            try:
                reply = copy.deepcopy(getattr(self, _snake(operation))(**copy.deepcopy(parameters)))
                self.effects.append(operation)
            finally:
                if mine and not self.before:
                    self.event()
            return reply or {}

        client._make_api_call = call
        return client

    @property
    def made(self) -> list[str]:
        """What was made, by the calls that took effect, in order."""
        return [one for one in self.effects if one.startswith(("Create", "Update", "Start"))]

    def changes(self) -> list[str]:
        """Return the calls that change something, in order."""
        return [one for one in self.calls if not one.startswith(("Describe", "List"))]

    # endpoints

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # AWS's names, here and below
        endpoint = self._endpoint(EndpointName)
        if endpoint["EndpointStatus"] in BUSY:
            endpoint["left"] -= 1
            if endpoint["left"] < 0:
                self._settle(EndpointName, endpoint)
                return self.describe_endpoint(EndpointName)
        shown = {key: value for key, value in endpoint.items() if key[0].isupper()}
        if endpoint.get("pending"):
            shown["PendingDeploymentSummary"] = {"EndpointConfigName": endpoint["pending"]}
        return {"EndpointName": EndpointName, **shown}

    def create_endpoint(self, EndpointName: str, EndpointConfigName: str, Tags: list[Any]) -> None:
        if EndpointName in self.endpoints:
            raise refusal("CreateEndpoint", f'Cannot create already existing endpoint "{EndpointName}".')
        self._config(EndpointConfigName)
        assert {"Key": "sandcastle:environment", "Value": "test"} in Tags
        self.endpoints[EndpointName] = {
            "EndpointStatus": "Creating",
            "EndpointConfigName": EndpointConfigName,
            "left": self.looks,
        }

    def update_endpoint(self, EndpointName: str, EndpointConfigName: str, DeploymentConfig: Any) -> None:
        endpoint = self._endpoint(EndpointName)
        if endpoint["EndpointStatus"] in BUSY:
            raise refusal("UpdateEndpoint", f'Cannot update in-progress endpoint "{EndpointName}".')
        if endpoint["EndpointStatus"] == "Failed":
            raise refusal("UpdateEndpoint", f'Cannot update endpoint "{EndpointName}" in status Failed.')
        self._config(endpoint["EndpointConfigName"])
        self._config(EndpointConfigName)
        endpoint.pop("FailureReason", None)
        endpoint |= {"EndpointStatus": "Updating", "pending": EndpointConfigName, "left": self.looks}
        self.deployment = DeploymentConfig

    def delete_endpoint(self, EndpointName: str) -> None:
        endpoint = self._endpoint(EndpointName)
        if endpoint["EndpointStatus"] in BUSY:
            raise refusal("DeleteEndpoint", f'Cannot update in-progress endpoint "{EndpointName}".')
        endpoint |= {"EndpointStatus": "Deleting", "left": self.looks}

    def _endpoint(self, name: str) -> dict[str, Any]:
        if name not in self.endpoints:
            raise refusal("DescribeEndpoint", f'Could not find endpoint "{name}".')
        return self.endpoints[name]

    def _settle(self, name: str, endpoint: dict[str, Any]) -> None:
        status, pending = endpoint["EndpointStatus"], endpoint.pop("pending", None)
        if status == "Deleting":
            del self.endpoints[name]
            return
        config = pending or endpoint["EndpointConfigName"]
        model = self.configs[config]["ProductionVariants"][0]["ModelName"] if config in self.configs else "gone"
        if model in self.broken | {"gone"} or (model not in self.models and status != "SystemUpdating"):
            endpoint["FailureReason"] = f"The container of {model} did not pass the ping health check."
            endpoint["EndpointStatus"] = "InService" if pending else "Failed"
            return
        endpoint |= {"EndpointStatus": "InService", "EndpointConfigName": config}

    # configurations, models, tags, packages

    def create_endpoint_config(self, EndpointConfigName: str, **request: Any) -> None:
        if EndpointConfigName in self.configs:
            raise refusal("CreateEndpointConfig", "Cannot create already existing endpoint configuration")
        self.describe_model(request["ProductionVariants"][0]["ModelName"])
        assert {"Key": "sandcastle:environment", "Value": "test"} in request["Tags"]
        self.configs[EndpointConfigName] = {
            "EndpointConfigName": EndpointConfigName,
            "EndpointConfigArn": f"arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/{EndpointConfigName}",
            "CreationTime": self.now(),
            **request,
        }

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        return self._config(EndpointConfigName)

    def list_endpoint_configs(self, NameContains: str) -> dict[str, Any]:
        return {"EndpointConfigs": [one for name, one in self.configs.items() if NameContains in name]}

    def delete_endpoint_config(self, EndpointConfigName: str) -> None:
        self.tags.pop(self._config(EndpointConfigName)["EndpointConfigArn"], None)
        del self.configs[EndpointConfigName]

    def _config(self, name: str) -> dict[str, Any]:
        if name not in self.configs:
            raise refusal("DescribeEndpointConfig", f'Could not find endpoint configuration "{name}".')
        return self.configs[name]

    def describe_model(self, ModelName: str) -> dict[str, Any]:
        if ModelName not in self.models:
            raise refusal("DescribeModel", f'Could not find model "{ModelName}".')
        return {"ModelName": ModelName}

    def delete_model(self, ModelName: str) -> None:
        self.describe_model(ModelName)
        self.models.remove(ModelName)

    def add_tags(self, ResourceArn: str, Tags: list[dict[str, str]]) -> None:
        self.tags.setdefault(ResourceArn, {}).update({one["Key"]: one["Value"] for one in Tags})

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.get(ResourceArn, {}).items()]}

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        return self.packages[ModelPackageName]

    # monitoring

    def _create_definition(self, JobDefinitionName: str, **request: Any) -> None:
        if JobDefinitionName in self.definitions:
            raise refusal("CreateDataQualityJobDefinition", "already exists", "ResourceInUse")
        self.definitions[JobDefinitionName] = request

    create_data_quality_job_definition = create_model_quality_job_definition = _create_definition

    def list_data_quality_job_definitions(self, **_: str) -> dict[str, Any]:
        return self._definitions_of("DataQuality")

    def list_model_quality_job_definitions(self, **_: str) -> dict[str, Any]:
        return self._definitions_of("ModelQuality")

    def _definitions_of(self, kind: str) -> dict[str, Any]:
        names = [name for name, one in self.definitions.items() if f"{kind}AppSpecification" in one]
        return {"JobDefinitionSummaries": [{"MonitoringJobDefinitionName": name} for name in names]}

    def _delete_definition(self, JobDefinitionName: str) -> None:
        used = [one["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] for one in self.schedules.values()]
        if JobDefinitionName in used:
            raise refusal("DeleteDataQualityJobDefinition", "is used by a monitoring schedule")
        if JobDefinitionName not in self.definitions:
            raise refusal("DeleteDataQualityJobDefinition", "Could not find it", "ResourceNotFound")
        del self.definitions[JobDefinitionName]

    delete_data_quality_job_definition = delete_model_quality_job_definition = _delete_definition

    def describe_monitoring_schedule(self, MonitoringScheduleName: str) -> dict[str, Any]:
        schedule = self._schedule(MonitoringScheduleName)
        if schedule["MonitoringScheduleStatus"] == "Pending":
            schedule["left"] -= 1
            if schedule["left"] < 0:
                schedule["MonitoringScheduleStatus"] = schedule["then"]
        return {key: value for key, value in schedule.items() if key[0].isupper()}

    def create_monitoring_schedule(self, MonitoringScheduleName: str, **request: Any) -> None:
        if MonitoringScheduleName in self.schedules:
            raise refusal("CreateMonitoringSchedule", "already exists", "ResourceInUse")
        self._require_definition(request["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"])
        self.schedules[MonitoringScheduleName] = {"then": "Scheduled", **request}
        self._pending(MonitoringScheduleName)

    def update_monitoring_schedule(self, MonitoringScheduleName: str, MonitoringScheduleConfig: Any) -> None:
        schedule = self._schedule(MonitoringScheduleName)
        if schedule["MonitoringScheduleStatus"] == "Pending":
            raise refusal("UpdateMonitoringSchedule", "in status Pending cannot be modified or deleted.")
        if self.running[MonitoringScheduleName] > 0:
            self.running[MonitoringScheduleName] -= 1
            text = (
                "Monitoring Job in InProgress state. Schedules with running executions cannot be modified or deleted."
            )
            raise refusal("UpdateMonitoringSchedule", text)
        self._require_definition(MonitoringScheduleConfig["MonitoringJobDefinitionName"])
        schedule["MonitoringScheduleConfig"] = MonitoringScheduleConfig
        self._pending(MonitoringScheduleName)

    def _require_definition(self, name: str) -> None:
        if name not in self.definitions:
            raise refusal("UpdateMonitoringSchedule", f"Could not find monitoring job definition {name}.")

    def _schedule(self, name: str) -> dict[str, Any]:
        if name not in self.schedules:
            raise refusal("DescribeMonitoringSchedule", f"Could not find {name}.", "ResourceNotFound")
        return self.schedules[name]

    def _pending(self, name: str) -> None:
        self.schedules[name] |= {"MonitoringScheduleStatus": "Pending", "left": self.looks}

    # pipelines

    def start_pipeline_execution(self, ClientRequestToken: str, **request: Any) -> dict[str, Any]:
        self.executions.setdefault(ClientRequestToken, request)
        execution = f"pipeline/{request['PipelineName']}/execution/{ClientRequestToken[:12]}"
        return {"PipelineExecutionArn": f"arn:aws:sagemaker:us-east-1:000000000000:{execution}"}

    def now(self) -> datetime:
        """Return a later time at each call."""
        self.seconds += 1
        return datetime(2026, 11, 26, tzinfo=UTC) + timedelta(seconds=self.seconds)


@cache
def _template() -> Any:
    return boto3.client("sagemaker", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def refusal(operation: str, text: str, code: str = "ValidationException") -> ClientError:
    """Return the error of a call that SageMaker refuses."""
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)


def _snake(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
