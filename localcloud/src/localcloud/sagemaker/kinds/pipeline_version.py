"""The API of a pipeline's versions: what changes their names and aliases, and lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker import listing
from localcloud.sagemaker.api.supported import ANY, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.pipeline import PATH, Pipelines
from localcloud.sagemaker.pipelines import versions

_UPDATE: Tree = {
    "PipelineArn": ANY,
    "PipelineVersionId": ANY,
    "PipelineVersionDisplayName": ANY,
    "PipelineVersionDescription": ANY,
    "PipelineVersionAliasOperations": {"Add": ANY, "Remove": ANY},
}
_TEXTS = ("PipelineVersionDisplayName", "PipelineVersionDescription")
_LIST: Tree = {
    "PipelineName": ANY,
    "CreatedAfter": ANY,
    "CreatedBefore": ANY,
    "SortOrder": ANY,
    "NextToken": ANY,
    "MaxResults": ANY,
}
_LISTING = listing.Listing("PipelineVersionSummaries", "Descending")


class PipelineVersions:
    """UpdatePipelineVersion and ListPipelineVersions; versions are made by CreatePipeline and UpdatePipeline."""

    def __init__(self, core: Core, pipelines: Pipelines) -> None:
        """``pipelines`` have the versions."""
        self._core = core
        self._pipelines = pipelines

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "UpdatePipelineVersion": Operation(self.update, _UPDATE, ("", "PipelineArn")),
            "ListPipelineVersions": Operation(self.list_page, _LIST, (PATH, "PipelineName")),
        }

    def update(self, request: Request) -> dict[str, Any]:
        """Other texts, and aliases added or removed; first they are removed."""
        asked = request.parameters
        aliases = asked.get("PipelineVersionAliasOperations", {})
        with self._core.store.lock:
            record = self._pipelines.require(request.scope, asked["PipelineArn"])
            self._pipelines.require_active(record)
            version = record.require_version({"PipelineVersionId": asked["PipelineVersionId"]})
            kept = [alias for alias in version.aliases if alias not in aliases.get("Remove", [])]
            added = [alias for alias in aliases.get("Add", []) if alias not in kept]
            versions.require_free(record, [alias for alias in added if alias not in version.aliases])
            version.aliases = [*kept, *added]
            version.request = {**version.request, **{member: asked[member] for member in _TEXTS if member in asked}}
            version.modified = self._core.clock.now()
            return {"PipelineArn": record.arn, "PipelineVersionId": version.id}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of the versions, the newest first."""
        with self._core.store.lock:
            record = self._pipelines.require(request.scope, request["PipelineName"])
            return listing.page(request.parameters, record.versions, _LISTING, versions.summary)

    def reset(self) -> None:
        """Versions go with their pipelines."""
