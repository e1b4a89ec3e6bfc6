"""The notebook instance: what it starts with, what stops it, and that an update does not start it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from sandcastle.acknowledgements import Acknowledgement
from sandcastle.code import UploadedAsset
from sandcastle.config import Notebook
from sandcastle.functions import Function, service_timeout
from sandcastle.janitor import TIMEOUT_SECONDS
from sandcastle.lifecycle_script import LifecycleScript
from sandcastle.naming import NotebookNames
from sandcastle.permissions import sagemaker_arn
from sandcastle.promises import may, may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole, Statement

_PERIOD_SECONDS, _TRIES = 600, 4
"""How long, and how often again, the schedule tries when SageMaker refuses: not for the day that Scheduler would by
default, in which somebody may have started the instance again."""


@dataclass(frozen=True)
class Subnet:
    """Where an instance without internet is: a subnet, and the security group of what runs in it."""

    id: str
    security_group_id: str


def unchangeable(notebook: Notebook) -> dict[str, Any]:
    """Return the settings that CloudFormation can only change by making another instance."""
    return {
        "PlatformIdentifier": notebook.platform,
        "DirectInternetAccess": "Disabled" if notebook.network == "vpc-only" else "Enabled",
    }


class NotebookInstance(Construct):
    """A notebook instance without root and with IMDSv2 only, and its lifecycle configuration.

    Two custom resources see to it that an update does not start an instance that somebody had stopped: one is updated
    before the instance and notes its state, one after it. Both hold all of its settings, so that they are updated
    when it is and only then.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        notebook: Notebook,
        name: str,
        names: NotebookNames,
        role: ServiceRole,
        subnet: Subnet | None,
        script: LifecycleScript,
        code: UploadedAsset,
    ) -> None:
        """``script`` runs at every start; ``subnet`` is None for an instance in SageMaker's own network."""
        super().__init__(scope, construct_id)
        self._notebook = notebook
        self._names = names
        config = Resource(
            self,
            "Config",
            "AWS::SageMaker::NotebookInstanceLifecycleConfig",
            NotebookInstanceLifecycleConfigName=names.lifecycle_config(script.digest),
            OnStart=[{"Content": script.content}],
        )
        settings: dict[str, Any] = {
            **unchangeable(notebook),
            "InstanceType": notebook.instance,
            "VolumeSizeInGB": notebook.volume_gb,
            "RootAccess": "Disabled",
            "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
            "RoleArn": role.arn,
            "LifecycleConfigName": config.attribute("NotebookInstanceLifecycleConfigName"),
        }
        if subnet is not None:
            settings |= {"SubnetId": subnet.id, "SecurityGroupIds": [subnet.security_group_id]}
        function = self._state_function(code)
        noted = {"Name": name, "Settings": settings}
        before = self._state("Before", function, noted)
        self.resource = Resource(
            self, "Resource", "AWS::SageMaker::NotebookInstance", NotebookInstanceName=name, **settings
        )
        self.resource.add_resource_dependency(before)
        noted |= {"State": before.attribute("State"), "Noted": before.attribute("Noted")}
        after = self._state("After", function, noted)
        after.add_resource_dependency(self.resource)

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """No key of one's own; in SageMaker's own network if that is what the file says."""
        yield Acknowledgement(
            self.resource,
            "AwsSolutions-SM2",
            "SageMaker encrypts the volume with a key of its own (developer guide, 'Protect data at rest'); a "
            "customer key costs a dollar a month and stays billed for a week after a destroy",
        )
        if self._notebook.network == "public":
            why = (
                "network: public in the environment file: without the VPC the interface endpoints need not be paid "
                "for, nothing can connect to the instance, and IAM bounds what it reaches; vpc-only is the alternative"
            )
            yield Acknowledgement(self.resource, "AwsSolutions-SM1", why)
            yield Acknowledgement(self.resource, "AwsSolutions-SM3", why)

    def _state_function(self, code: UploadedAsset) -> Function:
        ours = sagemaker_arn("notebook-instance", f"{self._names.prefix}*")
        return Function(
            self,
            "State",
            handler="notebook_state.handler",
            description="Stops the notebook instance after an update if it was stopped before",
            code=code,
            timeout_seconds=TIMEOUT_SECONDS,
            statements=[
                Statement(
                    ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
                    [ours],
                    reason="instances of this stack: one may replace another, with another end of its name",
                )
            ],
            promises=[
                may("sagemaker:StopNotebookInstance", ours),
                may_not("sagemaker:StopNotebookInstance", sagemaker_arn("notebook-instance", "other")),
                may_not("sagemaker:StartNotebookInstance", "*"),
                may_not("sagemaker:DeleteNotebookInstance", "*"),
            ],
        )

    def _state(self, when: str, function: Function, properties: dict[str, Any]) -> Resource:
        return Resource(
            self,
            when,
            f"Custom::SandcastleNotebook{when}",
            tagged=False,
            ServiceToken=function.arn,
            ServiceTimeout=service_timeout(TIMEOUT_SECONDS),
            **properties,
        )


class DailyStop(Construct):
    """A schedule that stops the instance once a day, whatever its own idle stop does.

    That SageMaker refuses when the instance is stopped already, or is on its way somewhere, is of no consequence.
    """

    def __init__(self, scope: Construct, construct_id: str, *, notebook: Notebook, name: str) -> None:
        """``name`` is the instance's."""
        super().__init__(scope, construct_id)
        hour, minute = notebook.stop_at.split(":")
        instance = sagemaker_arn("notebook-instance", name)
        role = ServiceRole(
            self,
            "Role",
            service="scheduler.amazonaws.com",
            source_account=True,
            description="Scheduler stops the notebook instance",
            statements=[Statement(["sagemaker:StopNotebookInstance"], [instance])],
            promises=[
                may("sagemaker:StopNotebookInstance", instance),
                may_not("sagemaker:StopNotebookInstance", sagemaker_arn("notebook-instance", "other")),
                may_not("sagemaker:DeleteNotebookInstance", "*"),
            ],
        )
        group = Resource(self, "Group", "AWS::Scheduler::ScheduleGroup")  # by its tags the audit knows the schedule
        self.resource = Resource(
            self,
            "Resource",
            "AWS::Scheduler::Schedule",
            tagged=False,
            Description=f"Stops the notebook instance at {notebook.stop_at} {notebook.timezone}",
            GroupName=group.ref,
            ScheduleExpression=f"cron({int(minute)} {int(hour)} * * ? *)",
            ScheduleExpressionTimezone=notebook.timezone,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance",
                "RoleArn": role.arn,
                "Input": json.dumps({"NotebookInstanceName": name}),
                "RetryPolicy": {"MaximumEventAgeInSeconds": _PERIOD_SECONDS, "MaximumRetryAttempts": _TRIES},
            },
        )
