"""CloudWatch metric alarms that are evaluated as AWS evaluates them, on virtual time.

``evaluation`` is the arithmetic, ``evaluator`` does it every minute as long as there is something to see. Alarms, data
points and notifications are MiniStack's (``adapter.alarms``); its own evaluation mixes the data of all dimensions,
looks at the machine's clock and knows neither missing data nor "M out of N".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.clock import default_clock

if TYPE_CHECKING:
    from localcloud.alarms.evaluator import Evaluator


def install() -> Evaluator:
    """Take over the evaluation of every alarm of the server."""
    from localcloud.alarms.evaluator import Evaluator

    evaluator = Evaluator(default_clock())
    evaluator.take_over()
    return evaluator
