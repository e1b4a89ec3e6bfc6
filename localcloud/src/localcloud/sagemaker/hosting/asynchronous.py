"""What makes an endpoint asynchronous: its AsyncInferenceConfig ([DG] async-inference)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors

#: "the optimal value" that SageMaker chooses when MaxConcurrentInvocationsPerInstance is not said ([B]; which: [K])
_CONCURRENCY = 4


@dataclass(frozen=True)
class Settings:
    """An AsyncInferenceConfig."""

    output: str
    failure: str | None
    kms_key: str
    success_topic: str | None
    error_topic: str | None
    #: requests at a time for each instance
    concurrency: int
    #: as it was asked for
    request: Mapping[str, Any]

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> Settings | None:
        """The settings of a configuration; None for a real-time endpoint."""
        if config is None:
            return None
        output = config["OutputConfig"]
        topics = output.get("NotificationConfig", {})
        return cls(
            output["S3OutputPath"].rstrip("/"),
            output.get("S3FailurePath", "").rstrip("/") or None,
            output.get("KmsKeyId", ""),
            topics.get("SuccessTopic"),
            topics.get("ErrorTopic"),
            config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", _CONCURRENCY),
            config,
        )


def check(config: Mapping[str, Any]) -> None:
    """What an endpoint configuration that is asynchronous may not have; texts ours. Raises ValidationException."""
    asynchronous = config.get("AsyncInferenceConfig")
    if asynchronous is None:
        return
    if len(config["ProductionVariants"]) > 1:
        raise errors.not_supported("CreateEndpointConfig", "AsyncInferenceConfig with several variants")
    if config.get("DataCaptureConfig"):
        raise errors.validation("DataCaptureConfig is not supported for asynchronous endpoints.")
    if asynchronous["OutputConfig"].get("NotificationConfig", {}).get("IncludeInferenceResponseIn"):
        raise errors.not_supported("CreateEndpointConfig", "NotificationConfig.IncludeInferenceResponseIn")
    if not asynchronous["OutputConfig"].get("S3OutputPath"):
        raise errors.not_supported("CreateEndpointConfig", "AsyncInferenceConfig.OutputConfig without S3OutputPath")
