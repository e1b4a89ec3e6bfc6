"""The end of an endpoint: from DeleteEndpoint until after Describe finds nothing.

The servers end at once, the endpoint is gone after its modelled time, if SageMaker can still use the models' roles
([B] DeleteEndpoint: otherwise "SageMaker cannot delete these resources"; switch ``endpoint-needs-role``). What was
captured and logged last arrives when the endpoint is gone already, under the roles, if they still exist and may: a
bucket that was emptied meanwhile is not empty any more, a log group that was deleted is there again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from localcloud.sagemaker import durations
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.ports import AssumeDenied, VariantSpec

logger = logging.getLogger("localcloud.sagemaker")

#: virtual seconds between two looks at a role that cannot be used
_LOOK_AGAIN = 60.0
#: so often time may jump to the next look; then a stuck endpoint waits without making everybody's time pass
_JUMPS = 240


class Ending:
    """Deletes endpoints."""

    def __init__(self, core: Core) -> None:
        """Nothing is being deleted."""
        self._core = core

    def run(self, fleet: Fleet | None, endpoint: str, gone: Callable[[], None]) -> None:
        """End the servers, wait the modelled time, call ``gone``; on a thread of its own."""
        try:
            if fleet:
                fleet.drain(keep_capture=True)
        finally:
            self._later(durations.ENDPOINT_DELETE, partial(self._finish, fleet, endpoint, gone, 0))

    def _finish(self, fleet: Fleet | None, endpoint: str, gone: Callable[[], None], looked: int) -> None:
        reason = self._stuck(fleet) if fleet else None
        if reason is None:
            gone()
            if fleet:
                write = partial(self._write_late, fleet, endpoint)
                self._later(durations.ENDPOINT_LATE_WRITES, lambda: self._core.in_background(write))
            return
        logger.warning("endpoint %s stays in status Deleting: %s", endpoint, reason)
        again = partial(self._finish, fleet, endpoint, gone, looked + 1)
        self._core.clock.call_later(_LOOK_AGAIN, again, kind="settle" if looked < _JUMPS else "calendar")

    def _stuck(self, fleet: Fleet) -> str | None:
        """Why SageMaker cannot free the endpoint's resources, None when it can."""
        if self._core.switches.get("endpoint-needs-role") == "no":
            return None
        for variant in fleet.variants:
            try:
                self._core.backend.assume(variant.spec.role_arn, "SageMaker")
                # which permissions AWS needs here is not said; this one the role had when the model was made
                self._core.backend.check_pull(variant.spec.image, variant.spec.role_arn)
            except (AssumeDenied, ServiceError) as refused:
                return str(refused)
        return None

    def _write_late(self, fleet: Fleet, endpoint: str) -> None:
        """The last captures and the last log lines."""
        if fleet.capture:
            fleet.capture.flush()
        for variant in fleet.variants:
            self._log(fleet, endpoint, variant.spec)

    def _log(self, fleet: Fleet, endpoint: str, spec: VariantSpec) -> None:
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        text = f"[localcloud] the container of variant {spec.variant} has ended; last lines delivered"
        self._core.backend.log(fleet.scope, spec.role_arn, group, f"{spec.variant}/last-lines", text)

    def _later(self, seconds: float, step: Callable[[], None]) -> None:
        self._core.clock.call_later(seconds, step, kind="settle")
