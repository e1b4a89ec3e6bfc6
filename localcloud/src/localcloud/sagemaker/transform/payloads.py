"""Objects cut into records and requests, and replies put together again ([DG] batch-transform.md)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Literal

SplitType = Literal["None", "Line", "RecordIO", "TFRecord"]
Strategy = Literal["MultiRecord", "SingleRecord"]
AssembleWith = Literal["None", "Line"]
MB = 1024 * 1024
_RECORDIO_MAGIC = 0xCED7230A


class TooLarge(Exception):
    """A record is larger than a request may be; the text says how large."""


class Malformed(Exception):
    """An object cannot be cut into the records it is said to have."""


def records(body: bytes, kind: SplitType) -> list[bytes]:
    """The records of an object, with their frames where they have any. Empty lines are none. Raises Malformed."""
    if kind == "Line":
        return [record for record in body.splitlines() if record]
    if kind == "RecordIO":
        return list(_recordio(body))
    if kind == "TFRecord":
        return list(_tfrecord(body))
    return [body]


def requests(found: Sequence[bytes], kind: SplitType, strategy: Strategy, limit: int) -> Iterator[list[bytes]]:
    """The records of each request; ``limit`` in bytes, 0 for none. Raises TooLarge."""
    gap = len(separator(kind))
    batch: list[bytes] = []
    size = 0
    for record in found:
        if limit and len(record) > limit:
            text = f"a payload of {len(record)} bytes is larger than MaxPayloadInMB allows ({limit} bytes)"
            raise TooLarge(text)
        if batch and (strategy == "SingleRecord" or (limit and size + gap + len(record) > limit)):
            yield batch
            batch, size = [], 0
        size += len(record) + (gap if batch else 0)
        batch.append(record)
    if batch:
        yield batch


def separator(kind: SplitType) -> bytes:
    """What stands between the records of a request; records in frames need nothing."""
    return b"\n" if kind == "Line" else b""


def assemble(replies: Sequence[bytes], how: AssembleWith) -> bytes:
    """The output of an object. A newline that a reply ends with is not doubled ([I])."""
    if how == "None":
        return b"".join(replies)
    return b"".join(reply.removesuffix(b"\n") + b"\n" for reply in replies)


def _recordio(body: bytes) -> Iterator[bytes]:
    """Frames of ``<u32 magic><u32 length><bytes><padding to 4>``, little endian."""
    position = 0
    while position < len(body):
        if position + 8 > len(body):
            raise Malformed("the object ends within the header of a RecordIO record")
        magic, length = struct.unpack_from("<II", body, position)
        if magic != _RECORDIO_MAGIC:
            raise Malformed(f"no RecordIO magic number at byte {position}")
        end = position + 8 + length + (-length % 4)
        if end > len(body):
            raise Malformed("the object ends within a RecordIO record")
        yield body[position:end]
        position = end


def _tfrecord(body: bytes) -> Iterator[bytes]:
    """Frames of ``<u64 length><u32 checksum><bytes><u32 checksum>``, little endian."""
    position = 0
    while position < len(body):
        if position + 12 > len(body):
            raise Malformed("the object ends within the header of a TFRecord")
        (length,) = struct.unpack_from("<Q", body, position)
        end = position + 16 + int(length)
        if end > len(body):
            raise Malformed("the object ends within a TFRecord")
        yield body[position:end]
        position = end
