"""Endpoint configurations: which models on which instances, and what is captured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.hosting import asynchronous, serverless
from localcloud.sagemaker.kinds.model import Models
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, tag_map

_CREATE: Tree = {
    "EndpointConfigName": ANY,
    "ProductionVariants": {
        "VariantName": ANY,
        "ModelName": ANY,
        "InitialInstanceCount": ANY,
        "InstanceType": ANY,
        "InitialVariantWeight": ANY,
        "VolumeSizeInGB": ANY,
        "ServerlessConfig": {"MemorySizeInMB": ANY, "MaxConcurrency": ANY, "ProvisionedConcurrency": ANY},
    },
    "DataCaptureConfig": {
        "EnableCapture": ANY,
        "InitialSamplingPercentage": ANY,
        "DestinationS3Uri": ANY,
        "KmsKeyId": ANY,
        "CaptureOptions": {"CaptureMode": ANY},
        "CaptureContentTypeHeader": {"CsvContentTypes": ANY, "JsonContentTypes": ANY},
    },
    "AsyncInferenceConfig": {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": ANY},
        "OutputConfig": {
            "KmsKeyId": ANY,
            "S3OutputPath": ANY,
            "S3FailurePath": ANY,
            "NotificationConfig": {"SuccessTopic": ANY, "ErrorTopic": ANY, "IncludeInferenceResponseIn": ANY},
        },
    },
    "Tags": TAGS,
}
_NAME: Tree = {"EndpointConfigName": ANY}
_ON_INSTANCES = {"ModelName", "InstanceType", "InitialInstanceCount"}
_RESOURCE = ("endpoint-config", "EndpointConfigName")
_LISTING = listing.Listing("EndpointConfigs", "Descending")


class EndpointConfigs:
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig (never refuses)."""

    def __init__(self, core: Core, models: Models) -> None:
        """No configurations yet; ``models`` are what variants may name."""
        self._core = core
        self._models = models
        self._table: Table[Record] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateEndpointConfig": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeEndpointConfig": Operation(self.describe, _NAME, _RESOURCE),
            "ListEndpointConfigs": Operation(self.list_page, listing.PLAIN_LIST),
            "DeleteEndpointConfig": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Every variant's model must exist now; nothing is started."""
        asked, scope = request.parameters, request.scope
        name = asked["EndpointConfigName"]
        arn = scope.arn("endpoint-config", name)
        self._core.require_tagging(request, arn)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._table.get(scope, name) is not None:
                raise errors.validation(f'Cannot create already existing endpoint configuration "{arn}".')
            self._check_variants(scope, asked["ProductionVariants"])
            serverless.check(asked)
            asynchronous.check(asked)
            self._table.add(Record(scope, name, arn, asked, now, now, tags=tag_map(asked.get("Tags"))))
        return {"EndpointConfigArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request, with the members that AWS adds."""
        with self._core.store.lock:
            record = self.require(request.scope, request["EndpointConfigName"])
            variants = [{"InitialVariantWeight": 1.0, **variant} for variant in record.request["ProductionVariants"]]
            return {
                "EnableNetworkIsolation": False,
                **record.request,
                **_summary(record),
                "ProductionVariants": variants,
            }

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            return listing.page(request.parameters, self._table.of(request.scope), _LISTING, _summary)

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a configuration, also when a live endpoint uses it ([B]: no error for that)."""
        with self._core.store.lock:
            self._table.remove(self.require(request.scope, request["EndpointConfigName"]))
        return {}

    def require(self, scope: Scope, name: str) -> Record:
        """The configuration of this name. Raises AWS's ValidationException when there is none."""
        record = self._table.get(scope, name)
        if record is None:
            arn = scope.arn("endpoint-config", name)
            raise errors.validation(f'Could not find endpoint configuration "{arn}".')
        return record

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._table.clear()

    def _check_variants(self, scope: Scope, variants: list[dict[str, Any]]) -> None:
        """What the model leaves optional for serverless and inference components ([K] texts)."""
        names = [variant["VariantName"] for variant in variants]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated:
            raise errors.validation(f"Duplicate production variant name: {repeated}")
        for variant in variants:
            required = {"ModelName"} if "ServerlessConfig" in variant else _ON_INSTANCES
            missing = required - set(variant)
            if missing:
                raise errors.validation(
                    f"Production variant {variant['VariantName']} must contain {', '.join(sorted(missing))}."
                )
            model = self._models.require(scope, variant["ModelName"])
            if "ServerlessConfig" in variant and model.request.get("EnableNetworkIsolation"):
                # [DG] serverless-endpoints, "Feature exclusions"; the text is ours
                raise errors.validation(
                    f"Network isolation of model {model.name} is not supported for serverless endpoints."
                )


def _summary(record: Record) -> dict[str, Any]:
    return {
        "EndpointConfigName": record.name,
        "EndpointConfigArn": record.arn,
        "CreationTime": record.created,
    }
