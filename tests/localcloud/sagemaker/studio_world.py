"""A Studio on a clock that stands still: a domain, its users, spaces and apps, step by step."""

from __future__ import annotations

import base64
from typing import Any

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker.scripted_backend import ROLE, SCOPE, World

SUBNETS = ["subnet-a", "subnet-b"]


def config_arn(name: str) -> str:
    return SCOPE.arn("studio-lifecycle-config", name)


class StudioWorld(World):
    """The calls that most tests make."""

    def make_domain(self, **members: Any) -> str:
        """A domain that is InService; its id."""
        domain = str(self.start_domain(**members)["DomainId"])
        self.clock.advance(durations.DOMAIN_UNSEEN)
        self.clock.advance(durations.DOMAIN_CREATE)
        self.reach("DescribeDomain", "InService", DomainId=domain)
        return domain

    def start_domain(self, **members: Any) -> dict[str, Any]:
        settings = {"ExecutionRole": ROLE, **members.pop("DefaultUserSettings", {})}
        return self.call(
            "CreateDomain",
            **{
                "DomainName": "studio",
                "AuthMode": "IAM",
                "DefaultUserSettings": settings,
                "SubnetIds": SUBNETS,
                "VpcId": "vpc-1",
                **members,
            },
        )

    def make_profile(self, domain: str, name: str = "ada", **members: Any) -> str:
        self.call("CreateUserProfile", DomainId=domain, UserProfileName=name, **members)
        self.clock.advance(durations.PROFILE_CREATE)
        return name

    def make_space(self, domain: str, name: str = "lab", owner: str = "ada", **members: Any) -> str:
        settings = {"AppType": "JupyterLab", **members.pop("SpaceSettings", {})}
        self.call(
            "CreateSpace",
            **{
                "DomainId": domain,
                "SpaceName": name,
                "SpaceSettings": settings,
                "OwnershipSettings": {"OwnerUserProfileName": owner},
                "SpaceSharingSettings": {"SharingType": "Private"},
                **members,
            },
        )
        self.clock.advance(durations.SPACE_CREATE)
        return name

    def make_app(self, domain: str, space: str = "lab", **members: Any) -> dict[str, Any]:
        """A JupyterLab app on its way; the names that its calls take."""
        names = {"DomainId": domain, "SpaceName": space, "AppType": "JupyterLab", "AppName": "default"}
        self.call("CreateApp", **names, **members)
        return names

    def start_app(self, domain: str, space: str = "lab", **members: Any) -> dict[str, Any]:
        """One that is InService."""
        names = self.make_app(domain, space, **members)
        self.clock.advance(durations.APP_CREATE)
        self.reach("DescribeApp", "InService", **names)
        return names

    def end_app(self, names: dict[str, Any]) -> None:
        """One that is Deleted."""
        self.call("DeleteApp", **names)
        self.clock.advance(durations.APP_DELETE)
        self.reach("DescribeApp", "Deleted", **names)

    def make_config(self, name: str, app_type: str = "JupyterLab", text: str = "echo hello") -> str:
        self.call(
            "CreateStudioLifecycleConfig",
            StudioLifecycleConfigName=name,
            StudioLifecycleConfigContent=base64.b64encode(text.encode()).decode(),
            StudioLifecycleConfigAppType=app_type,
        )
        return config_arn(name)

    def status(self, operation: str, **names: Any) -> str:
        return str(self.call(operation, **names)["Status"])

    def reach(self, operation: str, wanted: str, **names: Any) -> None:
        """For what follows from the end of a background thread."""
        self.wait_until(lambda: self.status(operation, **names) == wanted)

    def running(self) -> dict[str, str]:
        """What costs money now: kind by ARN."""
        return {line["arn"]: line["kind"] for line in self.meter.snapshot() if line["running"]}
