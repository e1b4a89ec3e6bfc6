"""CloudFormation resource types that need nothing of MiniStack's internals."""

from localcloud.cloudformation import budgets, budgets_action, security_group_rules


def install() -> None:
    """Register every type of this package."""
    budgets.install()
    budgets_action.install()
    security_group_rules.install()
