"""Removes what an inventory found: the last resort of ``sandcastle destroy``."""

from operations.sweep.broom import Swept, sweep

__all__ = ["Swept", "sweep"]
