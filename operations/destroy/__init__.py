"""``sandcastle destroy``: quiesce, delete the stacks, ask every service, sweep what is left, try again, report."""

from operations.destroy.flow import destroy

__all__ = ["destroy"]
