"""Stack exports: unique names, no change or removal while another stack imports them, removed ones disappear."""

from __future__ import annotations

from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks

from localcloud.adapter.cfn import CfnError


def install() -> None:
    """Wrap the step that resolves a stack's outputs."""
    before = stacks._resolve_stack_outputs

    def resolve(
        definitions: Any, conditions: Any, resources: Any, parameters: Any, mappings: Any, stack: str, stack_id: str
    ) -> tuple[Any, dict[str, Any]]:
        outputs, exports = before(definitions, conditions, resources, parameters, mappings, stack, stack_id)
        known = cloudformation._exports
        for name in exports:
            holder = known.get(name)
            if holder and holder["StackId"] != stack_id:
                owner = holder["StackId"].split("/")[1]
                raise CfnError(f"Export with name {name} is already exported by stack {owner}.")
        mine = {name: record for name, record in list(known.items()) if record["StackId"] == stack_id}
        for name, record in mine.items():
            user = _importer(name, stack)
            if user and name not in exports:
                raise CfnError(f"Export {name} cannot be deleted as it is in use by {user}")
            if user and exports[name]["Value"] != record["Value"]:
                raise CfnError(f"Export {name} cannot be updated as it is in use by {user}")
        for name in mine.keys() - exports.keys():
            known.pop(name, None)
        return outputs, exports

    stacks._resolve_stack_outputs = resolve


def _importer(export: str, exporter: str) -> str | None:
    """A live stack, other than the exporting one, that imports ``export``."""
    for name, stack in cloudformation._stacks.items():
        status = stack.get("StackStatus", "")
        # a stack that is being created holds the import already; a deleted one no longer does
        alive = status not in ("DELETE_COMPLETE", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS")
        if name != exporter and alive and export in handlers._imported_export_names(stack, name):
            return str(name)
    return None
