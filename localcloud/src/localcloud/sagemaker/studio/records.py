"""The records of Studio and what one kind asks about another: does it exist, may it be used, who is in the way."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.ports import Home, Scope, Timer
from localcloud.sagemaker.store import Record, Store, Table

#: an app in one of these blocks what it belongs to; a Failed or Deleted one does not ([DG] facts teardown 1.4)
LIVING_APP = ("Pending", "InService", "Deleting")


@dataclass(eq=False)
class StudioRecord(Record):
    """What all of them have."""

    failure: str | None = None
    timer: Timer | None = None


@dataclass(eq=False)
class DomainRecord(StudioRecord):
    """A domain; its name is its id. ``request`` holds the settings as they are now."""

    #: reads find it: they are eventually consistent for some seconds after the create
    visible: bool = False
    home: Home | None = None


@dataclass(eq=False)
class ProfileRecord(StudioRecord):
    """A user profile of a domain."""

    domain: str = ""
    profile: str = ""
    #: the owner's number on the home EFS
    uid: int = 0


@dataclass(eq=False)
class SpaceRecord(StudioRecord):
    """A space of a domain, owned by a profile or by nobody."""

    domain: str = ""
    space: str = ""
    owner: str | None = None
    #: Private | Shared; None for a space of Studio Classic
    sharing: str | None = None
    #: size of its volume; None: its files are on the home EFS
    storage_gb: int | None = None


@dataclass(eq=False)
class AppRecord(StudioRecord):
    """An app of a space or of a user profile."""

    domain: str = ""
    space: str | None = None
    profile: str | None = None
    app_type: str = ""
    app_name: str = ""
    #: what runs, after every default
    spec: dict[str, Any] = field(default_factory=dict)
    role: str = ""
    #: network interface in the caller's VPC, of an app of a VpcOnly domain
    interface: str | None = None
    #: ends its lifecycle script early
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def holder(self) -> str:
        """The name of the space or the user profile."""
        return self.space or self.profile or ""


class Studio:
    """The tables; hold ``store.lock`` for everything here."""

    def __init__(self, store: Store) -> None:
        """Empty."""
        self._lock = store.lock
        self.domains: Table[DomainRecord] = Table(store)
        self.profiles: Table[ProfileRecord] = Table(store)
        self.spaces: Table[SpaceRecord] = Table(store)
        self.apps: Table[AppRecord] = Table(store)
        self.configs: Table[Record] = Table(store)

    def domain(self, scope: Scope, domain_id: str) -> DomainRecord:
        """Raises ResourceNotFound."""
        record = self.domains.get(scope, domain_id)
        if record is None:
            raise not_found("Domain", domain_arn(scope, domain_id))
        return record

    def profile(self, scope: Scope, domain_id: str, name: str) -> ProfileRecord:
        """Raises ResourceNotFound."""
        record = self.profiles.get(scope, f"{domain_id}/{name}")
        if record is None:
            raise not_found("UserProfile", profile_arn(scope, domain_id, name))
        return record

    def space(self, scope: Scope, domain_id: str, name: str) -> SpaceRecord:
        """Raises ResourceNotFound."""
        record = self.spaces.get(scope, f"{domain_id}/{name}")
        if record is None:
            raise not_found("Space", space_arn(scope, domain_id, name))
        return record

    def config(self, scope: Scope, arn: str) -> Record | None:
        """The lifecycle configuration of this ARN."""
        record = self.configs.get(scope, arn.rpartition("/")[2])
        return record if record and record.arn == arn else None

    def living_apps(
        self, scope: Scope, domain: str, *, profile: str | None = None, space: str | None = None
    ) -> list[AppRecord]:
        """Apps that are Pending, InService or Deleting, of one profile, of one space or of the whole domain."""
        return [
            app
            for app in self.apps.of(scope)
            if app.domain == domain
            and app.status in LIVING_APP
            and (profile is None or app.profile == profile)
            and (space is None or app.space == space)
        ]

    def profiles_of(self, scope: Scope, domain: str) -> list[ProfileRecord]:
        """The profiles of a domain, whatever their state."""
        return [record for record in self.profiles.of(scope) if record.domain == domain]

    def spaces_of(self, scope: Scope, domain: str, owner: str | None = None) -> list[SpaceRecord]:
        """The spaces of a domain, or those of one owner."""
        return [
            record
            for record in self.spaces.of(scope)
            if record.domain == domain and (owner is None or record.owner == owner)
        ]

    def space_context(self, scope: Scope, request: Mapping[str, Any]) -> dict[str, object]:
        """Condition keys of a request that names a space: who owns it and how it is shared. Takes the lock."""
        domain = str(request.get("DomainId"))
        with self._lock:
            space = self.spaces.get(scope, f"{domain}/{request.get('SpaceName')}")
            return owner_context(scope, domain, space.owner, space.sharing) if space else {}

    def owner_settings(self, app: AppRecord | SpaceRecord) -> dict[str, Any]:
        """UserSettings of the profile that a private space or a classic app belongs to; empty for nobody."""
        name = app.owner if isinstance(app, SpaceRecord) else app.profile
        record = self.profiles.get(app.scope, f"{app.domain}/{name}") if name else None
        settings: dict[str, Any] = (record.request.get("UserSettings") or {}) if record else {}
        return settings


def owner_context(scope: Scope, domain: str, owner: str | None, sharing: str | None) -> dict[str, object]:
    """``sagemaker:OwnerUserProfileArn`` and ``sagemaker:SpaceSharingType``, as far as there are any."""
    context: dict[str, object] = {}
    if owner:
        context["sagemaker:OwnerUserProfileArn"] = profile_arn(scope, domain, owner)
    if sharing:
        context["sagemaker:SpaceSharingType"] = sharing
    return context


def require_in_service(record: StudioRecord, kind: str, what: str) -> None:
    """Raises ResourceInUse unless the record is InService ([I] code and text: nothing in the model says them)."""
    if record.status != "InService":
        raise errors.resource_in_use(f"Unable to {what} because {kind} [{record.arn}] is in status {record.status}.")


def domain_arn(scope: Scope, domain: str) -> str:
    """``domain/<id>``."""
    return scope.arn("domain", domain)


def profile_arn(scope: Scope, domain: str, profile: str) -> str:
    """``user-profile/<domain id>/<name>``."""
    return scope.arn("user-profile", f"{domain}/{profile}")


def space_arn(scope: Scope, domain: str, space: str) -> str:
    """``space/<domain id>/<name>``."""
    return scope.arn("space", f"{domain}/{space}")


def app_arn(scope: Scope, request: Mapping[str, Any]) -> str:
    """``app/<domain id>/<profile or space>/<type>/<name>``, of a request that names an app."""
    holder = request.get("SpaceName") or request.get("UserProfileName") or "*"
    parts = (request.get("DomainId", "*"), holder, request.get("AppType", "*"), request.get("AppName", "*"))
    return scope.arn("app", "/".join(str(part) for part in parts))


def not_found(kind: str, arn: str) -> errors.ServiceError:
    """ResourceNotFound ([B] code; [K] text)."""
    return errors.resource_not_found(f"{kind} [{arn}] does not exist.")


def already_exists(kind: str, arn: str) -> errors.ServiceError:
    """ResourceInUse for a name that is taken ([B] code; [K] text)."""
    return errors.resource_in_use(f"{kind} [{arn}] already exists.")


def associated(kind: str, arn: str, others: str) -> errors.ServiceError:
    """ResourceInUse of a delete ([R] aws/amazon-sagemaker-feedback#113 for a profile with apps, others alike [I])."""
    return errors.resource_in_use(f"Unable to delete {kind} [{arn}] because {others}(s) are associated with it.")
