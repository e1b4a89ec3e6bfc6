"""What people use: Studio's apps and disks, and notebook instances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.review.assembly import Resource
from operations.review.cost.line import Line
from operations.review.cost.reading import at, mapping, number, target, text, word
from operations.review.cost.scene import Scene
from sandcastle.config.catalogue import HOURS_PER_MONTH

_SMALLEST_GB = 5
"""What SageMaker gives a space or a notebook instance for which nothing is said (API reference)."""

_APPS = ("JupyterLabAppSettings", "CodeEditorAppSettings")


def domain(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield the home file system, which a domain has unless it is told to have none."""
    if word(resource.properties.get("HomeEfsFileSystemCreation"), scene.stack) != "Disabled":
        size = scene.assumed.stored_gb
        yield scene.item(
            resource, "home", "Studio's home file system", "storage", "efs standard", size, f"{size:g} GB", user=None
        )


def profile(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield a user's apps, on the type that they have if nobody chooses another, and the disk of a space."""
    settings = [resource.properties.get("UserSettings"), _defaults(scene, resource)]
    name = word(resource.properties.get("UserProfileName"), scene.stack) or resource.path
    types = (
        word(at(one, app, "DefaultResourceSpec", "InstanceType"), scene.stack) for one in settings for app in _APPS
    )
    instance, hours = next((one for one in types if one), None), scene.assumed.app_hours
    what = f"an app in Studio, {instance}" if instance else "an app in Studio"
    whose = {"user": name}
    how = f"{hours:g} h a month; it stops when nobody works"
    if not any(at(one, app, "AppLifecycleManagement", "IdleSettings") for one in settings for app in _APPS):
        how = f"{hours:g} h a month; nothing stops it"
    yield scene.instance(resource, "apps", what, "use", "studio", instance, hours, how, **whose)
    sizes = (
        number(at(one, "SpaceStorageSettings", "DefaultEbsStorageSettings", "DefaultEbsVolumeSizeInGb"), scene.stack)
        for one in settings
    )
    size = next((one for one in sizes if one), _SMALLEST_GB)
    yield scene.item(
        resource, "disk", "the disk of a space", "storage", "studio space storage", size,
        f"one space of {size:g} GB, billed until it is deleted", **whose,
    )  # fmt: skip


def app(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield an app that the template itself opens."""
    instance = word(at(resource.properties, "ResourceSpec", "InstanceType"), scene.stack)
    if instance != "system":
        yield scene.instance(
            resource, "hours", f"app, {instance or '?'}", "fixed", "studio", instance, HOURS_PER_MONTH,
            f"{HOURS_PER_MONTH} h",
        )  # fmt: skip


def space(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield the disk of a space that the template itself makes."""
    path = ("SpaceSettings", "SpaceStorageSettings", "EbsStorageSettings", "EbsVolumeSizeInGb")
    size = number(at(resource.properties, *path), scene.stack) or _SMALLEST_GB
    yield scene.item(resource, "disk", "the disk of a space", "fixed", "studio space storage", size, f"{size:g} GB")


def notebook(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield the disk of a notebook instance, billed always, and its hours: all of them if nothing stops it."""
    size = number(resource.properties.get("VolumeSizeInGB", _SMALLEST_GB), scene.stack)
    yield scene.item(
        resource, "disk", "notebook instance, disk", "fixed", "notebook storage", size,
        "its size is only known at the deploy" if size is None else f"{size:g} GB, also while it is stopped",
    )  # fmt: skip
    instance = word(resource.properties.get("InstanceType"), scene.stack)
    stops, hours = _stops(scene), scene.assumed.notebook_hours
    how = f"{hours:g} h a month; it stops when nobody works" if stops else f"{HOURS_PER_MONTH} h: nothing stops it"
    yield scene.instance(
        resource, "hours", f"notebook instance, {instance or '?'}", "use" if stops else "fixed", "notebook", instance,
        hours if stops else HOURS_PER_MONTH, how,
    )  # fmt: skip


def _stops(scene: Scene) -> bool:
    """Whether something in the stack stops notebook instances by itself each day."""
    schedules = (one for one in scene.stack.resources.values() if one.type == "AWS::Scheduler::Schedule")
    return any(text(at(one.properties, "Target", "Arn")).endswith("stopNotebookInstance") for one in schedules)


def _defaults(scene: Scene, resource: Resource) -> Any:
    """Return the settings that the user's domain has for all: the domain that is named, or the only one."""
    found = scene.stack.resources.get(target(resource.properties.get("DomainId")) or "")
    domains = [one for one in scene.assembly.resources() if one.type == "AWS::SageMaker::Domain"]
    if found is None and len(domains) == 1:
        found = domains[0]
    return mapping(found.properties.get("DefaultUserSettings")) if found else {}
