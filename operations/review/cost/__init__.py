"""What an app costs a month, from its templates and a committed price table: nothing here asks AWS."""

from operations.review.cost.assumed import Assumptions, assumed
from operations.review.cost.change import CostChange, LineChange, difference
from operations.review.cost.estimate import Estimate, estimate
from operations.review.cost.line import Kind, Line, Total

__all__ = [
    "Assumptions",
    "CostChange",
    "Estimate",
    "Kind",
    "Line",
    "LineChange",
    "Total",
    "assumed",
    "difference",
    "estimate",
]
