"""``sandcastle studio USER``: a link by which a person enters Studio, and who is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.stacks import Stack, environment_stacks
from operations.target import Target

LINK = timedelta(minutes=5)
"""How long a link may be opened: the longest that SageMaker allows (botocore, ExpiresInSeconds)."""

SESSION = timedelta(hours=12)
"""How long one then stays: the longest that SageMaker allows (SessionExpirationDurationInSeconds)."""


@dataclass(frozen=True)
class StudioOf:
    """Studio of an environment: the domain's id and the users in its file."""

    domain: str
    users: tuple[str, ...]


def studio_of(stacks: list[Stack]) -> StudioOf | None:
    """Return the Studio that one of these stacks holds."""
    for stack in stacks:
        if "DomainId" in stack.outputs:
            return StudioOf(stack.outputs["DomainId"], tuple(stack.outputs.get("Users", "").split()))
    return None


def enter(target: Target, environment: str, user: str, console: Console) -> dict[str, Any]:
    """Print a link by which the user enters Studio; whoever opens it is that user.

    Raises UsageError for a user that the environment does not have, OperationError when it has no Studio.
    """
    studio = studio_of(environment_stacks(target, environment))
    if studio is None:
        raise OperationError(f"Environment {environment} has no Studio in {target.region}.")
    if user not in studio.users:
        near = get_close_matches(user, studio.users, n=1)
        raise UsageError(
            f"Environment {environment} has no user {user}."
            + (f" Did you mean {near[0]}?" if near else "")
            + f" Users: {', '.join(studio.users)}."
        )
    url = target.client("sagemaker").create_presigned_domain_url(
        DomainId=studio.domain,
        UserProfileName=user,
        ExpiresInSeconds=int(LINK.total_seconds()),
        SessionExpirationDurationInSeconds=int(SESSION.total_seconds()),
    )["AuthorizedUrl"]
    until = target.now() + LINK
    console.say(url)
    console.say(
        f"Whoever opens it is {user}: until {until:%H:%M:%S} UTC, once, and then for {SESSION.seconds // 3600} hours."
    )
    return {"environment": environment, "user": user, "url": url, "expires": until.isoformat()}
