"""CloudFormation resource types that need nothing of MiniStack's internals."""


def install() -> None:
    """Register every type of this package."""
