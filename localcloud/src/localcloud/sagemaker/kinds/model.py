"""Models: a container image, its model data and the role that it runs under, said in full or by a model package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.model_package import ModelPackages
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, tag_map

_CONTAINER: Tree = {
    "Image": ANY,
    "ImageConfig": {"RepositoryAccessMode": only("Platform")},
    "ModelDataUrl": ANY,
    "ModelDataSource": {"S3DataSource": {"S3Uri": ANY, "S3DataType": ANY, "CompressionType": ANY}},
    "Environment": ANY,
    "ContainerHostname": ANY,
    "ModelPackageName": ANY,
    "Mode": only("SingleModel"),
}
_CREATE: Tree = {
    "ModelName": ANY,
    "PrimaryContainer": _CONTAINER,
    "Containers": _CONTAINER,
    "InferenceExecutionConfig": {"Mode": only("Serial")},
    "ExecutionRoleArn": ANY,
    "EnableNetworkIsolation": ANY,
    "Tags": TAGS,
}
_NAME: Tree = {"ModelName": ANY}
_RESOURCE = ("model", "ModelName")
_LISTING = listing.Listing("Models", "Descending")


@dataclass(eq=False, kw_only=True)
class ModelRecord(Record):
    """A model; of one that a package makes, what is in the package when the model is made."""

    container: dict[str, Any]


class Models:
    """CreateModel, DescribeModel, ListModels, DeleteModel (which never refuses)."""

    def __init__(self, core: Core, packages: ModelPackages) -> None:
        """No models yet; ``packages`` are what they may be made from."""
        self._core = core
        self._packages = packages
        self._table: Table[ModelRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateModel": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeModel": Operation(self.describe, _NAME, _RESOURCE),
            "ListModels": Operation(self.list_page, listing.PLAIN_LIST),
            "DeleteModel": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Image, role and model data are checked at once, as AWS does; nothing is started."""
        asked, scope = request.parameters, request.scope
        arn = scope.arn("model", asked["ModelName"])
        container = self._resolved(scope, _checked_container(asked))
        if "ExecutionRoleArn" not in asked:
            raise errors.validation("ExecutionRoleArn is required to create a model from a container.")
        self._core.require_tagging(request, arn)
        role = asked["ExecutionRoleArn"]
        self._core.require_role(request, role)
        self._core.backend.check_image(container["Image"])
        self._core.backend.check_pull(container["Image"], role)
        self._check_data(scope, role, model_data(container))
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._table.get(scope, asked["ModelName"]) is not None:
                raise errors.validation(f'Cannot create already existing model "{arn}".')
            tags = tag_map(asked.get("Tags"))
            record = ModelRecord(scope, asked["ModelName"], arn, asked, now, now, tags=tags, container=container)
            self._table.add(record)
        return {"ModelArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request, with the members that AWS adds."""
        with self._core.store.lock:
            record = self.require(request.scope, request["ModelName"])
            described = {"Mode": "SingleModel", "Environment": {}, **_asked_container(record.request)}
            shape = {"Containers": [described]} if "Containers" in record.request else {"PrimaryContainer": described}
            return {"EnableNetworkIsolation": False, **record.request, **_summary(record), **shape}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            return listing.page(request.parameters, self._table.of(request.scope), _LISTING, _summary)

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a model, also when a live endpoint serves it ([B] DeleteModel has no error for that)."""
        with self._core.store.lock:
            self._table.remove(self.require(request.scope, request["ModelName"]))
        return {}

    def require(self, scope: Scope, name: str) -> ModelRecord:
        """The model of this name. Raises AWS's ValidationException when there is none."""
        record = self._table.get(scope, name)
        if record is None:
            raise errors.validation(f'Could not find model "{scope.arn("model", name)}".')
        return record

    def find(self, scope: Scope, name: str) -> ModelRecord | None:
        """The model of this name, None when there is none."""
        return self._table.get(scope, name)

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._table.clear()

    def _resolved(self, scope: Scope, container: dict[str, Any]) -> dict[str, Any]:
        """A container with what its package has; the request's own environment wins. Raises ValidationException.

        A version must be approved to be deployed ([B] CreateModelPackage; that CreateModel refuses it is inferred).
        """
        if "ModelPackageName" not in container:
            return container
        with self._core.store.lock:
            package = self._packages.require(scope, container["ModelPackageName"])
            approval = package.request["ModelApprovalStatus"]
            packed: dict[str, Any] = package.request["InferenceSpecification"]["Containers"][0]
        if approval != "Approved":
            raise errors.validation(
                f"Model package {package.arn} cannot be deployed: its ModelApprovalStatus is {approval}, not Approved."
            )
        environment = {**packed.get("Environment", {}), **container.get("Environment", {})}
        found: dict[str, Any] = {member: packed[member] for member in ("Image", "ModelDataUrl") if member in packed}
        return {**container, **found, "Environment": environment}

    def _check_data(self, scope: Scope, role: str, url: str | None) -> None:
        if url is None or self._can_read(scope, role, url):
            return
        raise errors.validation(
            f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its '
            'trust relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
            f"object is located in {scope.region}."
        )

    def _can_read(self, scope: Scope, role: str, url: str) -> bool:
        if not url.endswith("/"):
            return self._core.backend.can_read(scope, role, url)
        try:
            return bool(self._core.backend.list_objects(scope, role, url))
        except RuntimeError:
            return False


def container_of(model: ModelRecord) -> dict[str, Any]:
    """The container of a model, however it was named."""
    return model.container


def _asked_container(asked: Mapping[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = asked.get("PrimaryContainer") or asked["Containers"][0]
    return container


def model_data(container: Mapping[str, Any]) -> str | None:
    """Where the model's data is; a URL that ends in ``/`` is a prefix of files that are not packed. None: no data."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    url: str | None = container.get("ModelDataUrl") or source.get("S3Uri")
    return url


def _checked_container(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The one container of a request. Raises ValidationException."""
    containers = asked.get("Containers", [])
    if len(containers) > 1:
        raise errors.not_supported("CreateModel", "Containers with more than one container")
    if bool(containers) == ("PrimaryContainer" in asked):
        raise errors.validation("CreateModel needs one of PrimaryContainer and Containers.")
    container = _asked_container(asked)
    where = "Containers" if containers else "PrimaryContainer"
    if "ModelPackageName" in container:
        besides = sorted(container.keys() & {"Image", "ModelDataUrl", "ModelDataSource"})
        if besides:
            raise errors.validation(f"{where} cannot contain {besides[0]} beside ModelPackageName.")
    elif not container.get("Image"):
        raise errors.validation(f"{where} must contain Image.")
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source and "ModelDataUrl" in container:
        raise errors.validation("ModelDataUrl and ModelDataSource cannot both be given.")  # [B] ModelDataSource
    if source:
        packed = source["S3DataType"], source["CompressionType"]
        if packed not in (("S3Object", "Gzip"), ("S3Prefix", "None")):
            raise errors.not_supported("CreateModel", f"ModelDataSource with {' and CompressionType '.join(packed)}")
        if source["S3DataType"] == "S3Prefix" and not source["S3Uri"].endswith("/"):
            raise errors.validation("The S3Uri of an uncompressed model must end in a forward slash.")  # [B]
    return container


def _summary(record: Record) -> dict[str, Any]:
    return {"ModelName": record.name, "ModelArn": record.arn, "CreationTime": record.created}
