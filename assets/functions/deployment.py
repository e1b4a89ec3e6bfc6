"""Whether the change that an event belongs to still goes on, or the stack is already being undone.

CloudFormation does not wait for a resource whose creation it cancels: it sends the Delete while the function of the
Create may still be at work. What that function starts afterwards would belong to nobody.
"""

from __future__ import annotations

from typing import Any

_GOES_ON = {
    "Create": {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"},
    "Update": {"UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"},
}
"""The stack's states in which CloudFormation waits for the answer; a roll-back updates resources back."""


class Deployment:
    """The change of the stack that one Create or Update belongs to."""

    def __init__(self, cloudformation: Any, stack_id: str, request_type: str) -> None:
        """Look at the stack for the first time: make this early. Raises ClientError."""
        self._cloudformation = cloudformation
        self._stack_id = stack_id
        self._request_type = request_type
        self._first = self._look()

    def status_if_undone(self) -> str:
        """Return the stack's state when nobody waits for the answer any more, else an empty text. Raises ClientError.

        A state other than the first one counts too: an update that is being rolled back is not this one any more.
        """
        status = self._look()
        goes_on = status == self._first and status in _GOES_ON[self._request_type]
        return "" if goes_on else status

    def _look(self) -> str:
        stacks = self._cloudformation.describe_stacks(StackName=self._stack_id)["Stacks"]
        return str(stacks[0]["StackStatus"])
