"""How the sweep waits: the same turn again and again, until nothing is left or time is up.

What a refusal means is in its code, and with ``ValidationException`` only in its text (facts on teardown, 1.30).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from operations.errors import OperationError
from operations.target import Target

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
"""Seconds between turns on AWS; pauses grow while nothing changes."""

_GONE_CODES = re.compile(
    r"ResourceNotFound(Exception)?|NoSuch\w+|\w*NotFound(Exception|Fault)?|\w+\.NotFound|PolicyNotFound"
)
_GONE_TEXTS = re.compile(
    r"could not find|cannot find|can't find|not found|does not exist|RecordNotFound|already been deleted"
    r"|automatically deleted",
    re.IGNORECASE,
)
_BUSY_CODES = frozenset(
    {
        "ConflictException", "DeleteConflict", "DependencyTimeout", "DependencyViolation", "FileSystemInUse",
        "IncorrectFileSystemLifeCycleState", "IncorrectMountTargetState", "ResourceInUse", "ResourceInUseException",
        "ResourceLockedException", "ConcurrentModification", "OperationAborted",
        "BucketNotEmpty", "InvalidNetworkInterface.InUse",
    }
)  # fmt: skip
_VAGUE_CODES = ("ValidationException", "InvalidParameterValue")
"""Codes that mean many things; EC2's is that of an interface in use, too."""
_BUSY_TEXTS = re.compile(
    r"in-progress|in progress|unable to transition|in status|running execution|locked|in use|is being|currently",
    re.IGNORECASE,
)


class StillThereError(OperationError):
    """Time is up and something is left."""


def is_gone(error: ClientError) -> bool:
    """Say whether the service means that there is nothing (any more)."""
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in ("ValidationException", "ValidationError", "BadRequestException"):
        return _GONE_TEXTS.search(text) is not None
    return _GONE_CODES.fullmatch(code) is not None


def is_busy(error: ClientError) -> bool:
    """Say whether the refusal passes when what is under way, or holds the thing, has ended."""
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return code in _BUSY_CODES or (code in _VAGUE_CODES and _BUSY_TEXTS.search(text) is not None)


def insist(target: Target, turn: Callable[[], str], minutes: float) -> None:
    """Take the turn until it says that nothing is left, by an empty text or the service's "not found".

    A turn says in words what is left. Refusals that pass are waited out, others raised; after ``minutes`` (of AWS) it
    raises StillThereError with what was said last.
    """
    deadline = time.monotonic() + minutes * 60 * target.pace
    pause, said = FIRST_PAUSE, ""
    while True:
        try:
            left = turn()
        except ClientError as error:
            if is_gone(error):
                return
            if not is_busy(error):
                raise
            left = str(error)
        if not left:
            return
        if time.monotonic() > deadline:
            raise StillThereError(f"still there after {minutes:.0f} minutes: {left}")
        if left != said:
            pause, said = FIRST_PAUSE, left
        time.sleep(pause * target.pace)
        pause = min(pause * 1.6, LONGEST_PAUSE)


def gone(ask: Callable[[], str]) -> str:
    """Return the state that ``ask`` tells, or nothing when the service does not find the thing."""
    try:
        return ask()
    except ClientError as error:
        if is_gone(error):
            return ""
        raise
