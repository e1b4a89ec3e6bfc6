"""What belongs to an environment, asked of every service itself."""

from operations.audit.inventory import Inventory, take_inventory

__all__ = ["Inventory", "take_inventory"]
