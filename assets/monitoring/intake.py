"""Lines that come in, and an account of each of them: nothing is dropped silently, nothing broken ends an analysis.

Of every source: lines = blank + analysed + outside the window + rejected, the latter by reason. The account is written
as ``intake.json`` beside the service's three files.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, Mapping

VERSION = "0"
"""The eventVersion of captured events and of labels that is known."""

#: reasons that mean that data and settings do not fit: when nothing else came, the analysis fails and says so
MISMATCHES = ("encoding", "not_flat", "rows_differ", "script_failed", "answer_without_value", "not_a_number")


class Rejected(Exception):
    """One line, or one event, that cannot be analysed, and why."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Account:
    """How many lines of a source became what."""

    def __init__(self) -> None:
        self.files = self.lines = self.blank = self.outside_window = 0
        self.rejected: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        """The first of each reason, in words."""

    @property
    def analysed(self) -> int:
        """How many were taken."""
        return self.lines - self.blank - self.outside_window - sum(self.rejected.values())

    def reject(self, rejected: Rejected, where: str) -> None:
        """Count one, and remember the first of its kind."""
        self.rejected[rejected.reason] += 1
        self.examples.setdefault(rejected.reason, f"{where}: {rejected}")

    @property
    def mismatch(self) -> str | None:
        """Why nothing could be analysed although something was there; None when that is not so."""
        if self.analysed:
            return None
        return next((self.examples[reason] for reason in MISMATCHES if reason in self.examples), None)

    def report(self) -> dict[str, Any]:
        """Return the account as intake.json has it."""
        return {
            "files": self.files,
            "lines": self.lines,
            "blank": self.blank,
            "analysed": self.analysed,
            "outside_window": self.outside_window,
            "rejected": dict(sorted(self.rejected.items())),
            "examples": dict(sorted(self.examples.items())),
        }


def files(source: Path) -> list[Path]:
    """Return the files of a file or a folder, sorted; names that begin with ``.`` or ``_`` are no data."""
    if source.is_file():
        return [source]
    return [path for path in sorted(source.rglob("*")) if path.is_file() and not path.name.startswith((".", "_"))]


def documents(source: Path, account: Account) -> Iterator[tuple[Any, str]]:
    """Read each line of JSON files, with where it stands."""
    load = json.loads
    for path in files(source):
        account.files += 1
        name = path.name
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                account.lines += 1
                try:
                    document = load(line.decode("utf-8"))
                except (ValueError, RecursionError) as error:
                    if not line.strip():
                        account.blank += 1
                        continue
                    # a writer that was interrupted leaves a last line without its end
                    reason = "not_json" if line.endswith(b"\n") else "half_written"
                    account.reject(Rejected(reason, f"no JSON: {error}"), f"{name}, line {number}")
                    continue
                yield document, f"{name}, line {number}"


def events(source: Path, window: tuple[str, str] | None, account: Account) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Read the captured events of the window, with where each stands.

    More may be there than the window has (developer guide, model-monitor-byoc-contract-inputs.html). All times are in
    UTC and of one form, so texts compare as times do.
    """
    for record, where in documents(source, account):
        try:
            sides = record["captureData"]
            metadata = record.get("eventMetadata") or {}
            moment = metadata.get("inferenceTime")
            version = record.get("eventVersion", VERSION)
            if not isinstance(sides, dict):
                raise TypeError
        except (KeyError, TypeError, AttributeError):
            account.reject(Rejected("no_capture", "no captured event: it has no captureData"), where)
            continue
        if version != VERSION:
            account.reject(Rejected("unknown_version", f"eventVersion {version!r} is not known"), where)
        elif window is not None and isinstance(moment, str) and not window[0] <= moment < window[1]:
            account.outside_window += 1
        else:
            yield record, where


def identity(record: Mapping[str, Any]) -> str:
    """Return what labels call an event: its inferenceId if the caller gave one, else its eventId."""
    metadata = record.get("eventMetadata") or {}
    return str(metadata.get("inferenceId") or metadata.get("eventId"))
