"""The properties of Studio's CloudFormation types, as the registry schemas name them (2026-10-20).

They are not those of the API: a user profile has no idle settings here, a space neither, an app belongs to a user
profile and never to a space. What a schema does not have, CloudFormation refuses before it calls any handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: property -> what is inside it; None: a plain value or a list of plain values
Tree = Mapping[str, "Tree | None"]


def _plain(*names: str) -> dict[str, Tree | None]:
    return dict.fromkeys(names)


_TAGS = _plain("Key", "Value")
_SPEC = _plain("InstanceType", "LifecycleConfigArn", "SageMakerImageArn", "SageMakerImageVersionArn")
_PLANNED_SPEC = {**_SPEC, **_plain("TrainingPlanArn")}
_IMAGES = _plain("AppImageConfigName", "ImageName", "ImageVersionNumber")
_REPOSITORIES = _plain("RepositoryUrl")
_IDLE: Tree = {
    "IdleSettings": _plain(
        "IdleTimeoutInMinutes", "LifecycleManagement", "MaxIdleTimeoutInMinutes", "MinIdleTimeoutInMinutes"
    )
}
_FILE_SYSTEMS: Tree = {
    "EFSFileSystemConfig": _plain("FileSystemId", "FileSystemPath"),
    "FSxLustreFileSystemConfig": _plain("FileSystemId", "FileSystemPath"),
    "S3FileSystemConfig": _plain("MountPath", "S3Uri"),
}
_POSIX = _plain("Gid", "Uid")
_STORAGE: Tree = {"DefaultEbsStorageSettings": _plain("DefaultEbsVolumeSizeInGb", "MaximumEbsVolumeSizeInGb")}
_PORTAL: Tree = {
    **_plain("HiddenAppTypes", "HiddenInstanceTypes", "HiddenMlTools"),
    "HiddenSageMakerImageVersionAliases": _plain("SageMakerImageName", "VersionAliases"),
}
_SERVER: Tree = {"DefaultResourceSpec": _PLANNED_SPEC, **_plain("LifecycleConfigArns")}
_KERNEL: Tree = {**_SERVER, "CustomImages": _IMAGES}
_EDITOR: Tree = {**_KERNEL, **_plain("BuiltInLifecycleConfigArn")}
_LAB: Tree = {**_EDITOR, "CodeRepositories": _REPOSITORIES}
_USER: Tree = {
    **_plain("AutoMountHomeEFS", "DefaultLandingUri", "ExecutionRole", "SecurityGroups", "StudioWebPortal"),
    "CustomFileSystemConfigs": _FILE_SYSTEMS,
    "CustomPosixUserConfig": _POSIX,
    "JupyterServerAppSettings": _SERVER,
    "KernelGatewayAppSettings": _KERNEL,
    "RStudioServerProAppSettings": _plain("AccessStatus", "UserGroup"),
    "SharingSettings": _plain("NotebookOutputOption", "S3KmsKeyId", "S3OutputPath"),
    "SpaceStorageSettings": _STORAGE,
    "StudioWebPortalSettings": _PORTAL,
}
_DOMAIN_USER: Tree = {
    **_USER,
    "JupyterLabAppSettings": {**_LAB, "AppLifecycleManagement": _IDLE},
    "CodeEditorAppSettings": {**_EDITOR, "AppLifecycleManagement": _IDLE},
    "RSessionAppSettings": {"DefaultResourceSpec": _PLANNED_SPEC, "CustomImages": _IMAGES},
}
_PROFILE_USER: Tree = {
    **_USER,
    "JupyterLabAppSettings": {**_LAB, "EmrSettings": _plain("AssumableRoleArns", "ExecutionRoleArns")},
    "CodeEditorAppSettings": _EDITOR,
}
_DOMAIN_SPACE: Tree = {
    **_plain("ExecutionRole", "SecurityGroups"),
    "CustomFileSystemConfigs": _FILE_SYSTEMS,
    "CustomPosixUserConfig": _POSIX,
    "JupyterLabAppSettings": {**_LAB, "AppLifecycleManagement": _IDLE},
    "JupyterServerAppSettings": _SERVER,
    "KernelGatewayAppSettings": _KERNEL,
    "SpaceStorageSettings": _STORAGE,
}
_DOMAIN_SETTINGS: Tree = {
    **_plain("ExecutionRoleIdentityConfig", "IpAddressType", "SecurityGroupIds"),
    "DockerSettings": _plain("EnableDockerAccess", "VpcOnlyTrustedAccounts"),
    "RStudioServerProDomainSettings": {
        **_plain("DomainExecutionRoleArn", "RStudioConnectUrl", "RStudioPackageManagerUrl"),
        "DefaultResourceSpec": _PLANNED_SPEC,
    },
    "UnifiedStudioSettings": _plain(
        "DomainAccountId",
        "DomainId",
        "DomainRegion",
        "EnvironmentId",
        "ProjectId",
        "ProjectS3Path",
        "StudioWebPortalAccess",
    ),
}
_SPACE_SERVER: Tree = {"DefaultResourceSpec": _SPEC, **_plain("LifecycleConfigArns")}
_SPACE: Tree = {
    **_plain("AppType", "RemoteAccess", "SpaceManagedResources"),
    "CodeEditorAppSettings": {"DefaultResourceSpec": _SPEC},
    "CustomFileSystems": {
        "EFSFileSystem": _plain("FileSystemId"),
        "FSxLustreFileSystem": _plain("FileSystemId"),
        "S3FileSystem": _plain("S3Uri"),
    },
    "JupyterLabAppSettings": {"DefaultResourceSpec": _SPEC, "CodeRepositories": _REPOSITORIES},
    "JupyterServerAppSettings": _SPACE_SERVER,
    "KernelGatewayAppSettings": {**_SPACE_SERVER, "CustomImages": _IMAGES},
    "SpaceStorageSettings": {"EbsStorageSettings": _plain("EbsVolumeSizeInGb")},
}

#: type -> its properties, without those that only CloudFormation writes
TYPES: Mapping[str, Tree] = {
    "Domain": {
        **_plain(
            "AppNetworkAccessType",
            "AppSecurityGroupManagement",
            "AuthMode",
            "DomainName",
            "HomeEfsFileSystemCreation",
            "KmsKeyId",
            "SubnetIds",
            "TagPropagation",
            "VpcId",
        ),
        "DefaultSpaceSettings": _DOMAIN_SPACE,
        "DefaultUserSettings": _DOMAIN_USER,
        "DomainSettings": _DOMAIN_SETTINGS,
        "Tags": _TAGS,
    },
    "UserProfile": {
        **_plain("DomainId", "SingleSignOnUserIdentifier", "SingleSignOnUserValue", "UserProfileName"),
        "Tags": _TAGS,
        "UserSettings": _PROFILE_USER,
    },
    "Space": {
        **_plain("DomainId", "SpaceDisplayName", "SpaceName"),
        "OwnershipSettings": _plain("OwnerUserProfileName"),
        "SpaceSettings": _SPACE,
        "SpaceSharingSettings": _plain("SharingType"),
        "Tags": _TAGS,
    },
    "App": {
        **_plain("AppName", "AppType", "DomainId", "RecoveryMode", "UserProfileName"),
        "ResourceSpec": _SPEC,
        "Tags": _TAGS,
    },
    "StudioLifecycleConfig": {
        **_plain("StudioLifecycleConfigAppType", "StudioLifecycleConfigContent", "StudioLifecycleConfigName"),
        "Tags": _TAGS,
    },
}


def unknown(kind: str, props: Mapping[str, Any]) -> str | None:
    """CloudFormation's words for the first property that the schema does not have; None when it has them all."""
    return _unknown(TYPES[kind], props, "#")


def _unknown(tree: Tree, value: Any, path: str) -> str | None:
    if isinstance(value, list):
        return next(filter(None, (_unknown(tree, item, f"{path}/{n}") for n, item in enumerate(value))), None)
    if not isinstance(value, Mapping):
        return None
    for name, item in value.items():
        if name not in tree:
            return f"{path}: extraneous key [{name}] is not permitted"
        inside = tree[name]
        problem = _unknown(inside, item, f"{path}/{name}") if inside else None
        if problem:
            return problem
    return None
