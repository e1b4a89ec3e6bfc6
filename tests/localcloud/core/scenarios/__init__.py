"""What AWS does in the situations that our repairs are about. Each one holds on localcloud and fails without repairs.

A scenario gets a server and asserts; it uses names of its own, so all run on one server in any order.
"""

from tests.localcloud.core.scenarios import events, functions, identities, network, stack_operations, storage
from tests.localcloud.core.scenarios.registry import SCENARIOS

__all__ = ["SCENARIOS", "events", "functions", "identities", "network", "stack_operations", "storage"]
