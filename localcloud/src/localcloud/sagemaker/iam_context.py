"""The condition keys of a SageMaker request, for the policies of whoever sends it.

Names and meaning: service-authorization/latest/reference/list_amazonsagemaker.html. A key is there only when the
request says something about it: a condition with ForAllValues holds when its key is absent, as on AWS, so a policy that
means to bound what is started asks with Null as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: key -> members, wherever they are in the request; every value counts
_LISTS: Mapping[str, tuple[str, ...]] = {
    "sagemaker:InstanceTypes": ("InstanceType",),
    "sagemaker:ImageArns": ("SageMakerImageArn",),
    "sagemaker:ImageVersionArns": ("SageMakerImageVersionArn",),
    "sagemaker:VpcSubnets": ("Subnets", "SubnetIds", "SubnetId"),
    "sagemaker:VpcSecurityGroupIds": ("SecurityGroupIds", "SecurityGroups"),
}
#: key -> members; the first value counts
_SINGLE: Mapping[str, tuple[str, ...]] = {
    "sagemaker:AppNetworkAccessType": ("AppNetworkAccessType",),
    "sagemaker:DirectInternetAccess": ("DirectInternetAccess",),
    "sagemaker:InterContainerTrafficEncryption": ("EnableInterContainerTrafficEncryption",),
    "sagemaker:KeepAlivePeriod": ("KeepAlivePeriodInSeconds",),
    "sagemaker:MaxRuntimeInSeconds": ("MaxRuntimeInSeconds",),
    "sagemaker:MinimumInstanceMetadataServiceVersion": ("MinimumInstanceMetadataServiceVersion",),
    "sagemaker:NetworkIsolation": ("EnableNetworkIsolation",),
    "sagemaker:RootAccess": ("RootAccess",),
    "sagemaker:VolumeKmsKey": ("VolumeKmsKeyId",),
}
_MEMBERS = {member for names in (*_LISTS.values(), *_SINGLE.values()) for member in names}


def of_request(parameters: Mapping[str, Any]) -> dict[str, object]:
    """Every key that the request says something about; numbers and booleans as text, as policies write them."""
    found: dict[str, list[str]] = {}
    for member, value in _members(parameters):
        found.setdefault(member, []).extend(_texts(value))
    context: dict[str, object] = {}
    for key, names in _LISTS.items():
        values = [value for name in names for value in found.get(name, [])]
        if values:
            context[key] = list(dict.fromkeys(values))
    for key, names in _SINGLE.items():
        values = [value for name in names for value in found.get(name, [])]
        if values:
            context[key] = values[0]
    return context


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in _MEMBERS:
                yield name, item
            # what a customer names as he likes says nothing about the request
            elif name not in ("Environment", "HyperParameters", "Tags"):
                yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None and not isinstance(value, Mapping):
        yield str(value)
