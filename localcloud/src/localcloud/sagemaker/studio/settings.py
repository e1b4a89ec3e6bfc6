"""The settings of a domain, a profile and a space: what is honoured, and which of them wins for an app.

Settings of the web pages (what they hide, where they land) are kept and shown: there are no pages here. Everything
that would change what runs is either honoured or refused by name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.api.supported import ANY, Tree, only
from localcloud.sagemaker.ports import Scope
from localcloud.sagemaker.studio.records import AppRecord, DomainRecord, SpaceRecord, Studio

#: app type -> its member of the settings; other types are not modelled
APP_SETTINGS: Mapping[str, str] = {
    "JupyterServer": "JupyterServerAppSettings",
    "KernelGateway": "KernelGatewayAppSettings",
    "JupyterLab": "JupyterLabAppSettings",
    "CodeEditor": "CodeEditorAppSettings",
}
#: the types of Studio Classic: they keep their files on the home EFS
CLASSIC = ("JupyterServer", "KernelGateway")
#: what SageMaker starts when nobody names an instance type ([DGn] for spaces, [B] for the others)
DEFAULT_INSTANCE = {"JupyterServer": "system", "JupyterLab": "ml.t3.medium", "CodeEditor": "ml.t3.medium"}
#: smallest and default volume of a space, GB, and the most when no administrator says otherwise ([B], [DGn])
DEFAULT_STORAGE_GB, MAXIMUM_STORAGE_GB = 5, 100

RESOURCE_SPEC: Tree = {
    "InstanceType": ANY,
    "LifecycleConfigArn": ANY,
    # images decide what a person finds in the app; nothing of it runs here but the lifecycle script
    "SageMakerImageArn": ANY,
    "SageMakerImageVersionArn": ANY,
    "SageMakerImageVersionAlias": ANY,
}
_CLASSIC_SETTINGS: Tree = {"DefaultResourceSpec": RESOURCE_SPEC, "LifecycleConfigArns": ANY, "CodeRepositories": ANY}
_KERNEL_SETTINGS: Tree = {"DefaultResourceSpec": RESOURCE_SPEC, "LifecycleConfigArns": ANY}
_IDLE: Tree = {
    "IdleSettings": {
        "LifecycleManagement": ANY,
        "IdleTimeoutInMinutes": ANY,
        "MinIdleTimeoutInMinutes": ANY,
        "MaxIdleTimeoutInMinutes": ANY,
    }
}
_LAB_SETTINGS: Tree = {**_CLASSIC_SETTINGS, "AppLifecycleManagement": _IDLE}
_EDITOR_SETTINGS: Tree = {**_KERNEL_SETTINGS, "AppLifecycleManagement": _IDLE}
_STORAGE: Tree = {"DefaultEbsStorageSettings": {"DefaultEbsVolumeSizeInGb": ANY, "MaximumEbsVolumeSizeInGb": ANY}}

USER_SETTINGS: Tree = {
    "ExecutionRole": ANY,
    "SecurityGroups": ANY,
    "SharingSettings": {"NotebookOutputOption": only("Disabled")},
    "JupyterServerAppSettings": _CLASSIC_SETTINGS,
    "KernelGatewayAppSettings": _KERNEL_SETTINGS,
    "JupyterLabAppSettings": _LAB_SETTINGS,
    "CodeEditorAppSettings": _EDITOR_SETTINGS,
    "SpaceStorageSettings": _STORAGE,
    "DefaultLandingUri": ANY,
    "StudioWebPortal": ANY,
    "StudioWebPortalSettings": {"HiddenMlTools": ANY, "HiddenAppTypes": ANY, "HiddenInstanceTypes": ANY},
    # no app here mounts the home EFS
    "AutoMountHomeEFS": ANY,
}
DEFAULT_SPACE_SETTINGS: Tree = {
    "ExecutionRole": ANY,
    "SecurityGroups": ANY,
    "JupyterServerAppSettings": _CLASSIC_SETTINGS,
    "KernelGatewayAppSettings": _KERNEL_SETTINGS,
    "JupyterLabAppSettings": _LAB_SETTINGS,
    "SpaceStorageSettings": _STORAGE,
}
_SPACE_IDLE: Tree = {"IdleSettings": {"IdleTimeoutInMinutes": ANY}}
SPACE_SETTINGS: Tree = {
    "AppType": only(*APP_SETTINGS),
    "JupyterServerAppSettings": _CLASSIC_SETTINGS,
    "KernelGatewayAppSettings": _KERNEL_SETTINGS,
    "JupyterLabAppSettings": {
        "DefaultResourceSpec": RESOURCE_SPEC,
        "CodeRepositories": ANY,
        "AppLifecycleManagement": _SPACE_IDLE,
    },
    "CodeEditorAppSettings": {"DefaultResourceSpec": RESOURCE_SPEC, "AppLifecycleManagement": _SPACE_IDLE},
    "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": ANY}},
    "SpaceManagedResources": only("DISABLED"),
    "RemoteAccess": only("DISABLED"),
}


def merged(old: Any, new: Any) -> Any:
    """Settings after an update: members that the request names change, lists as a whole ([K])."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{name: merged(old.get(name), value) for name, value in new.items()}}
    return new


def roles(settings: Mapping[str, Any] | None) -> list[str]:
    """The execution role that the settings name, if they do."""
    role = (settings or {}).get("ExecutionRole")
    return [role] if role else []


def config_references(settings: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """(app type, ARN) of every lifecycle configuration that the settings name."""
    for app_type, member in APP_SETTINGS.items():
        app = (settings or {}).get(member) or {}
        named = [*app.get("LifecycleConfigArns", []), (app.get("DefaultResourceSpec") or {}).get("LifecycleConfigArn")]
        for arn in named:
            if arn and arn != "None":
                yield app_type, arn


def check_configs(studio: Studio, scope: Scope, references: Iterator[tuple[str, str]]) -> None:
    """Every lifecycle configuration exists and is for its app type. Raises ValidationException ([I] the texts)."""
    for app_type, arn in references:
        record = studio.config(scope, arn)
        if record is None:
            raise errors.validation(f"StudioLifecycleConfig [{arn}] does not exist.")
        its_type = record.request["StudioLifecycleConfigAppType"]
        if its_type != app_type:
            raise errors.validation(f"StudioLifecycleConfig [{arn}] is for {its_type} apps, not for {app_type}.")


def decoded(content: str) -> str:
    """The script. Raises ValidationException when the content is not base64 of text ([I] text)."""
    try:
        return base64.b64decode("".join(content.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise errors.validation("StudioLifecycleConfigContent must be base64 encoded.") from None


def layers(studio: Studio, domain: DomainRecord, holder: AppRecord | SpaceRecord) -> list[Mapping[str, Any]]:
    """The settings that count for a space or an app, the strongest first.

    A private space and a classic app: their owner's profile over the domain's DefaultUserSettings. A space that is
    shared or nobody's: the domain's DefaultSpaceSettings ([B] UserSettings.ExecutionRole and others).
    """
    space = holder if isinstance(holder, SpaceRecord) else None
    if isinstance(holder, AppRecord) and holder.space:
        space = studio.space(holder.scope, holder.domain, holder.space)
    own = [space.request.get("SpaceSettings") or {}] if space else []
    if space and space.sharing != "Private":
        return [*own, domain.request.get("DefaultSpaceSettings") or {}]
    return [*own, studio.owner_settings(space or holder), domain.request.get("DefaultUserSettings") or {}]


def resource_spec(found: list[Mapping[str, Any]], app_type: str, asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """ResourceSpec of an app: the request over the layers, member by member; "None" clears a member ([B])."""
    member = APP_SETTINGS[app_type]
    specs = [asked or {}, *((layer.get(member) or {}).get("DefaultResourceSpec") or {} for layer in found)]
    spec: dict[str, Any] = {}
    for layer in reversed(specs):
        spec |= layer
    spec.setdefault("InstanceType", DEFAULT_INSTANCE.get(app_type))
    return {name: value for name, value in spec.items() if value not in ("None", None)}


def execution_role(found: list[Mapping[str, Any]]) -> str | None:
    """The strongest layer that names a role."""
    return next((str(layer["ExecutionRole"]) for layer in found if layer.get("ExecutionRole")), None)


def security_groups(found: list[Mapping[str, Any]]) -> list[str]:
    """Those of every layer: they are aggregated ([B] CreateDomain.DefaultUserSettings)."""
    return list(dict.fromkeys(group for layer in found for group in layer.get("SecurityGroups") or []))


def storage_limits(found: list[Mapping[str, Any]]) -> tuple[int, int]:
    """(default, maximum) size of a space's volume in GB."""
    for layer in found:
        limits = (layer.get("SpaceStorageSettings") or {}).get("DefaultEbsStorageSettings")
        if limits:
            return limits["DefaultEbsVolumeSizeInGb"], limits["MaximumEbsVolumeSizeInGb"]
    return DEFAULT_STORAGE_GB, MAXIMUM_STORAGE_GB


def idle_seconds(found: list[Mapping[str, Any]], app_type: str) -> float | None:
    """Seconds after which an idle app is shut down; None: never.

    The administrator's settings (profile over domain) switch it on and bound what the space asks for.
    """
    idle: dict[str, Any] = {}
    for layer in reversed(found):
        app = layer.get(APP_SETTINGS[app_type]) or {}
        idle |= (app.get("AppLifecycleManagement") or {}).get("IdleSettings") or {}
    if idle.get("LifecycleManagement") != "ENABLED" or "IdleTimeoutInMinutes" not in idle:
        return None
    least, most = idle.get("MinIdleTimeoutInMinutes", 0), idle.get("MaxIdleTimeoutInMinutes", float("inf"))
    return float(min(max(idle["IdleTimeoutInMinutes"], least), most)) * 60
