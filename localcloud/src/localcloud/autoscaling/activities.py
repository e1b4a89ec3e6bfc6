"""What scaling did: DescribeScalingActivities."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from localcloud.autoscaling.targets import DIMENSION, NAMESPACE
from localcloud.sagemaker.ports import Scope

#: AWS remembers six weeks ([B]); here so many
_KEPT = 1000


@dataclass(eq=False)
class Activity:
    """One change of a target's capacity."""

    scope: Scope
    resource: str
    capacity: int
    cause: str
    started: float
    ended: float | None = None
    status: str = "InProgress"
    message: str = ""
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))

    def described(self) -> dict[str, Any]:
        """As in the reply."""
        return {
            "ActivityId": self.identifier,
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self.resource,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired instance count to {self.capacity}.",
            "Cause": self.cause,
            "StartTime": self.started,
            "EndTime": self.ended,
            "StatusCode": self.status,
            "StatusMessage": self.message
            or f"Successfully set desired instance count to {self.capacity}. Waiting for change to be fulfilled by "
            f"{NAMESPACE}.",
        }

    def succeed(self, moment: float) -> None:
        """The service has done it."""
        self.status, self.ended = "Successful", moment
        self.message = (
            f"Successfully set desired instance count to {self.capacity}. Change successfully fulfilled by {NAMESPACE}."
        )

    def fail(self, moment: float, reason: str) -> None:
        """The service has not done it."""
        self.status, self.ended = "Failed", moment
        self.message = f"Failed to set desired instance count to {self.capacity}. Reason: {reason}"


class Activities:
    """The last ones of every account. Thread-safe."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._kept: deque[Activity] = deque(maxlen=_KEPT)

    def add(self, activity: Activity) -> None:
        """Remember one."""
        with self._lock:
            self._kept.appendleft(activity)

    def of(self, scope: Scope, resource: str | None) -> list[Activity]:
        """Those of one account and region, and of one target if it is named; the newest first."""
        with self._lock:
            return [each for each in self._kept if each.scope == scope and resource in (None, each.resource)]

    def running(self, scope: Scope, resource: str) -> bool:
        """Whether one of a target is not over."""
        return any(activity.ended is None for activity in self.of(scope, resource))

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
