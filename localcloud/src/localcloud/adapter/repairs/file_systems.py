"""EFS calls are authorised on the file system that they are about, and its own policy counts.

MiniStack authorises most of them on ``*`` (or on every file system), knows no tags of file systems in conditions, and
keeps file-system policies without asking them.
On AWS a Deny there makes Describe and Delete fail for whoever may do both, until DeleteFileSystemPolicy
(service-authorization/latest/reference/list_amazonelasticfilesystem.html; facts on teardown 1.21).
"""

from __future__ import annotations

import json

from ministack.core import iam_evaluator
from ministack.services import efs, tagging

from localcloud.adapter.authorised_on import Request, correct
from localcloud.adapter.identity import account_id

_SERVICE = "elasticfilesystem"


def install() -> None:
    """Correct what requests of EFS are authorised on and register the lookup of a file system's policy."""
    correct(_SERVICE, _authorised_on)
    # aws:ResourceTag conditions read another table than tag:GetResources
    tagging._RESOURCE_TAG_COLLECTORS[_SERVICE] = tagging._COLLECTORS[_SERVICE]
    # the table names a module of MiniStack and a function in it
    efs.localcloud_policy_for_arn = _policy
    iam_evaluator._RESOURCE_POLICY_LOOKUPS[_SERVICE] = ("efs", "localcloud_policy_for_arn")


def _authorised_on(request: Request, arn: str) -> str:
    """The file system that the request is about; a list, or one about nothing that is there, asks about all."""
    about = _file_system(request)
    if not about and arn != "*" and not arn.endswith("/*"):
        return arn
    return f"arn:aws:{_SERVICE}:{request.region}:{request.account}:file-system/{about or '*'}"


def _file_system(request: Request) -> str:
    """The file system that a request names in its path, query or body, itself or by a mount target of it."""
    parts = request.path.strip("/").split("/")[1:]  # without the API's date
    kind, name = (parts[0], parts[1]) if len(parts) > 1 else (parts[0] if parts else "", "")
    target = name if kind == "mount-targets" else request.parameter("MountTargetId")
    if target:
        return str((efs._mount_targets.get(_id(target)) or {}).get("FileSystemId", ""))
    if name.startswith("fs-"):
        return name
    asked = request.parameter("FileSystemId")
    if asked:
        return _id(asked)
    try:
        return str(json.loads(request.body or b"{}").get("FileSystemId") or "")
    except (ValueError, AttributeError):
        return ""


def _id(given: str) -> str:
    """An id, given as it is or as the last part of an ARN."""
    return given.rpartition("/")[2]


def _policy(arn: str) -> tuple[str, str] | None:
    """(policy, owner) of a file system that has one."""
    record = efs._file_systems.get(arn.rpartition("/")[2]) or {}
    policy = record.get("FileSystemPolicy")
    return (str(policy), account_id()) if policy else None
