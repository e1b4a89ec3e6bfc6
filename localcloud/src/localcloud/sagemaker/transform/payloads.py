"""Objects cut into request bodies, and replies put together again ([DG] batch-transform.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

SplitType = Literal["None", "Line"]
Strategy = Literal["MultiRecord", "SingleRecord"]
AssembleWith = Literal["None", "Line"]
MB = 1024 * 1024


class TooLarge(Exception):
    """A record is larger than a request may be; the text says how large."""


def split(body: bytes, kind: SplitType, strategy: Strategy, limit: int) -> Iterator[bytes]:
    """The request bodies of an object; ``limit`` in bytes, 0 for none. Raises TooLarge.

    Empty lines are no records.
    """
    if kind == "None":
        yield _checked(body, limit)
        return
    records = [record for record in body.splitlines() if record]
    if strategy == "SingleRecord":
        yield from (_checked(record, limit) for record in records)
        return
    batch: list[bytes] = []
    size = 0
    for record in records:
        _checked(record, limit)
        if batch and limit and size + 1 + len(record) > limit:
            yield b"\n".join(batch)
            batch, size = [], 0
        size += len(record) + (1 if batch else 0)
        batch.append(record)
    if batch:
        yield b"\n".join(batch)


def assemble(replies: Sequence[bytes], how: AssembleWith) -> bytes:
    """The output of an object. A newline that a reply ends with is not doubled ([I])."""
    if how == "None":
        return b"".join(replies)
    return b"".join(reply.removesuffix(b"\n") + b"\n" for reply in replies)


def _checked(record: bytes, limit: int) -> bytes:
    if limit and len(record) > limit:
        raise TooLarge(f"a payload of {len(record)} bytes is larger than MaxPayloadInMB allows ({limit} bytes)")
    return record
