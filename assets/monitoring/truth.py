"""Captured answers together with the labels that came for them, in memory that does not grow with either.

A label belongs to the event whose inferenceId, or without one whose eventId, it names (developer guide,
model-monitor-model-quality-merge.html); of two labels for one event the one in the later file counts. Many labels are
divided by a hash of their ids into files, the events likewise, and joined part by part.
"""

from __future__ import annotations

import json
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterable, Iterator, List, Tuple

import exchanges
import intake
from exchanges import Preprocessor, Row
from intake import Account, Rejected
from settings import Settings

#: bytes of label files that are joined at once; in memory it is about twice that
_PART = 32 << 20
_MOST_PARTS = 512

Answered = Tuple[str, List[Row], str]
"""Label (CSV), the rows of the answer, and where the event stands."""


@dataclass
class Accounts:
    """What became of events and of labels.

    Events analysed = with a label + without one. Labels analysed = matched + replaced by a later one + without an event
    in the window.
    """

    source: Account = field(default_factory=Account)
    labels: Account = field(default_factory=Account)
    with_label: int = 0
    without_label: int = 0
    matched: int = 0
    replaced: int = 0
    without_event: int = 0
    rows: int = 0
    rows_of_unknown_class: int = 0

    @property
    def rejected(self) -> int:
        """How many lines of both could not be analysed."""
        return sum(self.source.rejected.values()) + sum(self.labels.rejected.values()) + self.rows_of_unknown_class

    def report(self) -> dict[str, Any]:
        """Return the account as intake.json has it."""
        return {
            "source": self.source.report(),
            "labels": {
                **self.labels.report(),
                "matched": self.matched,
                "replaced": self.replaced,
                "without_event": self.without_event,
            },
            "events": {"with_label": self.with_label, "without_label": self.without_label},
            "rows": {"analysed": self.rows, "unknown_class": self.rows_of_unknown_class},
        }


def answered(settings: Settings, accounts: Accounts) -> Iterator[Answered]:
    """Read each event that has a label, from two sources or from one in which they are merged."""
    script = exchanges.load_preprocessor(settings.preprocessor) if settings.preprocessor else None
    if settings.truth is None:
        yield from _merged(settings, script, accounts)
        return
    size = sum(path.stat().st_size for path in intake.files(settings.truth))
    parts = min(1 + size // _PART, _MOST_PARTS)
    labels, events = _labels(settings.truth, accounts), _events(settings, script, accounts)
    if parts == 1:
        yield from _joined(labels, events, accounts)
        return
    with TemporaryDirectory() as folder:
        # first all labels, then all events: no more files are open at a time than there are parts
        divided = [_divided(each, Path(folder), name, parts) for name, each in (("l", labels), ("e", events))]
        for some_labels, some_events in zip(*divided):
            yield from _joined(_read(some_labels), _read(some_events), accounts)


def _joined(labels: Iterable[Any], events: Iterable[Any], accounts: Accounts) -> Iterator[Answered]:
    known: dict[str, str] = {}
    for identity, data in labels:
        accounts.replaced += identity in known
        known[identity] = data
    used: set[str] = set()
    for identity, rows, where in events:
        label = known.get(identity)
        if label is None:
            accounts.without_label += 1
            continue
        accounts.with_label += 1
        used.add(identity)
        yield label, rows, where
    accounts.matched += len(used)
    accounts.without_event += len(known) - len(used)


def _labels(source: Path, accounts: Accounts) -> Iterator[tuple[str, str]]:
    for record, where in intake.documents(source, accounts.labels):
        try:
            found = str(record["eventMetadata"]["eventId"]), str(record["groundTruthData"]["data"])
        except (KeyError, TypeError):
            rejected = Rejected("no_label", "no label: it needs groundTruthData.data and eventMetadata.eventId")
            accounts.labels.reject(rejected, where)
            continue
        version = record.get("eventVersion", intake.VERSION)
        if version != intake.VERSION:
            rejected = Rejected("unknown_version", f"eventVersion {version!r} is not known")
            accounts.labels.reject(rejected, where)
            continue
        yield found


def _events(
    settings: Settings, script: Preprocessor | None, accounts: Accounts
) -> Iterator[tuple[str, list[Row], str]]:
    for record, where in intake.events(settings.source, settings.window, accounts.source):
        try:
            rows = _answer(record, script)
        except Rejected as rejected:
            accounts.source.reject(rejected, where)
            continue
        yield intake.identity(record), rows, where


def _merged(settings: Settings, script: Preprocessor | None, accounts: Accounts) -> Iterator[Answered]:
    for record, where in intake.events(settings.source, settings.window, accounts.source):
        label = record.get("groundTruthData")
        if not isinstance(label, dict) or "data" not in label:
            accounts.without_label += 1
            continue
        try:
            rows = _answer(record, script)
        except Rejected as rejected:
            accounts.source.reject(rejected, where)
            continue
        accounts.with_label += 1
        yield str(label["data"]), rows, where


def _answer(record: Any, script: Preprocessor | None) -> list[Row]:
    if script is not None:
        return exchanges.preprocessed(script, record)
    return exchanges.side_rows(record["captureData"].get(exchanges.OUTPUT))


def _divided(found: Iterable[Any], folder: Path, name: str, parts: int) -> list[Path]:
    """Write each thing to the file that the hash of its first member, the id, names."""
    paths = [folder / f"{name}{part}" for part in range(parts)]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("w", encoding="utf-8")) for path in paths]
        for each in found:
            part = zlib.crc32(each[0].encode("utf-8", "surrogatepass")) % parts
            files[part].write(json.dumps(each) + "\n")
    return paths


def _read(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
