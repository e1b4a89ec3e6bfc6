"""What botocore's files say of services, read once in a process: each of its sessions would read them anew."""

from __future__ import annotations

from typing import Any

from botocore.loaders import JSONFileLoader


def read_once() -> None:
    """Keep what is read, by path. Nobody changes what was read."""
    parse = JSONFileLoader.load_file
    parsed: dict[str, Any] = {}

    def load_file(loader: JSONFileLoader, path: str) -> Any:
        if (found := parsed.get(path)) is None:
            found = parse(loader, path)
            if found is not None:
                parsed[path] = found
        return found

    JSONFileLoader.load_file = load_file  # type: ignore[method-assign,assignment] # there is no other hook
