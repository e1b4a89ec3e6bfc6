"""The endpoint of a pipeline, and one version's way into service.

SageMaker is the only memory: configurations are named after version and settings, so that whoever comes again, after a
crash or a second time, finds what was begun. Whether a configuration was ever in service is a tag of its own (SERVED).
Whoever replaces one that is in service sets it before, and so whoever finds another one in its place later knows
whether its own was replaced, or never came into service.

An endpoint in progress can be changed by nobody (facts on teardown, 1.10), and SageMaker refuses the second of two who
begin at the same time; so that each waits for the other, and the last one to begin is the one that stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws import text_of
from botocore.exceptions import ClientError
from pipeline_settings import VARIANT, Settings, version_of_config
from pipeline_waiting import Patience

SERVED = "sandcastle:served"

BAKE_SECONDS = 180
"""How long the alarms watch the new instances before the old ones end: the slower alarm needs three minutes. With the
minutes that instances take to start, an update fits into one step, and another execution's that waits for it into two.
"""

UPDATE_SECONDS = 1800
"""When SageMaker gives up an update and goes back; its least is 600."""

IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
ANSWERING = {"InService", "Updating", "SystemUpdating", "RollingBack"}
"""In which an endpoint answers with the configuration that it names (EndpointStatus in the service's model)."""


@dataclass(frozen=True)
class Look:
    """What an endpoint is at the moment. ``status`` is empty when there is none.

    ``config`` is in service (or is the one that a first endpoint is made with), ``pending`` is being rolled out.
    """

    status: str = ""
    config: str = ""
    pending: str = ""
    reason: str = ""

    @property
    def in_progress(self) -> bool:
        """Whether SageMaker is at work, and refuses changes."""
        return self.status in IN_PROGRESS

    @property
    def words(self) -> str:
        """What is going on, for a message."""
        coming = self.pending or self.config
        version = version_of_config(coming) if coming else None
        what = f" version {version}" if version is not None else ""
        return f"{self.status}{what} ({coming})" if coming else self.status


class Endpoint:
    """The endpoint that the settings name. All methods raise ClientError for what SageMaker refuses."""

    def __init__(self, sagemaker: Any, settings: Settings, context: Any) -> None:
        """``context`` is what Lambda hands over: it knows how much time is left."""
        self._sagemaker = sagemaker
        self._settings = settings
        self._patience = Patience(context)
        self.name = settings.endpoint

    def look(self) -> Look:
        """Return what it is now."""
        try:
            found = self._sagemaker.describe_endpoint(EndpointName=self.name)
        except ClientError as error:
            if not is_missing(error):
                raise
            return Look()
        return Look(
            found["EndpointStatus"],
            found.get("EndpointConfigName", ""),
            found.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""),
            found.get("FailureReason", ""),
        )

    def wait(self, until: Callable[[Look], bool]) -> Look:
        """Look until ``until`` is content with what there is. Raises Busy when the function's time is nearly over."""
        return self._patience.wait(self.look, until, lambda look: look.words)

    def create(self, config: str) -> bool:
        """Create it with the configuration; False when somebody else was quicker."""
        try:
            self._sagemaker.create_endpoint(
                EndpointName=self.name, EndpointConfigName=config, Tags=self._settings.tag_list
            )
        except ClientError:
            if not self.look().status:
                raise
            print(f"{self.name} was created by somebody else")
            return False
        return True

    def update(self, config: str) -> bool:
        """Begin to go over to the configuration; False when it has to be tried again.

        That is when somebody else has just begun with another one, or has deleted the configuration or the endpoint.
        """
        try:
            self._sagemaker.update_endpoint(
                EndpointName=self.name, EndpointConfigName=config, DeploymentConfig=self._deployment
            )
        except ClientError as error:
            look = self.look()
            changed = look.in_progress or look.status in ("", "Failed") or self.model_of(config) is None
            if not changed:
                raise
            print(f"{self.name} was not updated now: {text_of(error)}")
            return False
        return True

    def delete(self) -> None:
        """Delete it, unless somebody else did."""
        try:
            self._sagemaker.delete_endpoint(EndpointName=self.name)
        except ClientError:
            look = self.look()
            if look.status and look.status != "Deleting":
                raise

    def mark_served(self, config: str) -> None:
        """Remember that the configuration is in service."""
        try:
            arn = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)["EndpointConfigArn"]
        except ClientError as error:
            if not is_missing(error):
                raise
            return  # somebody deleted it: an endpoint does not keep its configuration from that
        self._sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": SERVED, "Value": "true"}])

    def has_served(self, config: str) -> bool:
        """Say whether the configuration was ever in service; nobody knows it of one that is gone."""
        try:
            arn = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)["EndpointConfigArn"]
        except ClientError as error:
            if not is_missing(error):
                raise
            return False
        return is_served(self._sagemaker, arn)

    def ensure_config(self, config: str, model: str) -> None:
        """Make the configuration, unless it is there: its name stands for its content."""
        if self.model_of(config) is not None:
            return
        try:
            self._sagemaker.create_endpoint_config(**self._config_request(config, model))
        except ClientError:
            if self.model_of(config) is None:
                raise  # else it was made by a first try whose answer was lost

    def model_of(self, config: str) -> str | None:
        """Return the model that a configuration serves; None when there is no such configuration."""
        try:
            found = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
        except ClientError as error:
            if not is_missing(error):
                raise
            return None
        return str(found["ProductionVariants"][0]["ModelName"])

    def _config_request(self, config: str, model: str) -> dict[str, Any]:
        settings = self._settings
        request: dict[str, Any] = {
            "EndpointConfigName": config,
            "ProductionVariants": [
                {
                    "VariantName": VARIANT,
                    "ModelName": model,
                    "InstanceType": settings.instance,
                    "InitialInstanceCount": settings.instances,
                    "InitialVariantWeight": 1.0,
                }
            ],
            "Tags": settings.tag_list,
        }
        if settings.capture_percent:
            request["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": settings.capture_percent,
                "DestinationS3Uri": settings.capture_uri,
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {
                    "CsvContentTypes": ["text/csv"],
                    "JsonContentTypes": ["application/json"],
                },
            }
        return request

    @property
    def _deployment(self) -> dict[str, Any]:
        """The new instances take over all at once; an alarm sends the requests back to the old ones."""
        deployment: dict[str, Any] = {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": BAKE_SECONDS},
                "TerminationWaitInSeconds": 0,
                "MaximumExecutionTimeoutInSeconds": UPDATE_SECONDS,
            }
        }
        if self._settings.alarms:
            alarms = [{"AlarmName": name} for name in self._settings.alarms]
            deployment["AutoRollbackConfiguration"] = {"Alarms": alarms}
        return deployment


def is_missing(error: ClientError) -> bool:
    """Say whether SageMaker does not know an endpoint, a configuration or a model: it has no code of its own for it."""
    return "could not find" in text_of(error).lower()


def is_served(sagemaker: Any, config_arn: str) -> bool:
    """Say whether the configuration of this ARN was ever in service."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=config_arn)
    return any(tag["Key"] == SERVED for page in pages for tag in page["Tags"])
