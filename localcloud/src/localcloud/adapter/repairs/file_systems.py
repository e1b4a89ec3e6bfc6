"""EFS calls are authorised on the file system that they are about, and its own policy counts.

MiniStack authorises most of them on ``*`` (or on every file system), knows no tags of file systems in conditions, and
keeps file-system policies without asking them.
On AWS a Deny there makes Describe and Delete fail for whoever may do both, until DeleteFileSystemPolicy
(service-authorization/latest/reference/list_amazonelasticfilesystem.html; facts on teardown 1.21).
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import efs, tagging

from localcloud.adapter.identity import account_id

_SERVICE = "elasticfilesystem"


def install() -> None:
    """Wrap the lookup of a request's resource and register the lookup of its policy."""
    before = iam_actions.extract_resource_arn

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        if service == _SERVICE:
            file_system = _file_system(path, body, query)
            if file_system:
                return f"arn:aws:{_SERVICE}:{region}:{account}:file-system/{file_system}"
        arn: str = before(service, method, path, headers, body, query, region, account)
        return arn

    iam_actions.extract_resource_arn = extract
    # aws:ResourceTag conditions read another table than tag:GetResources
    tagging._RESOURCE_TAG_COLLECTORS[_SERVICE] = tagging._COLLECTORS[_SERVICE]
    # the table names a module of MiniStack and a function in it
    efs.localcloud_policy_for_arn = _policy
    iam_evaluator._RESOURCE_POLICY_LOOKUPS[_SERVICE] = ("efs", "localcloud_policy_for_arn")


def _file_system(path: str, body: bytes, query: Any) -> str | None:
    """The file system of a request: named in the path, the query or the body, or by its mount target."""
    parts = path.strip("/").split("/")[1:]  # without the API's date
    kind, name = (parts[0], parts[1]) if len(parts) > 1 else (parts[0] if parts else "", "")
    if kind == "mount-targets" or iam_actions._query_param(query, "MountTargetId"):
        target = efs._mount_targets.get(name or iam_actions._query_param(query, "MountTargetId"))
        if target:
            return str(target["FileSystemId"])
    if name.startswith("fs-"):
        return name
    asked = iam_actions._query_param(query, "FileSystemId")
    if asked:
        return str(asked)
    try:
        given = json.loads(body or b"{}").get("FileSystemId")
    except (ValueError, AttributeError):
        return None
    return str(given) if given else None


def _policy(arn: str) -> tuple[str, str] | None:
    """(policy, owner) of a file system that has one."""
    record = efs._file_systems.get(arn.rpartition("/")[2]) or {}
    policy = record.get("FileSystemPolicy")
    return (str(policy), account_id()) if policy else None
