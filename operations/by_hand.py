"""What a person makes beside what the stacks made: names and tags that lead back to the environment, and waiting."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.project import ENVIRONMENT_TAG, WORKLOAD_TAG, job_prefix
from operations.target import Target

_PAUSE = 5.0
"""Seconds between two looks at something that AWS takes minutes for."""

MARK = "run-"
"""What stands after the prefix in the name of everything that is made by hand."""


def new_name(environment: str, workload: str, mark: str = MARK) -> str:
    """Return a name for a job or a model: the workload's prefix, a mark of four letters, the time, a bit of chance.

    Jobs keep their names for ever. It has at most the 63 characters that SageMaker allows, because a name of the
    stack's own jobs, with fingerprint, stack and attempt, is as long.
    """
    begins = names_begin(environment, workload, mark)
    return f"{begins}{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(1)}"


def names_begin(environment: str, workload: str, mark: str = MARK) -> str:
    """Return what all names begin with that ``new_name`` makes for this workload, and no others do."""
    return f"{job_prefix(environment, workload)}-{mark}"


def tags_of(environment: str, workload: str) -> list[dict[str, str]]:
    """Return the tags by which audit, cost and destroy know whose it is."""
    return [{"Key": ENVIRONMENT_TAG, "Value": environment}, {"Key": WORKLOAD_TAG, "Value": workload}]


def follow(
    target: Target,
    describe: Callable[[], dict[str, Any]],
    busy: Callable[[dict[str, Any]], bool],
    tell: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Look again and again until it is busy no more, telling each look; return the last."""
    while True:
        found = describe()
        tell(found)
        if not busy(found):
            return found
        time.sleep(_PAUSE * target.pace)


@contextmanager
def goes_on(console: Console, what: str, how_to_stop: str) -> Iterator[None]:
    """Say, if the person stops waiting, that what was started has not stopped."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            console.warn(f"{what} goes on. To stop it: {how_to_stop}")
        raise


def pairs(given: list[str], option: str) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as a dictionary. Raises UsageError for one that is none."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"{option} {text!r}: expected NAME=VALUE, such as {option} num_round=50")
        found[name] = value
    return found
