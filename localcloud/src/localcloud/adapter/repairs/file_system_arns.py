"""A call of EFS is authorised on the file system that it is about.

MiniStack authorises a mount target's deletion on ``file-system/*``, so that a permission with a condition on the file
system's tags denies everything, and lists on ``*``. AWS: the resource is the file system; a list asks about all of
them (service-authorization/latest/reference/list_amazonelasticfilesystem.html).
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions
from ministack.services import efs


def install() -> None:
    """Wrap the lookup of a request's resource."""
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
        arn: str = before(service, method, path, headers, body, query, region, account)
        if service != "elasticfilesystem" or (arn != "*" and not arn.endswith("/*")):
            return arn
        target = path.partition("/mount-targets/")[2].partition("/")[0] or _one(query, "MountTargetId")
        about = (efs._mount_targets.get(target) or {}).get("FileSystemId") if target else _one(query, "FileSystemId")
        return f"arn:aws:elasticfilesystem:{region}:{account}:file-system/{about or '*'}"

    iam_actions.extract_resource_arn = extract


def _one(query: Any, name: str) -> str:
    """A parameter of the query: an id, or the last part of an ARN."""
    return str(iam_actions._query_param(query, name) or "").rpartition("/")[2]
