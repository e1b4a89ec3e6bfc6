"""Lifecycle configurations of notebook instances: one script for the creation, one for every start.

No status; every operation is immediate. A change takes effect at the next start of the instances that use it ([B]).
All refusals are ValidationException (facts teardown 1.7).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from localcloud.sagemaker import errors, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.store import Record, Table, named, tag_map

Hook = Literal["OnCreate", "OnStart"]

_HOOK: Tree = {"Content": ANY}
_CREATE: Tree = {"NotebookInstanceLifecycleConfigName": ANY, "OnCreate": _HOOK, "OnStart": _HOOK, "Tags": TAGS}
_UPDATE: Tree = {"NotebookInstanceLifecycleConfigName": ANY, "OnCreate": _HOOK, "OnStart": _HOOK}
_NAME: Tree = {"NotebookInstanceLifecycleConfigName": ANY}
_LIST: Tree = {**listing.PLAIN_LIST, "LastModifiedTimeAfter": ANY, "LastModifiedTimeBefore": ANY}
KIND = "notebook-instance-lifecycle-config"
_RESOURCE = (KIND, "NotebookInstanceLifecycleConfigName")
_LISTING = listing.Listing("NotebookInstanceLifecycleConfigs", "Descending")


@dataclass(eq=False)
class LifecycleConfigRecord(Record):
    """One configuration: its scripts as text."""

    scripts: dict[Hook, str] = field(default_factory=dict)
    #: ARNs of the instances that name it
    users: set[str] = field(default_factory=set)


class NotebookLifecycleConfigs:
    """Create, Describe, List, Update and Delete of NotebookInstanceLifecycleConfig."""

    def __init__(self, core: Core) -> None:
        """No configurations yet."""
        self._core = core
        self._table: Table[LifecycleConfigRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        return {
            "CreateNotebookInstanceLifecycleConfig": Operation(self.create, _CREATE, _RESOURCE),
            "DescribeNotebookInstanceLifecycleConfig": Operation(self.describe, _NAME, _RESOURCE),
            "ListNotebookInstanceLifecycleConfigs": Operation(self.list_page, _LIST),
            "UpdateNotebookInstanceLifecycleConfig": Operation(self.update, _UPDATE, _RESOURCE),
            "DeleteNotebookInstanceLifecycleConfig": Operation(self.delete, _NAME, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Keep the scripts; nothing runs."""
        asked, scope = request.parameters, request.scope
        name = asked["NotebookInstanceLifecycleConfigName"]
        arn = scope.arn(KIND, name)
        scripts = _scripts(asked)
        self._core.require_tagging(request, arn)
        now = self._core.clock.now()
        with self._core.store.lock:
            if self.find(scope, name) is not None:
                raise _refused("create", arn, "Notebook Instance Lifecycle Config already exists.")
            tags = tag_map(asked.get("Tags"))
            self._table.add(LifecycleConfigRecord(scope, name, arn, asked, now, now, tags=tags, scripts=scripts))
        return {"NotebookInstanceLifecycleConfigArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The scripts as they were sent, and the times."""
        with self._core.store.lock:
            record = self._require(request, "describe")
            return {**record.request, **_summary(record)}

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            return listing.page(request.parameters, self._table.of(request.scope), _LISTING, _summary)

    def update(self, request: Request) -> dict[str, Any]:
        """Replace the scripts that are sent."""
        asked = request.parameters
        changed = _scripts(asked)
        with self._core.store.lock:
            record = self._require(request, "update")
            record.request = {**record.request, **asked}
            record.scripts = {**record.scripts, **changed}
            for hook in ("OnCreate", "OnStart"):
                if asked.get(hook) == []:
                    record.scripts.pop(hook, None)
            record.modified = self._core.clock.now()
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget it. Raises ValidationException while an instance names it ([I]: text by analogy)."""
        with self._core.store.lock:
            record = self._require(request, "delete")
            if record.users:
                user = sorted(record.users)[0]
                raise _refused("delete", record.arn, f"It is in use by Notebook Instance '{user}'.")
            self._table.remove(record)
        return {}

    def find(self, scope: Scope, name: str) -> LifecycleConfigRecord | None:
        """The configuration of this name in any case, None when there is none. Hold the lock."""
        return named(self._table, scope, name)

    def require(self, scope: Scope, name: str, verb: str) -> LifecycleConfigRecord:
        """The configuration of this name. Raises AWS's ValidationException when there is none. Hold the lock."""
        record = self.find(scope, name)
        if record is None:
            raise _refused(verb, scope.arn(KIND, name), "Notebook Instance Lifecycle Config does not exist.")
        return record

    def reset(self) -> None:
        """Forget every record."""
        with self._core.store.lock:
            self._table.clear()

    def _require(self, request: Request, verb: str) -> LifecycleConfigRecord:
        return self.require(request.scope, request["NotebookInstanceLifecycleConfigName"], verb)


def _refused(verb: str, arn: str, details: str) -> errors.ServiceError:
    """The family of texts that moto copied from AWS for describe and delete."""
    return errors.validation(f"Unable to {verb} Notebook Instance Lifecycle Config '{arn}'. (Details: {details})")


def _scripts(asked: Mapping[str, Any]) -> dict[Hook, str]:
    """The scripts of a request as text. The service model limits Content to 16,384 characters of base64."""
    scripts: dict[Hook, str] = {}
    hooks: tuple[Hook, ...] = ("OnCreate", "OnStart")
    for hook in hooks:
        for script in asked.get(hook, []):
            try:
                scripts[hook] = base64.b64decode(script.get("Content", ""), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise errors.validation(f"{hook} must contain a base64-encoded shell script.") from None
    return scripts


def _summary(record: LifecycleConfigRecord) -> dict[str, Any]:
    return {
        "NotebookInstanceLifecycleConfigName": record.name,
        "NotebookInstanceLifecycleConfigArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }
