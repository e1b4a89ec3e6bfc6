"""Adding CloudFormation resource types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

Props = dict[str, Any]
#: physical id (what Ref returns) and attributes (what Fn::GetAtt returns)
Provisioned = tuple[str, dict[str, Any]]
Create = Callable[[str, Props, str], Provisioned]
Update = Callable[[str, Props, Props, str], Provisioned]
Delete = Callable[[str, Props], None]

_threaded: set[str] = set()


class CfnError(ValueError):
    """A resource operation failed; the text becomes the ResourceStatusReason of the event.

    A create that failed half-way names what it left behind in ``physical_id``: the rollback then calls ``delete``
    with it, as on AWS.
    """

    def __init__(self, text: str, physical_id: str | None = None) -> None:
        super().__init__(text)
        self.physical_id = physical_id


def register_cfn_type(
    type_name: str,
    *,
    create: Create,
    delete: Delete,
    update: Update | None = None,
    replacing: Sequence[str] = (),
    tag_property: str | None = None,
) -> None:
    """Teach CloudFormation ``type_name``.

    ``create(logical_id, props, stack_name)`` and ``update(physical_id, old, new, stack_name)`` return the
    physical id and the attributes; ``delete(physical_id, props)`` must succeed when the thing is gone already.
    All three run on worker threads and may block. A changed property named in ``replacing`` (top-level names)
    replaces the resource. ``tag_property`` names the property that stack tags are merged into (a list of
    Key/Value pairs). They raise ``CfnError`` to fail.
    """
    handlers: dict[str, Any] = {"create": create, "delete": delete}
    if update:
        handlers["update"] = update
    provisioners._RESOURCE_HANDLERS[type_name] = handlers
    if replacing:
        provisioners._REPLACING_PROPERTIES[type_name] = tuple(replacing)
    if tag_property:
        provisioners._STACK_TAG_PROPERTY[type_name] = (tag_property, "list")
    run_on_worker_thread(type_name)


def run_on_worker_thread(type_name: str) -> None:
    """MiniStack runs handlers on its event loop, where one that waits would stop the whole server."""
    if not _threaded:
        before = stacks._runs_on_worker_thread

        def runs_on_worker_thread(resource_type: str) -> bool:
            return resource_type in _threaded or bool(before(resource_type))

        stacks._runs_on_worker_thread = runs_on_worker_thread
    _threaded.add(type_name)


def physical_name(stack_name: str, logical_id: str, max_length: int = 63) -> str:
    """A generated name as CloudFormation makes them: ``<stack>-<logical id>-<random>``, cut to the limit."""
    name: str = provisioners._physical_name(stack_name, logical_id, max_len=max_length)
    return name
