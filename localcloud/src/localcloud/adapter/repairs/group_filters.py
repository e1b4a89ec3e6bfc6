"""DescribeSecurityGroups filters by name, id, description, VPC and tags, wildcards included, and refuses other filters.

MiniStack compares names without wildcards and takes every group for a filter that it does not know, so that a sweep by
``security-group-for-*`` finds nothing and one by description finds everything.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from ministack.services import ec2

#: a filter that no group passes: MiniStack takes no ids for "all of them"
_NOBODY = {"Filter.1.Name": ["vpc-id"], "Filter.1.Value.1": ["none"]}


class _UnknownFilter(Exception):
    """A filter that EC2 may know and this repair does not."""


def install() -> None:
    """Wrap the API action."""
    before = ec2._ACTION_MAP["DescribeSecurityGroups"]

    def describe(parameters: dict[str, list[str]]) -> Any:
        try:
            return before(_with_filters(parameters))
        except _UnknownFilter as unknown:
            return ec2._error("InvalidParameterValue", f"The filter '{unknown}' is invalid", 400)

    ec2._ACTION_MAP["DescribeSecurityGroups"] = describe


def _with_filters(parameters: dict[str, list[str]]) -> dict[str, list[str]]:
    """The request with its filters turned into group ids, which MiniStack understands."""
    filters = ec2._parse_filters(parameters)
    if not filters:
        return parameters
    asked = ec2._parse_member_list(parameters, "GroupId")
    if any(group not in ec2._security_groups for group in asked):
        return parameters  # MiniStack names the one that is not there
    found = [
        group
        for group, record in ec2._security_groups.items()
        if (not asked or group in asked)
        and all(_matches(_values(record, name), patterns) for name, patterns in filters.items())
    ]
    rest = {key: value for key, value in parameters.items() if not key.startswith(("Filter.", "GroupId"))}
    return rest | ({f"GroupId.{n}": [group] for n, group in enumerate(found, start=1)} if found else _NOBODY)


def _matches(values: list[str], patterns: list[str]) -> bool:
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _values(record: dict[str, Any], name: str) -> list[str]:
    """What a group has for a filter of DescribeSecurityGroups."""
    tags = ec2._tags.get(record["GroupId"]) or []
    known: dict[str, list[str]] = {
        "description": [record["Description"]],
        "group-id": [record["GroupId"]],
        "group-name": [record["GroupName"]],
        "owner-id": [record["OwnerId"]],
        "tag-key": [tag["Key"] for tag in tags],
        "vpc-id": [record["VpcId"]],
    }
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags if f"tag:{tag['Key']}" == name]
    if name not in known:
        raise _UnknownFilter(name)
    return known[name]
