"""The order in which a stack's independent resources are deleted: MiniStack's own, or a random one.

AWS deletes side by side what does not depend on each other, so a teardown must be right in every order that the
dependencies allow. MiniStack always takes the same one; the switch ``delete-order`` draws another, the same for a seed.
"""

from __future__ import annotations

import contextvars
import random
from typing import Any

from ministack.services.cloudformation import engine, handlers, stacks

from localcloud.switches import default_switches

#: set while a stack is deleted, which is when the order is drawn
_deleting: contextvars.ContextVar[bool] = contextvars.ContextVar("localcloud_deleting", default=False)


def install() -> None:
    """Wrap the delete of a stack and the order that it asks for."""
    before_delete, before_sort = stacks._delete_stack_async, stacks._topological_sort

    async def delete(*arguments: Any, **options: Any) -> Any:
        mark = _deleting.set(True)
        try:
            return await before_delete(*arguments, **options)
        finally:
            _deleting.reset(mark)

    def sort(definitions: dict[str, Any], conditions: dict[str, Any]) -> list[str]:
        order: list[str] = before_sort(definitions, conditions)  # raises for a circle
        kind, _, seed = default_switches().get("delete-order").partition(":")
        return _drawn(order, definitions, seed) if kind == "random" and _deleting.get() else order

    stacks._topological_sort = sort
    for module in (stacks, handlers):
        module._delete_stack_async = delete


def _drawn(order: list[str], definitions: dict[str, Any], seed: str) -> list[str]:
    """Another order with every resource after those it depends on; the stack is deleted from its end."""
    names = set(order)
    waiting = {name: engine._extract_deps(definitions[name], names) - {name} for name in sorted(names)}
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    drawn: list[str] = []
    while waiting:
        ready = [name for name, needs in waiting.items() if needs.isdisjoint(waiting)]
        chosen = draw.choice(ready)
        del waiting[chosen]
        drawn.append(chosen)
    return drawn
