"""Every MiniStack name that localcloud uses, with what it must be. Checked at each start."""

from __future__ import annotations

import importlib
from importlib.metadata import version

PINNED = "1.5.33"


class ContractBroken(Exception):
    """The installed MiniStack is not the one this adapter was written for; the text lists what moved."""


def require() -> None:
    """Raise ContractBroken unless every name is where and what it was."""
    moved = check()
    if moved:
        raise ContractBroken("MiniStack changed:\n  " + "\n  ".join(moved))


def check() -> list[str]:
    """What differs from the contract, in words; empty when nothing does."""
    installed = version("ministack")
    moved = [] if installed == PINNED else [f"version is {installed}, pinned is {PINNED}"]
    for name, kind in CONTRACT.items():
        module, _, attribute = name.rpartition(".")
        try:
            found = type(getattr(importlib.import_module(module), attribute)).__name__
        except (ImportError, AttributeError) as error:
            moved.append(f"{name}: {error}")
            continue
        if found != kind:
            moved.append(f"{name} is {found}, expected {kind}")
    return moved


CONTRACT: dict[str, str] = {
    "ministack.app.app": "function",
}
