"""What the five types of Studio share: schema check, calls with the handlers' error codes, waiting, tags.

They are registry types with public handlers ([H] facts teardown): errors carry a HandlerErrorCode, a delete that finds
nothing has succeeded, and whatever is neither the goal nor on the way to it is "NotStabilized". None of them drains
anything: what the API refuses to delete fails the stack.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.cfn.api import Props
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.http import TARGET_PREFIX
from localcloud.sagemaker.studio import cfn_properties

#: API code -> HandlerErrorCode
_CODES = {
    "ResourceNotFound": "NotFound",
    "ResourceInUse": "ResourceConflict",
    "ResourceLimitExceeded": "ServiceLimitExceeded",
    "ValidationException": "InvalidRequest",
    "AccessDeniedException": "AccessDenied",
    "ThrottlingException": "Throttling",
}
#: virtual seconds that CloudFormation waits for a handler (the registry's default, 120 minutes)
TIMEOUT = 120 * 60


class HandlerError(CfnError):
    """A handler failed; ``code`` is the HandlerErrorCode."""

    def __init__(self, text: str, code: str, physical_id: str | None = None) -> None:
        super().__init__(f'Resource handler returned message: "{text}" (HandlerErrorCode: {code})', physical_id)
        self.code = code


@dataclass(frozen=True)
class StudioType:
    """One AWS::SageMaker type."""

    #: as in the operation names: Domain, UserProfile...
    kind: str
    #: members that name one, in the order of the physical id
    names: tuple[str, ...]

    @property
    def type_name(self) -> str:
        """AWS::SageMaker::Domain..."""
        return f"AWS::SageMaker::{self.kind}"

    def check(self, logical_id: str, props: Props) -> None:
        """Raise CfnError for a property that the schema does not have."""
        problem = cfn_properties.unknown(self.kind, props)
        if problem:
            raise CfnError(f"Properties validation failed for resource {logical_id} with message:\n{problem}")

    def physical_id(self, named: Mapping[str, Any]) -> str:
        """The names, joined as the registry joins compound identifiers."""
        return "|".join(str(named[name]) for name in self.names)

    def named(self, physical_id: str) -> dict[str, str]:
        """The names of a physical id."""
        return dict(zip(self.names, physical_id.split("|"), strict=True))

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One operation. Raises HandlerError."""
        given = coerced(model.input_shape(operation), dict(parameters))
        status, reply = adapter.call_json("sagemaker", f"{TARGET_PREFIX}.{operation}", given)
        if status >= 400:
            code = _CODES.get(str(reply.get("__type")), "GeneralServiceException")
            raise HandlerError(f"{reply.get('message')} (Service: SageMaker, Status Code: {status})", code)
        return reply

    def create(self, props: Props, identifier: str) -> dict[str, Any]:
        """Create<Kind> with the properties. Raises HandlerError; a name that is taken is AlreadyExists ([H])."""
        parameters = {**props, "Tags": own_tags(props)} if props.get("Tags") else dict(props)
        try:
            return self.call(f"Create{self.kind}", parameters)
        except HandlerError as error:
            if error.code != "ResourceConflict":
                raise
            text = f"Resource of type '{self.type_name}' with identifier '{identifier}' already exists."
            raise HandlerError(f"{text} ({error})", "AlreadyExists") from None

    def describe(self, named: Mapping[str, Any]) -> dict[str, Any] | None:
        """Describe<Kind>; None when there is no such thing."""
        try:
            return self.call(f"Describe{self.kind}", {name: named[name] for name in self.names})
        except HandlerError as error:
            if error.code == "NotFound":
                return None
            raise

    def in_service(self, core: Core, arn: str, named: Mapping[str, Any], physical_id: str) -> dict[str, Any]:
        """Wait for InService. Raises HandlerError, with the physical id: what exists must be deleted by a rollback."""
        description = self.settled(core, arn, named, ("Pending", "Updating"), unseen=True)
        if description is None or description["Status"] != "InService":
            status, reason = (description or {}).get("Status"), (description or {}).get("FailureReason", "")
            text = f"{self.kind} {physical_id} is in status {status}: {reason}"
            raise HandlerError(text, "NotStabilized", physical_id)
        return description

    def delete(self, core: Core, arn: str, parameters: Mapping[str, Any], gone: Collection[str] = ()) -> None:
        """Delete<Kind> and wait until it is gone or in a status of ``gone``; nothing there is success.

        Raises HandlerError: ResourceConflict for what is in the way, NotStabilized for Delete_Failed.
        """
        try:
            self.call(f"Delete{self.kind}", parameters)
        except HandlerError as error:
            if error.code == "NotFound":
                return
            raise
        description = self.settled(core, arn, parameters, ("Pending", "Deleting"))
        if description and description["Status"] not in gone:
            text = f"{self.kind} is in status {description['Status']}: {description.get('FailureReason', '')}"
            raise HandlerError(text, "NotStabilized")

    def settled(
        self, core: Core, arn: str, named: Mapping[str, Any], in_progress: Collection[str], unseen: bool = False
    ) -> dict[str, Any] | None:
        """The description once its status is none of ``in_progress``, None when it is gone.

        ``unseen``: reads may not find it yet, which is no end of it. Raises HandlerError after TIMEOUT.
        """
        deadline = core.clock.now() + TIMEOUT

        def over() -> bool:
            record = core.store.by_arn(arn)
            return record is None or record.status not in in_progress

        while core.clock.now() < deadline:
            description = self.describe(named)
            exists = core.store.wait_until(lambda: core.store.by_arn(arn) is not None, timeout=0)
            if description is None and not (unseen and exists):
                return None
            if description and description["Status"] not in in_progress:
                return description
            core.store.wait_until(over, timeout=1.0)
        raise HandlerError(f"{self.kind} {arn} did not settle in {TIMEOUT // 60} minutes", "NotStabilized")

    def update_tags(self, arn: str, old: Props, new: Props) -> None:
        """Make the tags those of the new properties; tags from elsewhere stay."""
        before, after = ({tag["Key"]: tag["Value"] for tag in own_tags(props)} for props in (old, new))
        removed = sorted(set(before) - set(after))
        if removed:
            self.call("DeleteTags", {"ResourceArn": arn, "TagKeys": removed})
        changed = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
        if changed:
            self.call("AddTags", {"ResourceArn": arn, "Tags": changed})


def own_tags(props: Props) -> list[dict[str, Any]]:
    """The tags without CloudFormation's own: no schema here says cloudFormationSystemTags."""
    return [tag for tag in props.get("Tags") or [] if not str(tag["Key"]).startswith("aws:")]


def changes(old: Props, new: Props, *names: str) -> dict[str, Any]:
    """The named properties that differ, with their new values."""
    return {name: new[name] for name in names if name in new and old.get(name) != new[name]}
