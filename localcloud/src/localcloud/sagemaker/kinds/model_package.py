"""Model packages: versions in a group of the model registry, with metrics and an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors, events, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds import model_package_group
from localcloud.sagemaker.kinds.model_package_group import GroupRecord, ModelPackageGroups
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, name_in

PATH = "model-package"
_CREATE: Tree = {
    "ModelPackageGroupName": ANY,
    "ModelPackageDescription": ANY,
    "ModelPackageRegistrationType": only("Registered"),
    "InferenceSpecification": {
        "Containers": {
            "ContainerHostname": ANY,
            "Image": ANY,
            "ImageDigest": ANY,
            "ModelDataUrl": ANY,
            "Environment": ANY,
            "ModelInput": ANY,
            "Framework": ANY,
            "FrameworkVersion": ANY,
            "NearestModelName": ANY,
        },
        "SupportedTransformInstanceTypes": ANY,
        "SupportedRealtimeInferenceInstanceTypes": ANY,
        "SupportedContentTypes": ANY,
        "SupportedResponseMIMETypes": ANY,
    },
    "CertifyForMarketplace": only(False),
    "Tags": TAGS,
    "ModelApprovalStatus": ANY,
    "MetadataProperties": ANY,
    "ModelMetrics": ANY,
    "DriftCheckBaselines": ANY,
    "CustomerMetadataProperties": ANY,
    "Domain": ANY,
    "Task": ANY,
    "SamplePayloadUrl": ANY,
    "SkipModelValidation": ANY,
    "SourceUri": ANY,
    "ClientToken": ANY,
}
_UPDATE: Tree = {
    "ModelPackageArn": ANY,
    "ModelApprovalStatus": ANY,
    "ApprovalDescription": ANY,
    "CustomerMetadataProperties": ANY,
    "CustomerMetadataPropertiesToRemove": ANY,
    "SourceUri": ANY,
    "ClientToken": ANY,
}
_CHANGED = ("ModelApprovalStatus", "ApprovalDescription", "SourceUri")
#: members of an update as UpdatedModelPackageFields of its event names them ([DG])
_FIELDS = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "SourceUri": "sourceUri",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove": "CustomerMetadataProperties",
}
_NAME: Tree = {"ModelPackageName": ANY}
_LIST: Tree = {
    **listing.PLAIN_LIST,
    "ModelApprovalStatus": ANY,
    "ModelPackageGroupName": ANY,
    "ModelPackageType": ANY,
}
_LISTING = listing.Listing("ModelPackageSummaryList", "Ascending")


@dataclass(eq=False, kw_only=True)
class PackageRecord(Record):
    """One version of a group."""

    group: GroupRecord
    version: int


class ModelPackages:
    """Create, Describe, List, Update and Delete of versioned packages."""

    def __init__(self, core: Core, groups: ModelPackageGroups) -> None:
        """No packages yet; ``groups`` are what they belong to."""
        self._core = core
        self._groups = groups
        self._table: Table[PackageRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        package = (PATH, "ModelPackageName")
        in_group = (model_package_group.PATH, "ModelPackageGroupName")
        return {
            "CreateModelPackage": Operation(self.create, _CREATE, in_group),
            "DescribeModelPackage": Operation(self.describe, _NAME, package),
            "ListModelPackages": Operation(self.list_page, _LIST),
            "UpdateModelPackage": Operation(self.update, _UPDATE, ("", "ModelPackageArn")),
            "DeleteModelPackage": Operation(self.delete, _NAME, package),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """The next version of a group. Authorised on the group and on the package (service authorization)."""
        asked, scope = request.parameters, request.scope
        if "ModelPackageGroupName" not in asked:
            raise errors.not_supported(request.operation, "a model package outside a ModelPackageGroupName")
        if asked.get("Tags"):
            # [B] Tags: "your model package ... uses the tags associated with the model group"
            raise errors.validation("Tags are not allowed for a model package that belongs to a model package group.")
        if not asked.get("InferenceSpecification"):
            raise errors.validation("InferenceSpecification must be specified.")
        with self._core.store.lock:
            group = self._groups.require(scope, asked["ModelPackageGroupName"])
            version = group.last_version + 1
        self._core.require_permission(
            request, "sagemaker:CreateModelPackage", scope.arn(PATH, f"{group.name}/{version}")
        )
        now = self._core.clock.now()
        with self._core.store.lock:
            known = self._of_token(group, asked.get("ClientToken"))
            if known:
                return {"ModelPackageArn": known.arn}
            group.last_version += 1
            name = f"{group.name}/{group.last_version}"
            approval = {"ModelApprovalStatus": "PendingManualApproval"}  # [B] the default of a version
            record = PackageRecord(
                scope,
                name,
                scope.arn(PATH, name),
                {**approval, **asked},
                now,
                now,
                "Completed",
                dict(group.tags),
                group=group,
                version=group.last_version,
            )
            self._table.add(record)
            group.packages += 1
            self._announce(record, [])
        return {"ModelPackageArn": record.arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request, version, approval and status."""
        with self._core.store.lock:
            return _description(self.require(request.scope, request["ModelPackageName"]))

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of the versions of a group. Without a group AWS lists unversioned packages: here are none ([B])."""
        asked = request.parameters
        group = asked.get("ModelPackageGroupName")
        wanted = "Versioned" if group else asked.get("ModelPackageType", "Unversioned")
        with self._core.store.lock:
            if group:
                group = self._groups.require(request.scope, group).name
            found = [
                record
                for record in self._table.of(request.scope)
                if wanted in ("Versioned", "Both")
                and group in (None, record.group.name)
                and asked.get("ModelApprovalStatus", record.request["ModelApprovalStatus"])
                == record.request["ModelApprovalStatus"]
            ]
            return listing.page(asked, found, _LISTING, _summary)

    def update(self, request: Request) -> dict[str, Any]:
        """Approve or reject, and change the customer's own properties."""
        asked = request.parameters
        with self._core.store.lock:
            record = self.require(request.scope, asked["ModelPackageArn"])
            properties = {
                **(record.request.get("CustomerMetadataProperties") or {}),
                **asked.get("CustomerMetadataProperties", {}),
            }
            for key in asked.get("CustomerMetadataPropertiesToRemove", []):
                properties.pop(key, None)
            record.request = {**record.request, "CustomerMetadataProperties": properties or None}
            record.request |= {member: asked[member] for member in _CHANGED if member in asked}
            record.modified = self._core.clock.now()
            self._announce(record, [_FIELDS[member] for member in asked if member in _FIELDS])
            self._core.store.changed.notify_all()
        return {"ModelPackageArn": record.arn}

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a version; its artefacts in S3 stay. A version is named by its ARN ([R] facts teardown 1.16)."""
        name = request["ModelPackageName"]
        with self._core.store.lock:
            record = self.require(request.scope, name)
            if not name.startswith("arn:"):
                raise errors.validation(f"A version of a model package group is deleted by its ARN, not by {name}.")
            self._table.remove(record)
            record.group.packages -= 1
        return {}

    def require(self, scope: Scope, name: str) -> PackageRecord:
        """The package of this ARN. Raises AWS's ValidationException when there is none."""
        short = name_in(PATH, name)
        record = self._table.get(scope, short)
        if record is None:
            raise errors.validation(f"ModelPackage {scope.arn(PATH, short)} does not exist.")
        return record

    def _announce(self, record: PackageRecord, updated: list[str]) -> None:
        """``updated``: what an update was about; a registration is about nothing of the kind. Hold the lock."""
        detail = events.described("DescribeModelPackage", _description(record), record, events.iso)
        del detail["Tags"]
        if updated:
            detail["UpdatedModelPackageFields"] = updated
        self._core.announce(record.scope, "SageMaker Model Package State Change", [record.arn], detail)

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._table.clear()

    def _of_token(self, group: GroupRecord, token: str | None) -> PackageRecord | None:
        """The package that an earlier call with the same token made."""
        packages = (package for package in self._table.all() if package.group is group)
        return next((package for package in packages if token and package.request.get("ClientToken") == token), None)


def _description(record: PackageRecord) -> dict[str, Any]:
    return {
        **record.request,
        **_summary(record),
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "LastModifiedTime": record.modified,
    }


def _summary(record: PackageRecord) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": record.group.name,
        "ModelPackageVersion": record.version,
        "ModelPackageArn": record.arn,
        "ModelPackageDescription": record.request.get("ModelPackageDescription"),
        "CreationTime": record.created,
        "ModelPackageStatus": record.status,
        "ModelApprovalStatus": record.request["ModelApprovalStatus"],
        "ModelPackageRegistrationType": record.request.get("ModelPackageRegistrationType"),
    }
