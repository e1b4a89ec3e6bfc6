"""Endpoint configurations: variants on instances, a serverless variant, asynchronous answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from sandcastle.config import Serve
from sandcastle.config.serving_spec import MAIN
from sandcastle.resource import Resource


@dataclass(frozen=True)
class ServingPlaces:
    """Where a workload's endpoint reads and writes in the reports bucket, each without a slash at the end."""

    bucket: str
    workload: str

    @property
    def capture(self) -> str:
        """The folder of captured requests and answers."""
        return f"capture/{self.workload}"

    @property
    def requests(self) -> str:
        """The folder that asynchronous requests are put into by who asks."""
        return f"async/{self.workload}/input"

    @property
    def answers(self) -> str:
        """The folder that SageMaker puts asynchronous answers into."""
        return f"async/{self.workload}/output"

    @property
    def failures(self) -> str:
        """The folder that SageMaker puts into what an asynchronous request failed of."""
        return f"async/{self.workload}/failed"

    def uri(self, folder: str) -> str:
        """Return the address of a folder."""
        return f"s3://{self.bucket}/{folder}"


def endpoint_config(
    scope: Construct,
    construct_id: str,
    *,
    serve: Serve,
    models: Mapping[str, Resource],
    places: ServingPlaces,
    topic_arn: str,
) -> Resource:
    """Add the configuration. ``models`` are SageMaker's, by variant; ``topic_arn`` hears of asynchronous requests.

    Its name is generated: whatever changes makes another configuration, which the endpoint is updated to.
    """
    if serve.kind == "serverless":
        variants = [_variant(MAIN, 1, models, ServerlessConfig=_serverless(serve))]
    else:
        variants = [
            _variant(one.name, one.weight, models, InitialInstanceCount=one.instances, InstanceType=one.instance)
            for one in serve.variants
        ]
    return Resource(
        scope,
        construct_id,
        "AWS::SageMaker::EndpointConfig",
        ProductionVariants=variants,
        DataCaptureConfig=_capture(serve.capture_percent, places) if serve.capture_percent else None,
        AsyncInferenceConfig=_asynchronous(serve.concurrency, places, topic_arn) if serve.kind == "async" else None,
    )


def _variant(name: str, weight: float, models: Mapping[str, Resource], **on: Any) -> dict[str, Any]:
    model = models[name].attribute("ModelName")
    return {"VariantName": name, "ModelName": model, "InitialVariantWeight": weight, **on}


def _serverless(serve: Serve) -> dict[str, Any]:
    """Return the size; without provisioned concurrency nothing is billed while nobody asks."""
    return {"MemorySizeInMB": serve.memory_mb, "MaxConcurrency": serve.max_concurrency}


def _asynchronous(concurrency: int, places: ServingPlaces, topic_arn: str) -> dict[str, Any]:
    return {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": concurrency},
        "OutputConfig": {
            "S3OutputPath": places.uri(places.answers),
            "S3FailurePath": places.uri(places.failures),
            "NotificationConfig": {"SuccessTopic": topic_arn, "ErrorTopic": topic_arn},
        },
    }


def _capture(percent: int, places: ServingPlaces) -> dict[str, Any]:
    """Return the capture of requests and answers, CSV and JSON kept readable and not encoded."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": places.uri(places.capture),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
