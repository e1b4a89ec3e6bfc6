"""The switch delete-order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.core.stacks import Stack, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

pytestmark = pytest.mark.localcloud

NAMES = [f"Free{number}" for number in range(6)]


def parameter(after: str | None = None) -> dict[str, Any]:
    properties = {"Type": "String", "Value": "x"}
    return {"Type": "AWS::SSM::Parameter", "Properties": properties, **({"DependsOn": after} if after else {})}


def deleted(server: Localcloud, order: str) -> list[str]:
    """The logical ids of a stack in the order of their deletion: six free ones, and First <- Second <- Third."""
    server.admin("POST", "switches", {"delete-order": order})
    try:
        stack = Stack(server, unique("order"))
        resources = {name: parameter() for name in NAMES}
        chain = {"First": parameter(), "Second": parameter("First"), "Third": parameter("Second")}
        assert stack.create({**resources, **chain}) == "CREATE_COMPLETE"
        identifier = stack.describe()["StackId"]
        assert stack.delete() == "DELETE_COMPLETE"
        events = reversed(stack.cfn.describe_stack_events(StackName=identifier)["StackEvents"])
        gone = [event["LogicalResourceId"] for event in events if event["ResourceStatus"] == "DELETE_COMPLETE"]
        return [name for name in gone if name != stack.name]
    finally:
        server.admin("POST", "switches", {"delete-order": "template"})


def test_a_seed_draws_an_order_that_the_dependencies_allow(localcloud: Localcloud) -> None:
    one, again, two = (deleted(localcloud, f"random:{seed}") for seed in (1, 1, 2))
    usual = deleted(localcloud, "template")
    assert one == again
    assert len({tuple(order) for order in (one, two, usual)}) == 3
    for order in (one, two, usual):
        assert set(order) == {*NAMES, "First", "Second", "Third"}
        assert order.index("Third") < order.index("Second") < order.index("First")
