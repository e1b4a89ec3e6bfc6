"""What every type does: check its properties, call the API, keep tags, make names."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud import adapter
from localcloud.adapter import CfnError
from localcloud.sagemaker.api import model
from localcloud.sagemaker.api.coercion import coerced
from localcloud.sagemaker.core import Core
from localcloud.sagemaker.http import TARGET_PREFIX
from localcloud.sagemaker.store import tag_map

Props = dict[str, Any]
#: characters of the random end of a generated name, as CloudFormation makes them for these types ([K])
_ALPHABET = string.ascii_letters + string.digits
_RANDOM = 12
_LONGEST = 63


@dataclass(frozen=True)
class Api:
    """One AWS::SageMaker type over the API operations of its kind."""

    #: as in the operation names: CreateModel, DescribeModel, DeleteModel
    kind: str
    #: every property of the registry schema
    properties: frozenset[str]
    #: how members call it, where that is not the kind: JobDefinition
    noun: str = ""

    @property
    def name_member(self) -> str:
        """ModelName, EndpointName..."""
        return f"{self.noun or self.kind}Name"

    @property
    def arn_member(self) -> str:
        """ModelArn, EndpointArn..."""
        return f"{self.noun or self.kind}Arn"

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One operation. Raises CfnError with the service's text."""
        status, reply = adapter.call_json("sagemaker", f"{TARGET_PREFIX}.{operation}", parameters)
        if status >= 400:
            raise CfnError(
                f"{reply.get('message')} (Service: AmazonSageMaker; Status Code: {status}; "
                f"Error Code: {reply.get('__type')})"
            )
        return reply

    def check(self, props: Props) -> None:
        """Raise CfnError for a property that the type does not have."""
        unknown = sorted(set(props) - self.properties)
        if unknown:
            raise CfnError(f"Encountered unsupported property {unknown[0]}")

    def create(self, logical_id: str, props: Props, leave_out: frozenset[str] = frozenset()) -> tuple[str, str]:
        """Call Create with the properties; returns name and ARN."""
        self.check(props)
        name = str(props.get(self.name_member) or generated_name(logical_id))
        operation = f"Create{self.kind}"
        parameters = {k: v for k, v in props.items() if k not in leave_out} | {self.name_member: name}
        parameters |= own_tags(props)
        reply = self.call(operation, coerced(model.input_shape(operation), parameters))
        return name, reply[self.arn_member]

    def describe(self, physical_id: str) -> dict[str, Any]:
        """Describe by ARN."""
        return self.call(f"Describe{self.kind}", {self.name_member: name_of(physical_id)})

    def delete(self, physical_id: str) -> bool:
        """Delete by ARN; False when it is gone already."""
        return gone_is_fine(lambda: self.call(f"Delete{self.kind}", {self.name_member: name_of(physical_id)}))

    def update_tags(self, physical_id: str, old: Props, new: Props) -> None:
        """Make the resource's tags those of the new properties; tags from elsewhere stay."""
        before, after = _tags(old), _tags(new)
        removed = sorted(set(before) - set(after))
        if removed:
            self.call("DeleteTags", {"ResourceArn": physical_id, "TagKeys": removed})
        changed = [{"Key": k, "Value": v} for k, v in after.items() if before.get(k) != v]
        if changed:
            self.call("AddTags", {"ResourceArn": physical_id, "Tags": changed})


def own_tags(props: Props) -> Props:
    """``{"Tags": [...]}`` without the tags of CloudFormation's own, which no caller may set; {} without tags."""
    return {"Tags": [tag for tag in props["Tags"] if not _is_system(tag["Key"])]} if "Tags" in props else {}


def add_system_tags(core: Core, arn: str, props: Props) -> None:
    """Give a new resource the three ``aws:cloudformation:`` tags, which no caller may set.

    For types whose registry schema says ``cloudFormationSystemTags``.
    """
    with core.store.lock:
        record = core.store.by_arn(arn)
        if record:
            record.tags |= {k: v for k, v in tag_map(props.get("Tags")).items() if _is_system(k)}


#: how the kinds that CloudFormation deletes say that there is no such thing (facts teardown 1.30)
_GONE = (
    "Could not find",
    "RecordNotFound",
    "Notebook Instance Lifecycle Config does not exist.",
    "does not exist. (Service",
    "Error Code: ResourceNotFound)",
)


def gone_is_fine(call: Callable[[], object]) -> bool:
    """Run a delete; a thing that is not there any more is deleted: False. Other errors pass."""
    try:
        call()
    except CfnError as error:
        if any(text in str(error) for text in _GONE):
            return False
        raise
    return True


def name_of(physical_id: str) -> str:
    """The name at the end of an ARN."""
    return physical_id.rpartition("/")[2]


def generated_name(logical_id: str) -> str:
    """``<logical id>-<12 random characters>``: unique, so that a replacement never collides."""
    ending = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{logical_id[: _LONGEST - _RANDOM - 1]}-{ending}"


def _tags(props: Props) -> dict[str, str]:
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in props.get("Tags") or []}
    return {key: value for key, value in tags.items() if not _is_system(key)}


def _is_system(key: str) -> bool:
    return key.startswith("aws:")
