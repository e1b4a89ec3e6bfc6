"""Puts patterns, actions and conditions into words."""

from __future__ import annotations

from operations.review.access.symbols import symbol_of


def plain(text: str) -> str:
    """Return a text with the names of its symbols."""
    return "".join(known.name if (known := symbol_of(letter)) else letter for letter in text)
