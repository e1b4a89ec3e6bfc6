"""Job definitions of Model Monitor: data quality and model quality. Nothing runs here; schedules use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds.endpoint import Endpoints
from localcloud.sagemaker.monitoring.analysis import (
    Analysis,
    CaptureSource,
    MonitoringType,
    data_input,
    definition_tree,
)
from localcloud.sagemaker.monitoring.schedule import ScheduleRecord
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, tag_map

_NAME: Tree = {"JobDefinitionName": ANY}
_PATHS: Mapping[MonitoringType, str] = {
    "DataQuality": "data-quality-job-definition",
    "ModelQuality": "model-quality-job-definition",
}
_LISTING = listing.Listing("JobDefinitionSummaries", "Descending")


@dataclass(eq=False, kw_only=True)
class DefinitionRecord(Record):
    """A job definition and where that is captured which it looks at."""

    analysis: Analysis


class JobDefinitions:
    """Create, Describe, List and Delete of DataQualityJobDefinition and ModelQualityJobDefinition."""

    def __init__(self, core: Core, endpoints: Endpoints) -> None:
        """No definitions yet; ``endpoints`` are what they watch."""
        self._core = core
        self._endpoints = endpoints
        self._tables: dict[MonitoringType, Table[DefinitionRecord]] = {
            kind: Table(core.store) for kind in get_args(MonitoringType)
        }

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        served: dict[str, Operation] = {}
        for kind, path in _PATHS.items():
            noun, resource = f"{kind}JobDefinition", (path, "JobDefinitionName")
            served |= {
                f"Create{noun}": Operation(partial(self.create, kind), definition_tree(kind), resource),
                f"Describe{noun}": Operation(partial(self.describe, kind), _NAME, resource),
                f"List{noun}s": Operation(partial(self.list_page, kind), {**listing.PLAIN_LIST, "EndpointName": ANY}),
                f"Delete{noun}": Operation(partial(self.delete, kind), _NAME, resource),
            }
        return served

    def create(self, kind: MonitoringType, request: Request) -> dict[str, Any]:
        """The endpoint must exist and capture; the image is looked at when a schedule fires."""
        asked, scope = request.parameters, request.scope
        name = asked["JobDefinitionName"]
        arn = scope.arn(_PATHS[kind], name)
        self._core.require_tagging(request, arn)
        self._core.require_role(request, asked["RoleArn"])
        source = self.source_of(scope, data_input(asked[f"{kind}JobInput"]))
        analysis = Analysis.of_definition(kind, asked, source)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self._tables[kind].get(scope, name) is not None:
                raise errors.resource_in_use(f"Job definition {arn} already exists.")
            record = DefinitionRecord(
                scope, name, arn, asked, now, now, tags=tag_map(asked.get("Tags")), analysis=analysis
            )
            self._tables[kind].add(record)
        return {"JobDefinitionArn": arn}

    def describe(self, kind: MonitoringType, request: Request) -> dict[str, Any]:
        """The request, its ARN and when it was made."""
        with self._core.store.lock:
            record = self.require(kind, request.scope, request["JobDefinitionName"])
            return {**record.request, "JobDefinitionArn": record.arn, "CreationTime": record.created}

    def list_page(self, kind: MonitoringType, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        endpoint = request.parameters.get("EndpointName")
        with self._core.store.lock:
            records = self._tables[kind].of(request.scope)
            found = [r for r in records if endpoint in (None, r.analysis.source.endpoint)]
            return listing.page(request.parameters, found, _LISTING, _summary)

    def delete(self, kind: MonitoringType, request: Request) -> dict[str, Any]:
        """Refused while a schedule names the definition, also one that is being deleted ([R])."""
        with self._core.store.lock:
            record = self.require(kind, request.scope, request["JobDefinitionName"])
            schedule = self._locked_by(record)
            if schedule:
                text = f"Job definition {record.arn} is locked by monitoring schedule {schedule}."
                in_use = self._core.switches.get("job-definition-lock") == "in-use"
                raise errors.resource_in_use(text) if in_use else errors.validation(text)
            self._tables[kind].remove(record)
        return {}

    def require(self, kind: MonitoringType, scope: Scope, name: str) -> DefinitionRecord:
        """The definition of this name. Raises ResourceNotFound when there is none."""
        record = self._tables[kind].get(scope, name)
        if record is None:
            raise errors.resource_not_found(f"Could not find job definition {scope.arn(_PATHS[kind], name)}.")
        return record

    def source_of(self, scope: Scope, given: Mapping[str, Any]) -> CaptureSource:
        """Where what is looked at is captured: by an endpoint, or by whichever transform jobs there will be.

        Raises AWS's ValidationException when the endpoint does not capture ([R]).
        """
        if "EndpointName" not in given:
            return CaptureSource(None, given["DataCapturedDestinationS3Uri"].rstrip("/"))
        name = given["EndpointName"]
        source = self._endpoints.capture_of(scope, name)
        if source is None:
            raise errors.validation(f"Endpoint '{name}' does not exist or is not valid")
        return source

    def flush(self, scope: Scope, endpoint: str) -> None:
        """Write what the endpoint has captured and not written yet, if it still is there."""
        self._endpoints.flush_capture(scope, endpoint)

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            for table in self._tables.values():
                table.clear()

    def _locked_by(self, definition: DefinitionRecord) -> str | None:
        schedules = (r for r in self._core.store.records() if isinstance(r, ScheduleRecord))
        key = (definition.scope, definition.analysis.type, definition.name)
        return next((s.name for s in schedules if (s.scope, s.type, s.definition) == key), None)


def _summary(record: DefinitionRecord) -> dict[str, Any]:
    return {
        "MonitoringJobDefinitionName": record.name,
        "MonitoringJobDefinitionArn": record.arn,
        "CreationTime": record.created,
        "EndpointName": record.analysis.source.endpoint,
    }
