"""Model package groups: the shelves of the model registry. A shelf with packages on it is not deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, name_in, tag_map

PATH = "model-package-group"
_MEMBER = "ModelPackageGroupName"
_CREATE: Tree = {_MEMBER: ANY, "ModelPackageGroupDescription": ANY, "Tags": TAGS}
_NAME: Tree = {_MEMBER: ANY}
_RESOURCE = (PATH, _MEMBER)
_LISTING = listing.Listing("ModelPackageGroupSummaryList", "Ascending")


@dataclass(eq=False)
class GroupRecord(Record):
    """A group, its resource policy, how many packages it holds and the number of its last version."""

    policy: str | None = None
    packages: int = 0
    #: versions are never given twice, also when packages are deleted ([K])
    last_version: int = 0


class ModelPackageGroups:
    """Create, Describe, List and Delete of groups, and their resource policy."""

    def __init__(self, core: Core) -> None:
        """No groups yet."""
        self._core = core
        self._table: Table[GroupRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        policy: Tree = {**_NAME, "ResourcePolicy": ANY}
        return {
            "CreateModelPackageGroup": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeModelPackageGroup": Operation(self.describe, _NAME, _RESOURCE),
            "ListModelPackageGroups": Operation(self.list_page, listing.PLAIN_LIST),
            "DeleteModelPackageGroup": Operation(self.delete, _NAME, _RESOURCE),
            "PutModelPackageGroupPolicy": Operation(self.put_policy, policy, _RESOURCE),
            "GetModelPackageGroupPolicy": Operation(self.get_policy, _NAME, _RESOURCE),
            "DeleteModelPackageGroupPolicy": Operation(self.delete_policy, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Completed at once."""
        asked, scope = request.parameters, request.scope
        arn = scope.arn(PATH, asked[_MEMBER])
        self._core.require_tagging(request, arn)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._table.get(scope, asked[_MEMBER]) is not None:
                raise errors.validation(f"Model Package Group already exists: {arn}")
            tags = tag_map(asked.get("Tags"))
            self._table.add(GroupRecord(scope, asked[_MEMBER], arn, asked, now, now, "Completed", tags))
        return {"ModelPackageGroupArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """Name, description and status."""
        with self._core.store.lock:
            return {**_summary(self._require(request)), "CreatedBy": {}}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            return listing.page(request.parameters, self._table.of(request.scope), _LISTING, _summary)

    def delete(self, request: Request) -> dict[str, Any]:
        """Gone at once, and with it its policy; refused while it holds packages ([R] the text)."""
        with self._core.store.lock:
            record = self._require(request)
            if record.packages:
                raise errors.conflict(
                    f"Model Package Group {record.arn} cannot be deleted because it still contains Model Packages"
                )
            self._table.remove(record)
        return {}

    def put_policy(self, request: Request) -> dict[str, Any]:
        """Set the resource policy. It is kept and shown; no other account exists here that it could let in."""
        try:
            json.loads(request["ResourcePolicy"])
        except ValueError:
            raise errors.validation("Invalid resource policy: it is not a JSON document.") from None
        with self._core.store.lock:
            record = self._require(request)
            record.policy = request["ResourcePolicy"]
            return {"ModelPackageGroupArn": record.arn}

    def get_policy(self, request: Request) -> dict[str, Any]:
        """The resource policy."""
        with self._core.store.lock:
            return {"ResourcePolicy": self._require_policy(request)[1]}

    def delete_policy(self, request: Request) -> dict[str, Any]:
        """Remove the resource policy."""
        with self._core.store.lock:
            self._require_policy(request)[0].policy = None
        return {}

    def require(self, scope: Scope, name: str) -> GroupRecord:
        """The group of this name or ARN. Raises AWS's ValidationException ([H] its handler matches the text)."""
        short = name_in(PATH, name)
        record = self._table.get(scope, short)
        if record is None:
            raise errors.validation(f"ModelPackageGroup {scope.arn(PATH, short)} does not exist.")
        return record

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._table.clear()

    def _require(self, request: Request) -> GroupRecord:
        return self.require(request.scope, request[_MEMBER])

    def _require_policy(self, request: Request) -> tuple[GroupRecord, str]:
        record = self._require(request)
        if record.policy is None:
            raise errors.validation(f"Cannot find resource policy for {record.arn}.")
        return record, record.policy


def _summary(record: GroupRecord) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": record.name,
        "ModelPackageGroupArn": record.arn,
        "ModelPackageGroupDescription": record.request.get("ModelPackageGroupDescription"),
        "CreationTime": record.created,
        "ModelPackageGroupStatus": record.status,
    }
