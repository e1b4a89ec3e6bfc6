"""Budget actions: their states, and how one attaches its policy under its execution role.

States: botocore's ActionStatus. STANDBY -> (threshold) -> PENDING (manual approval) or EXECUTION_IN_PROGRESS ->
EXECUTION_SUCCESS or _FAILURE; RETRY executes a failed one again; REVERSE detaches what an executed one attached;
RESET puts it back on STANDBY, so that it can run again this month. Deleting an executed action leaves the policy
attached. How long an execution takes is inferred.
"""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud import adapter
from localcloud.clock import Clock
from localcloud.self_calls import CallFailed, call

#: virtual seconds that an execution, a reversal or a reset takes
SECONDS = 20.0
#: real seconds for which the clock waits for the calls of one
_CALL_SECONDS = 5.0

#: member of IamActionDefinition -> (IAM operation that attaches, that detaches, its parameter)
_ENTITIES = {
    "Roles": ("AttachRolePolicy", "DetachRolePolicy", "RoleName"),
    "Groups": ("AttachGroupPolicy", "DetachGroupPolicy", "GroupName"),
    "Users": ("AttachUserPolicy", "DetachUserPolicy", "UserName"),
}
#: what ExecuteBudgetAction may be asked for, by status
_ALLOWED = {
    "APPROVE_BUDGET_ACTION": {"PENDING"},
    "RETRY_BUDGET_ACTION": {"EXECUTION_FAILURE"},
    "REVERSE_BUDGET_ACTION": {"EXECUTION_SUCCESS", "REVERSE_FAILURE"},
    "RESET_BUDGET_ACTION": {"EXECUTION_SUCCESS", "REVERSE_SUCCESS", "RESET_FAILURE"},
}


class BudgetsError(Exception):
    """An error reply."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Action:
    """One action; ``settings`` has the members of the request under their names."""

    account: str
    budget: str
    identifier: str
    settings: dict[str, Any]
    status: str = "STANDBY"
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def arn(self) -> str:
        """``arn:aws:budgets::<account>:budget/<name>/action/<id>``."""
        return f"{self.budget_arn}/action/{self.identifier}"

    @property
    def budget_arn(self) -> str:
        """What the execution role's trust policy may compare aws:SourceArn with."""
        return f"arn:aws:budgets::{self.account}:budget/{self.budget}"

    @property
    def running(self) -> bool:
        """Whether nobody may change it now."""
        return self.status.endswith("_IN_PROGRESS")

    def reply(self) -> dict[str, Any]:
        """The model's Action."""
        described = {"ActionId": self.identifier, "BudgetName": self.budget, "Status": self.status}
        return {**described, **copy.deepcopy(self.settings)}


class Actions:
    """The actions of every account."""

    def __init__(self, clock: Clock) -> None:
        """None."""
        self._clock = clock
        self._lock = threading.RLock()
        self._actions: dict[str, Action] = {}
        #: called with the action and a text when its subscribers are to be told something
        self.announce: Callable[[Action, str], None] = lambda _action, _text: None

    def create(self, budget: str, settings: dict[str, Any]) -> Action:
        """A new action on standby."""
        action = Action(adapter.account_id(), budget, str(uuid.uuid4()), settings)
        with self._lock:
            self._actions[action.arn] = action
        self._note(action, "CREATE_ACTION", "The action was created.")
        return action

    def get(self, budget: str, identifier: str) -> Action:
        """One action. Raises NotFoundException."""
        for action in self.all(budget):
            if action.identifier == identifier:
                return action
        raise BudgetsError("NotFoundException", f"Unable to get action {identifier} - the action doesn't exist.")

    def all(self, budget: str | None = None) -> list[Action]:
        """Those of the account in scope, of one budget or of all."""
        account = adapter.account_id()
        with self._lock:
            found = [action for action in self._actions.values() if action.account == account]
        return [action for action in found if budget in (None, action.budget)]

    def update(self, action: Action, changes: Mapping[str, Any]) -> None:
        """Change some settings. Raises ResourceLockedException."""
        with self._lock:
            self._refuse_running(action)
            action.settings.update(changes)
        self._note(action, "UPDATE_ACTION", "The action was updated.")

    def delete(self, action: Action) -> None:
        """Forget it; what it attached stays attached. Raises ResourceLockedException."""
        with self._lock:
            self._refuse_running(action)
            self._actions.pop(action.arn, None)

    def forget(self, budget: str) -> None:
        """The budget is gone."""
        for action in self.all(budget):
            with self._lock:
                self._actions.pop(action.arn, None)

    def trigger(self, action: Action) -> None:
        """The threshold is exceeded: execute it, or ask for approval. Nothing happens unless it is on standby."""
        with self._lock:
            if action.status != "STANDBY":
                return
            if action.settings["ApprovalModel"] == "MANUAL":
                action.status = "PENDING"
            else:
                self._begin(action, "EXECUTION")
        waits = action.status == "PENDING"
        self._note(action, "SYSTEM", "The threshold is exceeded." + (" The action waits for approval." * waits))
        self.announce(action, "waits for your approval" if waits else "is being executed")

    def execute(self, action: Action, how: str) -> None:
        """ExecuteBudgetAction. Raises ResourceLockedException, InvalidParameterException."""
        with self._lock:
            self._refuse_running(action)
            if action.status not in _ALLOWED[how]:
                text = f"{how} is not possible while the status of the action is {action.status}."
                raise BudgetsError("InvalidParameterException", text)
            kind = {"REVERSE_BUDGET_ACTION": "REVERSE", "RESET_BUDGET_ACTION": "RESET"}.get(how, "EXECUTION")
            self._begin(action, kind)
        self._note(action, "EXECUTE_ACTION", f"{how} was requested.")

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._actions.clear()

    def _refuse_running(self, action: Action) -> None:
        if action.running:
            text = f"The action {action.identifier} is in status {action.status}. Try again when it has ended."
            raise BudgetsError("ResourceLockedException", text)

    def _begin(self, action: Action, kind: str) -> None:
        action.status = f"{kind}_IN_PROGRESS"
        self._clock.call_later(SECONDS, lambda: self._carry_out(action, kind), kind="settle")

    def _carry_out(self, action: Action, kind: str) -> None:
        """On the clock's thread, which does not make calls itself."""
        thread = threading.Thread(target=self._run, args=[action, kind], name="localcloud-budget-action", daemon=True)
        thread.start()
        thread.join(_CALL_SECONDS)

    def _run(self, action: Action, kind: str) -> None:
        with self._lock:
            if self._actions.get(action.arn) is not action:
                return
        if kind == "RESET":
            action.status = "STANDBY"
            self._note(action, "SYSTEM", "The action is on standby again.")
            return
        problem = self._apply(action, detach=kind == "REVERSE")
        action.status = f"{kind}_{'FAILURE' if problem else 'SUCCESS'}"
        self._note(action, "SYSTEM", problem or f"{kind} succeeded.")
        self.announce(action, f"failed: {problem}" if problem else f"is done: {action.status}")

    def _apply(self, action: Action, detach: bool) -> str | None:
        """Attach or detach under the execution role: what went wrong, None when nothing did."""
        definition = action.settings["Definition"]["IamActionDefinition"]
        try:
            with adapter.request_scope(action.account, "us-east-1"):
                credentials = adapter.role_credentials(
                    action.settings["ExecutionRoleArn"], "budget-action", "budgets.amazonaws.com", action.budget_arn
                )
            for member, (attach, remove, parameter) in _ENTITIES.items():
                for name in definition.get(member) or []:
                    request = {parameter: name.rsplit("/", 1)[-1], "PolicyArn": definition["PolicyArn"]}
                    call("iam", remove if detach else attach, request, "us-east-1", credentials)
        except adapter.AssumeRoleDenied as error:
            return str(error)
        except CallFailed as error:
            return str(error)
        return None

    def _note(self, action: Action, event: str, message: str) -> None:
        entry = {
            "Timestamp": self._clock.now(),
            "Status": action.status,
            "EventType": event,
            "ActionHistoryDetails": {"Message": message, "Action": action.reply()},
        }
        with self._lock:
            action.history.insert(0, entry)
