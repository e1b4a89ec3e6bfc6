"""Models: a container image, its model data and the role that it runs under."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, tag_map

_CONTAINER: Tree = {
    "Image": ANY,
    "ImageConfig": {"RepositoryAccessMode": only("Platform")},
    "ModelDataUrl": ANY,
    "ModelDataSource": {"S3DataSource": {"S3Uri": ANY, "S3DataType": ANY, "CompressionType": ANY}},
    "Environment": ANY,
    "ContainerHostname": ANY,
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


class Models:
    """CreateModel, DescribeModel, ListModels, DeleteModel (which never refuses)."""

    def __init__(self, core: Core) -> None:
        """No models yet."""
        self._core = core
        self._table: Table[Record] = Table(core.store)

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
        container = _checked_container(asked)
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
            record = Record(scope, asked["ModelName"], arn, asked, now, now, tags=tag_map(asked.get("Tags")))
            self._table.add(record)
        return {"ModelArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request, with the members that AWS adds."""
        with self._core.store.lock:
            record = self.require(request.scope, request["ModelName"])
            described = {"Mode": "SingleModel", "Environment": {}, **container_of(record)}
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

    def require(self, scope: Scope, name: str) -> Record:
        """The model of this name. Raises AWS's ValidationException when there is none."""
        record = self._table.get(scope, name)
        if record is None:
            raise errors.validation(f'Could not find model "{scope.arn("model", name)}".')
        return record

    def find(self, scope: Scope, name: str) -> Record | None:
        """The model of this name, None when there is none."""
        return self._table.get(scope, name)

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._table.clear()

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


def container_of(model: Record) -> dict[str, Any]:
    """The container of a model, however it was named."""
    container: dict[str, Any] = model.request.get("PrimaryContainer") or model.request["Containers"][0]
    return container


def model_data(container: Mapping[str, Any]) -> str | None:
    """Where the model's data is; a URL that ends in ``/`` is a prefix of files that are not packed. None: no data."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    url: str | None = container.get("ModelDataUrl") or source.get("S3Uri")
    return url


def _checked_container(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one container of a request. Raises ValidationException."""
    containers = asked.get("Containers", [])
    if len(containers) > 1:
        raise errors.not_supported("CreateModel", "Containers with more than one container")
    if bool(containers) == ("PrimaryContainer" in asked):
        raise errors.validation("CreateModel needs one of PrimaryContainer and Containers.")
    container: Mapping[str, Any] = containers[0] if containers else asked["PrimaryContainer"]
    where = "Containers" if containers else "PrimaryContainer"
    if not container.get("Image"):
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
