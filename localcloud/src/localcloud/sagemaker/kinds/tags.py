"""AddTags, ListTags, DeleteTags: the same for every kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, TAGS
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, tag_map

#: of one resource ([B] Tag restrictions)
_MOST_TAGS = 50


class Tags:
    """Tags of whatever record has the ARN."""

    def __init__(self, core: Core) -> None:
        """Works on the records of ``core.store``."""
        self._core = core

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it. IAM authorises them on ResourceArn itself."""
        return {
            "AddTags": Operation(self.add, {"ResourceArn": ANY, "Tags": TAGS}, ("", "ResourceArn")),
            "ListTags": Operation(self.list_page, {"ResourceArn": ANY, "MaxResults": ANY}, ("", "ResourceArn")),
            "DeleteTags": Operation(self.delete, {"ResourceArn": ANY, "TagKeys": ANY}, ("", "ResourceArn")),
        }

    def add(self, request: Request) -> dict[str, Any]:
        """Add or overwrite; the reply repeats the tags that were sent."""
        added = tag_map(request["Tags"])
        if any(key.lower().startswith("aws:") for key in added):
            raise errors.validation("aws: prefixed tag key names are not allowed for external use.")
        with self._core.store.lock:
            record = self._require(request)
            merged = {**record.tags, **added}
            if len(merged) > _MOST_TAGS:
                raise errors.validation(f"A resource can have up to {_MOST_TAGS} tags.")
            record.tags = merged
        return {"Tags": request["Tags"]}

    def list_page(self, request: Request) -> dict[str, Any]:
        """All of them: a resource has at most one page (50) of tags."""
        with self._core.store.lock:
            return {"Tags": as_list(self._require(request))}

    def delete(self, request: Request) -> dict[str, Any]:
        """Remove; a key that is not there is no error."""
        with self._core.store.lock:
            record = self._require(request)
            record.tags = {k: v for k, v in record.tags.items() if k not in request["TagKeys"]}
        return {}

    def collect(self, scope: Scope) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """(ARN, tags) of every tagged resource, for tag:GetResources and aws:ResourceTag conditions."""
        with self._core.store.lock:
            found = [(r.arn, as_list(r)) for r in self._core.store.records() if r.scope == scope and r.tags]
        yield from found

    def reset(self) -> None:
        """Tags go with their records."""

    def _require(self, request: Request) -> Record:
        record = self._core.store.by_arn(request["ResourceArn"])
        if record is None:
            raise errors.validation(f'Could not find resource "{request["ResourceArn"]}".')
        return record


def as_list(record: Record) -> list[dict[str, str]]:
    """A record's tags as the API shows them."""
    return [{"Key": key, "Value": value} for key, value in record.tags.items()]
