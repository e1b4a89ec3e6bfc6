"""Whose a thing of SageMaker is, and one way of asking for its removal.

Everything that an environment makes at run time carries its tag, or a name that begins with ``sandcastle-<env>--``,
which no other environment's names do; and SageMaker itself tags what is launched from Studio with the domain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

from aws import code_of, text_of
from botocore.exceptions import ClientError

TAG, DOMAIN_TAG = "sandcastle:environment", "sagemaker:domain-arn"

_REFUSALS = {
    "ConflictException",
    "ResourceInUse",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ValidationException",
}
"""Not now, or not any more: SageMaker has the same codes for both (facts on teardown, 0.7 and 1.30). Only the next list
tells which."""


class Ours:
    """The things of one environment. Raises ClientError wherever it asks."""

    def __init__(
        self, sagemaker: Any, environment: str, domain_arn: str = "", in_stacks: Callable[[], Collection[str]] = set
    ) -> None:
        """``domain_arn`` is the environment's Studio domain; ``in_stacks`` returns the ids of what its stacks hold."""
        self.sagemaker = sagemaker
        self._in_stacks = in_stacks
        self._ids: set[str] | None = None
        self.environment = environment
        self.prefix = f"sandcastle-{environment}--"
        # ... and of tuning jobs and their training jobs, whose names have room for a hash of the environment's only
        self.tuning_prefix = f"sc-{hashlib.sha256(environment.encode()).hexdigest()[:6]}-"
        self._domain_arn = domain_arn
        self._tags: dict[str, dict[str, str]] = {}
        self.refused: ClientError | None = None

    def listed(self, operation: str, result: str, name: str, arn: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield what the operation lists and is the environment's; ``name`` and ``arn`` are keys of an entry."""
        for page in self.sagemaker.get_paginator(operation).paginate(**filters):
            for item in page[result]:
                if self._owns(item[name], item[arn]):
                    yield item

    def from_a_stack(self, arn: str) -> bool:
        """Whether a stack holds it: then CloudFormation will delete it.

        Its tags do not say so: CloudFormation gives its own to some of SageMaker's types only (registry schemas,
        cloudFormationSystemTags). A physical id is an ARN or, for some types, a name; ARNs have names in lower case.
        """
        if self._ids is None:
            self._ids = {one.lower() for one in self._in_stacks()}
        return bool({arn.lower(), arn.lower().rsplit("/", 1)[-1]} & self._ids)

    def ask(self, call: Callable[..., Any], **parameters: Any) -> str:
        """Make a call that SageMaker may refuse; return how it did.

        What a refusal means only the next turn's list tells. A refusal of another kind (no permission, trouble inside
        the service) is kept as ``refused`` and keeps nothing else from being asked.
        """
        try:
            call(**parameters)
        except ClientError as error:
            if code_of(error) not in _REFUSALS:
                self.refused = self.refused or error
            return text_of(error) or code_of(error)
        return ""

    def _owns(self, name: str, arn: str) -> bool:
        if name.startswith(self.prefix):
            return True
        tags = self._tags_of(arn)
        if TAG in tags:
            return tags[TAG] == self.environment
        return bool(self._domain_arn) and tags.get(DOMAIN_TAG) == self._domain_arn

    def _tags_of(self, arn: str) -> dict[str, str]:
        """Return the tags, asked for once: what something belongs to does not change while it is torn down."""
        if arn not in self._tags:
            pages = self.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
            try:
                self._tags[arn] = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
            except ClientError as error:
                if code_of(error) not in _REFUSALS:
                    raise
                return {}  # it is gone
        return self._tags[arn]


def counted(word: str, names: list[str], refusal: str = "") -> str:
    """Return what is left in words: ``2 training jobs (a, b)``; nothing for nothing."""
    if not names:
        return ""
    shown = ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {word}{'s' if len(names) > 1 else ''} ({shown})" + (f": {refusal}" if refusal else "")
