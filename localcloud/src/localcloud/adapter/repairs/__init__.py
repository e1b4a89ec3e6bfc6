"""Corrections of MiniStack behaviour that differs from AWS and that our templates meet."""


def install() -> None:
    """Apply every repair."""
