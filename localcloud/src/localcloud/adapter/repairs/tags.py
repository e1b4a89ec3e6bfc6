"""tag:GetResources pages, and also knows EC2, Step Functions, SSM, Logs and alarms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ministack.services import cloudwatch_logs, ec2, ssm, stepfunctions, tagging

from localcloud.adapter.identity import account_id, region
from localcloud.adapter.services import register_tag_collector

Tagged = Iterator[tuple[str, list[dict[str, str]]]]

_EC2_KINDS = {
    "vpc": "vpc",
    "subnet": "subnet",
    "sg": "security-group",
    "rtb": "route-table",
    "igw": "internet-gateway",
    "vpce": "vpc-endpoint",
    "eni": "network-interface",
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
}
#: "A query can return up to 100 items" and 50 by default (API_GetResources)
_DEFAULT_PAGE = 50


def install() -> None:
    """Register the collectors and page the answer."""
    register_tag_collector("ec2", _ec2)
    register_tag_collector("states", lambda: _flat(stepfunctions._tags))
    register_tag_collector("ssm", lambda: _flat(ssm._tags))
    register_tag_collector("logs", _logs)
    before = tagging._HANDLERS["GetResources"]

    def get_resources(request: dict[str, Any]) -> Any:
        status, headers, body = before(request)
        if status != 200 or request.get("ResourceARNList"):
            return status, headers, body
        found = sorted(json.loads(body)["ResourceTagMappingList"], key=lambda item: str(item["ResourceARN"]))
        start = int(request.get("PaginationToken") or 0)
        end = start + int(request.get("ResourcesPerPage") or _DEFAULT_PAGE)
        token = str(end) if end < len(found) else ""
        return tagging._json({"ResourceTagMappingList": found[start:end], "PaginationToken": token})

    tagging._HANDLERS["GetResources"] = get_resources


def _ec2() -> Tagged:
    for identifier, tags in ec2._tags.items():
        kind = _EC2_KINDS.get(str(identifier).partition("-")[0])
        if kind and tags:
            yield f"arn:aws:ec2:{region()}:{account_id()}:{kind}/{identifier}", list(tags)


def _logs() -> Tagged:
    for name, group in cloudwatch_logs._log_groups.items():
        if group.get("tags"):
            arn = f"arn:aws:logs:{region()}:{account_id()}:log-group:{name}"
            yield arn, [{"Key": key, "Value": value} for key, value in group["tags"].items()]


def _flat(store: Any) -> Tagged:
    """Stores keyed by ARN, with tags as a map or as a list in either spelling."""
    for arn, tags in store.items():
        if isinstance(tags, dict):
            yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]
        else:
            yield (
                arn,
                [{"Key": tag.get("Key") or tag["key"], "Value": tag.get("Value", tag.get("value"))} for tag in tags],
            )
