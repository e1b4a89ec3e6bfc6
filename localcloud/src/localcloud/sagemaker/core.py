"""What every kind works with: the store, the clock, the meter, the world outside, and the checks on a caller."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from localcloud.clock import Clock
from localcloud.meter import Meter
from localcloud.sagemaker import errors, iam_context
from localcloud.sagemaker.api.supported import Rule
from localcloud.sagemaker.ports import AssumeDenied, Backend, Event, Scope
from localcloud.sagemaker.quotas import Quotas
from localcloud.sagemaker.store import Record, Store, tag_map
from localcloud.switches import Switches

logger = logging.getLogger("localcloud.sagemaker")


@dataclass(frozen=True)
class Request:
    """One validated API call."""

    operation: str
    parameters: dict[str, Any]
    scope: Scope
    #: of the HTTP request, lower-case names; who is asking
    headers: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, member: str) -> Any:
        """A required member."""
        return self.parameters[member]


#: (scope, request as sent and not validated yet) -> ARN, for resources that more than one member names
ResourceOf = Callable[[Scope, Mapping[str, Any]], str]
#: (scope, request as sent) -> condition keys that the request itself does not say
ContextOf = Callable[[Scope, Mapping[str, Any]], Mapping[str, object]]


@dataclass(frozen=True)
class Operation:
    """What serves one operation, which members it honours, and what IAM authorises it on."""

    handle: Callable[[Request], dict[str, Any]]
    supported: Rule
    #: (kind of the ARN, member with the name or the ARN itself), or a function; None: not on a single resource
    resource: tuple[str, str] | ResourceOf | None = None
    #: condition keys of IAM beside those that ``iam_context`` finds in every request
    context: ContextOf | None = None

    def resource_arn(self, parameters: Mapping[str, Any], scope: Scope) -> str:
        """What IAM authorises a request on: the resource's ARN, ``*`` for lists and for what names nothing."""
        if self.resource is None:
            return "*"
        if callable(self.resource):
            return self.resource(scope, parameters)
        kind, member = self.resource
        name = parameters.get(member)
        if not isinstance(name, str) or not name:
            return "*"
        return name if not kind or name.startswith("arn:") else scope.arn(kind, name)

    def iam_context(self, parameters: Mapping[str, Any], scope: Scope) -> dict[str, object]:
        """The condition keys of a request, without those of its tags."""
        own = self.context(scope, parameters) if self.context else {}
        return {**iam_context.of_request(parameters), **own}


class Kind(Protocol):
    """A module of ``kinds``: the operations of one kind of resource and its records."""

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""

    def reset(self) -> None:
        """End what runs and forget every record."""


class Core:
    """Shared by all kinds."""

    def __init__(
        self,
        clock: Clock,
        meter: Meter,
        backend: Backend,
        switches: Switches | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        """An empty service on ``clock``; switches and quotas are at their defaults unless others are given."""
        self.store = Store()
        self.clock = clock
        self.meter = meter
        self.backend = backend
        self.switches = switches or Switches({})
        self.quotas = quotas or Quotas()
        self._threads = ThreadPoolExecutor(16, "sagemaker-background")
        #: one thread: rules hear of changes in their order
        self._events = ThreadPoolExecutor(1, "sagemaker-events")

    def in_background(self, work: Callable[[], object]) -> None:
        """Start and stop processes, write captures: what no caller waits for. A failure goes to the log."""
        self._threads.submit(_logged, work)

    def announce(self, scope: Scope, detail_type: str, resources: Sequence[str], detail: Mapping[str, Any]) -> None:
        """Tell EventBridge, in the background, what has just changed (``events`` has the details)."""
        event = Event(scope, detail_type, resources, detail, self.clock.now())
        self._events.submit(_logged, lambda: self.backend.put_event(event))

    def take(self, record: Record, wanted: Mapping[str, float]) -> None:
        """Let a record use more of the account's quotas. Hold the lock.

        Raises ResourceLimitExceeded, and takes nothing, when it would be too much.
        """
        used: Counter[str] = Counter()
        for other in self.store.records():
            if other.scope == record.scope:
                used.update(other.uses)
        self.quotas.require(wanted, used)
        record.uses = dict(Counter(record.uses) + Counter(wanted))

    def require_permission(self, request: Request, action: str, arn: str) -> None:
        """Some operations are authorised on a second resource too. Raises AccessDeniedException."""
        denied = self.backend.denial(request.scope, request.headers, action, arn, {})
        if denied:
            raise errors.access_denied(denied)

    def require_role(self, request: Request, role_arn: str) -> None:
        """The caller may pass the role to SageMaker and SageMaker can assume it.

        Raises AccessDeniedException (iam:PassRole) or ValidationException ("Could not assume role ...").
        """
        context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
        denied = self.backend.denial(request.scope, request.headers, "iam:PassRole", role_arn, context)
        if denied:
            raise errors.access_denied(denied)
        try:
            self.backend.assume(role_arn, "SageMaker")
        except AssumeDenied as reason:
            raise errors.validation(str(reason)) from None

    def require_tagging(self, request: Request, arn: str) -> None:
        """A create call with Tags needs sagemaker:AddTags on the new resource as well ([B] AddTags in IAM)."""
        tags = tag_map(request.parameters.get("Tags"))
        reserved = next((key for key in tags if key.lower().startswith("aws:")), None)
        if reserved:
            raise errors.validation("aws: prefixed tag key names are not allowed for external use.")
        if not tags:
            return
        context = tag_context(tags) | {"sagemaker:TaggingAction": request.operation}
        denied = self.backend.denial(request.scope, request.headers, "sagemaker:AddTags", arn, context)
        if denied:
            raise errors.access_denied(denied)


def tag_context(tags: Mapping[str, str]) -> dict[str, object]:
    """The condition keys of a request that carries tags; none without."""
    if not tags:
        return {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, "aws:TagKeys": list(tags)}


def _logged(work: Callable[[], object]) -> None:
    try:
        work()
    # nobody looks at the future: without this a defect would leave no trace
    except Exception:
        logger.exception("background work failed")
