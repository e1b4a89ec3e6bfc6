"""Who is told when an EFS file system is deleted, by whichever caller: its storage is no longer billed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import efs


def watch_file_systems(deleted: Callable[[str], None]) -> None:
    """Call ``deleted(file system id)`` after every DeleteFileSystem that succeeded, on the event loop: be quick."""
    before = efs._delete_file_system

    def delete_file_system(file_system: str) -> Any:
        answer = before(file_system)
        if answer[0] < 300:
            deleted(file_system)
        return answer

    efs._delete_file_system = delete_file_system
