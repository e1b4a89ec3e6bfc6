"""People in Studio: each acts under the role of a profile of the deployed domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.environments import written
from tests.lifecycle.sessions import as_role

INSTANCE = "ml.m5.large"
PRIVATE = {"SharingType": "Private"}


@dataclass(frozen=True)
class Person:
    """A user of the domain, with clients that act under the user's role."""

    cloud: Cloud
    environment: str
    domain: str
    name: str

    @property
    def role_arn(self) -> str:
        """The execution role of the user's profile."""
        profile = self.cloud.client("sagemaker").describe_user_profile(DomainId=self.domain, UserProfileName=self.name)
        arn: str = profile["UserSettings"]["ExecutionRole"]
        return arn

    @property
    def home(self) -> str:
        """The user's folder in the data bucket."""
        return f"users/{self.name}/"

    def client(self, service: str = "sagemaker") -> Any:
        """A client with the credentials of the user's role."""
        return as_role(self.cloud, self.role_arn.rpartition("/")[2], service)

    @property
    def tags(self) -> list[dict[str, str]]:
        """What the SDK's configuration adds to everything."""
        return [
            {"Key": "sandcastle:environment", "Value": self.environment},
            {"Key": "sandcastle:user", "Value": self.name},
        ]

    def open_app(self, space: str, kind: str = "JupyterLab", instance: str = INSTANCE) -> dict[str, Any]:
        """Make a private space and an app in it, and wait until the app runs."""
        sagemaker, where = self.client(), {"DomainId": self.domain, "SpaceName": space}
        sagemaker.create_space(
            **where,
            OwnershipSettings={"OwnerUserProfileName": self.name},
            SpaceSharingSettings=PRIVATE,
            SpaceSettings={"AppType": kind},
        )
        self.cloud.until(lambda: sagemaker.describe_space(**where)["Status"] == "InService", "the space")
        app = {**where, "AppType": kind, "AppName": "default"}
        sagemaker.create_app(**app, ResourceSpec={"InstanceType": instance})
        running: dict[str, Any] = self.cloud.until(lambda: in_service(sagemaker.describe_app(**app)), "the app")
        return running


def in_service(app: dict[str, Any]) -> dict[str, Any] | None:
    """Return an app that runs, nothing while it starts."""
    assert app["Status"] != "Failed", app.get("FailureReason")
    return app if app["Status"] == "InService" else None


def denied(call: Callable[..., Any], **parameters: Any) -> bool:
    """Say whether IAM refuses the call; any other refusal is a mistake of the test."""
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}, error
        return True
    return False


def people_only(environment: str) -> str:
    """Write an environment with Studio and nothing else; return the file."""
    return written(environment, studio={"users": ["ada", "grace"], "instances": [INSTANCE], "home_efs": True})


def output(cloud: Cloud, environment: str, part: str, key: str) -> str:
    """Return an output of one of the environment's stacks."""
    stack = cloud.client("cloudformation").describe_stacks(StackName=f"sandcastle-{environment}-{part}")["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}[key]


def script_said(cloud: Cloud, domain: str, space: str, kind: str = "JupyterLab") -> str:
    """Return what the lifecycle script of the space's app has written so far."""
    stream = f"{domain}/{space}/{kind}/default/LifecycleConfigOnStart"
    events = cloud.client("logs").get_log_events(logGroupName="/aws/sagemaker/studio", logStreamName=stream)["events"]
    return "\n".join(event["message"] for event in events)
