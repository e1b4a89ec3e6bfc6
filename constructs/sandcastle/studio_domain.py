"""The Studio domain: where its apps run, what they start with, when they stop, and who may enter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from sandcastle.config import Studio, User
from sandcastle.lifecycle_script import LifecycleScript
from sandcastle.naming import StudioNames
from sandcastle.promises import may_not
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole, Statement

APPS = ("JupyterLab", "CodeEditor")
"""Types of apps that a space can have here. Both have an idle shutdown of SageMaker's own."""

HIDDEN_APPS = ("Canvas", "JupyterServer", "RStudioServerPro")
"""What no role here may start is not offered in Studio's pages. JupyterServer is Studio Classic."""

LEAST_IDLE_MINUTES = 60
"""SageMaker's minimum (botocore: IdleTimeoutInMinutes)."""


@dataclass(frozen=True)
class Place:
    """Where the domain is: VPC, subnets, and the security group of what runs in them."""

    vpc_id: str
    subnet_ids: Sequence[str]
    security_group_id: str


class StudioDomain(Construct):
    """A domain with IAM authentication, JupyterLab and Code Editor.

    **No home file system** unless it is asked for: spaces keep their files on disks of their own, only Studio Classic
    needs it, it takes longer to make, bills by the gigabyte, and is what a deleted domain leaves behind together with
    its security groups (facts on teardown, 0.1 and 1.1). It can be switched on later, never off again.

    Whatever the environment file can change is updated in place; nothing of it replaces the domain.

    A profile that is made by hand in the console gets the domain's own role, which may do nothing. Shared spaces have
    no settings here, so nobody can make one: what runs in one would belong to no user.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        studio: Studio,
        names: StudioNames,
        place: Place,
        script: LifecycleScript,
    ) -> None:
        """``script`` runs whenever an app starts."""
        super().__init__(scope, construct_id)
        self.stranger = ServiceRole(
            self,
            "Stranger",
            service="sagemaker.amazonaws.com",
            source_account=True,
            description="Studio profiles that nobody declared",
            statements=[
                Statement(
                    ["sts:GetCallerIdentity"],
                    ["*"],
                    reason="IAM allows no empty policy; this one action is allowed to everybody anyway",
                    unseen={"sts:GetCallerIdentity": "nobody has such a profile"},
                )
            ],
            promises=[may_not("sagemaker:CreateApp", "*"), may_not("s3:GetObject", "*"), may_not("iam:PassRole", "*")],
        )
        self._configs = {
            app: Resource(
                self,
                f"{app}Config",
                "AWS::SageMaker::StudioLifecycleConfig",
                StudioLifecycleConfigAppType=app,
                StudioLifecycleConfigName=names.lifecycle_config(app.lower(), script.digest),
                StudioLifecycleConfigContent=script.content,
            )
            for app in APPS
        }
        self.resource = Resource(
            self,
            "Resource",
            "AWS::SageMaker::Domain",
            DomainName=names.domain,
            AuthMode="IAM",
            AppNetworkAccessType="VpcOnly" if studio.network == "vpc-only" else "PublicInternetOnly",
            VpcId=place.vpc_id,
            SubnetIds=list(place.subnet_ids),
            HomeEfsFileSystemCreation="Enabled" if studio.home_efs else "Disabled",
            TagPropagation="ENABLED",
            DefaultUserSettings={
                "ExecutionRole": self.stranger.arn,
                "SecurityGroups": [place.security_group_id],
                "StudioWebPortal": "ENABLED",
                "DefaultLandingUri": "studio::",
                "StudioWebPortalSettings": {"HiddenAppTypes": list(HIDDEN_APPS)},
                "SharingSettings": {"NotebookOutputOption": "Disabled"},
                "SpaceStorageSettings": {
                    "DefaultEbsStorageSettings": {
                        "DefaultEbsVolumeSizeInGb": studio.storage_gb,
                        "MaximumEbsVolumeSizeInGb": studio.max_storage_gb,
                    }
                },
                **{f"{app}AppSettings": self._app_settings(app, studio) for app in APPS},
            },
        )
        self.resource.keep_nothing()
        self.id: str = self.resource.ref
        self.url: str = self.resource.attribute("Url")

    def profile(self, user: User, role: ServiceRole, permissions: Resource, tags: Mapping[str, str]) -> Resource:
        """Make the user's profile; ``permissions`` are there before anybody can enter with it.

        Whatever the user makes inherits the tags of domain and profile.
        """
        profile = Resource(
            self,
            f"Profile-{user.name}",
            "AWS::SageMaker::UserProfile",
            own_tags=tags,
            DomainId=self.id,
            UserProfileName=user.name,
            UserSettings={"ExecutionRole": role.arn},
        )
        profile.add_resource_dependency(permissions)
        return profile

    def _app_settings(self, app: str, studio: Studio) -> dict[str, Any]:
        """Return what apps of the type start with. A user may shorten the idle time, not lengthen it or end it."""
        config = self._configs[app].attribute("StudioLifecycleConfigArn")
        return {
            "DefaultResourceSpec": {"InstanceType": studio.instances[0], "LifecycleConfigArn": config},
            "LifecycleConfigArns": [config],
            "AppLifecycleManagement": {
                "IdleSettings": {
                    "LifecycleManagement": "ENABLED",
                    "IdleTimeoutInMinutes": studio.idle_minutes,
                    "MinIdleTimeoutInMinutes": LEAST_IDLE_MINUTES,
                    "MaxIdleTimeoutInMinutes": studio.idle_minutes,
                }
            },
        }
