"""Behaviour of AWS that the evidence does not settle: one switch each, with what is known and what is modelled.

A switch is set at start by ``LOCALCLOUD_<NAME>`` (``LOCALCLOUD_FAILED_DELETE=go-on``) and at any time by
``POST /_localcloud/switches {"failed-delete": "go-on"}``. A teardown must be right in every position.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Switch:
    """One open question: the allowed positions as a regular expression, the default first in ``positions``."""

    name: str
    positions: str
    default: str
    #: what is known, with the evidence tags of the project's fact sheet on teardown
    evidence: str
    meaning: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it at start."""
        return "LOCALCLOUD_" + self.name.upper().replace("-", "_")


SWITCHES = (
    Switch(
        "failed-delete",
        "hold-back|go-on",
        "hold-back",
        "reported both ways: aws-cloudformation/cloudformation-coverage-roadmap#852 says that it goes on",
        "whether CloudFormation deletes what a resource depends on after that resource failed to delete",
    ),
    Switch(
        "endpoint-needs-role",
        "yes|no",
        "yes",
        '[B] DeleteEndpoint: "Do not delete or revoke the permissions for your ExecutionRoleArn, otherwise SageMaker '
        'cannot delete these resources"; what then happens is not said',
        "whether an endpoint stays in status Deleting until its models' roles exist and may pull their images again",
    ),
    Switch(
        "notebook-after-update",
        "start|stay",
        "start",
        "[S] CloudFormation stops an instance and starts it up again; not known for one that was stopped",
        "whether an update through CloudFormation starts a notebook instance that was Stopped before",
    ),
    Switch(
        "notebook-busy-delete",
        "fail|wait",
        "fail",
        "[S] the delete handler may stop and describe; what it does in Pending, Updating and Stopping is not known [I]",
        "whether CloudFormation's delete of a notebook instance in transition fails or waits for its end",
    ),
    Switch(
        "schedule-delete-read",
        "consistent|stale",
        "consistent",
        "inferred: CloudFormation's handler fails on any status but Pending, and reads are eventually consistent",
        "whether DescribeMonitoringSchedule still shows the old status for a moment after DeleteMonitoringSchedule",
    ),
    Switch(
        "job-definition-lock",
        "validation|in-use",
        "validation",
        "that a schedule locks its job definition is reported (aws/sagemaker-python-sdk), the code is not",
        "the error of deleting a job definition of a schedule: ValidationException or ResourceInUse",
    ),
    Switch(
        "monitoring-job-tags",
        "none|schedule",
        "none",
        "nothing says that the processing jobs of a monitoring schedule get its tags",
        "whether the processing jobs that a monitoring schedule starts carry the schedule's tags",
    ),
    Switch(
        "delete-order",
        "template|random:[0-9]+",
        "template",
        "AWS deletes independent resources side by side, in no order that anything states",
        "the order in which a stack's independent resources are deleted; the number is the seed of a random one",
    ),
    Switch(
        "past-schedule",
        "refuse|accept",
        "refuse",
        "reported: DefangLabs/pulumi-defang#425 says that AWS refuses it; no documentation found",
        "whether EventBridge Scheduler takes at(...) with a time that is over (it would never run)",
    ),
    Switch(
        "busy-app-delete",
        "in-use|validation",
        "in-use",
        "DeleteApp models ResourceInUse [B] and most of its known refusals are ValidationException [R]; clients wait "
        "instead of asking",
        "the code of DeleteApp for an app that is Pending or Deleting",
    ),
    Switch(
        "step-cache",
        "succeeded-steps|succeeded-executions",
        "succeeded-steps",
        "the guide of today asks for a successful run of the step, that of 2022 for a successful pipeline as well "
        "(pipelines-caching)",
        "whether a pipeline's step uses the results of a step again whose execution failed later",
    ),
    Switch(
        "domain-handler-efs",
        "keep|delete",
        "keep",
        "the published handler calls DeleteDomain without RetentionPolicy [H]; today's schema gives its delete handler "
        "permission to delete mount targets and file systems [S]",
        "whether CloudFormation's handler of AWS::SageMaker::Domain deletes the home EFS",
    ),
    Switch(
        "retention-delete-groups",
        "yes|no",
        "yes",
        "Terraform's domain tests stopped deleting the groups themselves when RetentionPolicy came [R]; nothing says "
        "it outright [I]",
        "whether DeleteDomain with RetentionPolicy Delete also deletes the two security groups for NFS",
    ),
    Switch(
        "no-efs-groups",
        "none|made",
        "none",
        "HomeEfsFileSystemCreation=Disabled makes no EFS [B]; that it makes no groups either is inferred [I]",
        "whether a domain without a home EFS gets the two security groups for NFS",
    ),
)
"""Every switch; the README's table is this."""


class Switches:
    """The positions of one server. Thread-safe."""

    def __init__(self, environ: Mapping[str, str], known: tuple[Switch, ...] = SWITCHES) -> None:
        """Take the first positions from ``environ``. Raises ValueError for a position that does not exist."""
        self._known = {switch.name: switch for switch in known}
        self._lock = threading.Lock()
        self._positions = {switch.name: switch.default for switch in known}
        self.set({switch.name: environ[switch.variable] for switch in known if switch.variable in environ})

    def get(self, name: str) -> str:
        """The position of one switch."""
        with self._lock:
            return self._positions[name]

    def set(self, positions: Mapping[str, str]) -> None:
        """Change some. Raises ValueError, with what is allowed, and changes nothing when one of them is wrong."""
        for name, position in positions.items():
            switch = self._known.get(name)
            if switch is None:
                raise ValueError(f"no switch {name!r}; there are {', '.join(sorted(self._known))}")
            if not isinstance(position, str) or re.fullmatch(switch.positions, position) is None:
                raise ValueError(f"switch {name}: {position!r} is not one of {switch.positions}")
        with self._lock:
            self._positions.update(positions)

    def snapshot(self) -> dict[str, str]:
        """Every switch with its position."""
        with self._lock:
            return dict(self._positions)


@cache
def default_switches() -> Switches:
    """The server's switches."""
    return Switches(os.environ)
