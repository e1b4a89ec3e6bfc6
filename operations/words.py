"""Numbers as people read them."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Return ``1 stack``, ``4 stacks``, ``1,204 calls``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def usd(amount: float) -> str:
    """Return US dollars: ``168.04 USD``, and ``< 0.01 USD`` where rounding would say nothing."""
    return "< 0.01 USD" if 0 < amount < 0.005 else f"{amount:,.2f} USD"


def duration(seconds: float) -> str:
    """Return ``0.4 s``, ``41 s``, ``2 min 5 s``, ``3 h 20 min`` or ``2 d 4 h``."""
    if seconds < 10 and not float(seconds).is_integer():
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = whole // 60
    if minutes < 48 * 60:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    hours = minutes // 60
    return f"{hours // 24} d" + (f" {hours % 24} h" if hours % 24 else "")
