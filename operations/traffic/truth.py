"""Delivers labels of captured requests as Model Monitor wants them.

``<truth>/yyyy/mm/dd/hh/<file>.jsonl``: the hour is the one in which the label is known, the lines have a label and the
id of a request (developer guide, "Ingest ground truth labels and merge them with predictions"). Each captured file has
its own file of labels in each hour, so that delivering again writes the same files and no label twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from operations.traffic.capture import Captured, CaptureFile, Event
from operations.traffic.labels import Labeller, Without
from operations.traffic.watched import Watched


@dataclass
class Delivered:
    """What has become of the captured requests; ``seen`` is the sum of the others."""

    labelled: int = 0
    not_yet: int = 0
    """Whose labels are not known yet."""
    damaged: int = 0
    """Lines that are no events."""
    without: Counter[Without] = field(default_factory=Counter)

    @property
    def seen(self) -> int:
        """All lines that were looked at."""
        return self.labelled + self.not_yet + self.damaged + self.without.total()

    def document(self) -> dict[str, Any]:
        """Return it for a machine."""
        without = {reason.name.lower(): self.without[reason] for reason in Without}
        return {
            "seen": self.seen,
            "labelled": self.labelled,
            "not_yet": self.not_yet,
            "damaged": self.damaged,
            "without": without,
        }


class Truth:
    """Delivers the labels of one endpoint, again and again if one likes.

    Each captured request counts once in ``delivered``, however often ``deliver`` is called.
    """

    def __init__(self, watched: Watched, labeller: Labeller, delay: float, since: float) -> None:
        """A label is known ``delay`` seconds after its request; requests before the moment ``since`` have none.

        Raises OperationError when the endpoint keeps no requests.
        """
        self._captured = Captured(watched.target.client("s3"), watched.kept)
        self._s3 = watched.target.client("s3")
        self.place = watched.truth
        self._labeller = labeller
        self._delay = timedelta(seconds=delay)
        self._since = datetime.fromtimestamp(int(since), UTC)  # events have whole seconds
        self._finished: set[str] = set()
        self._over = Delivered()
        self._open = Delivered()

    @property
    def delivered(self) -> Delivered:
        """What has become of everything so far."""
        done, rest = self._over, self._open
        return Delivered(
            done.labelled + rest.labelled,
            done.not_yet + rest.not_yet,
            done.damaged + rest.damaged,
            done.without + rest.without,
        )

    def deliver(self, until: float) -> Delivered:
        """Deliver all labels that are known by the moment ``until``; return what has become of everything so far."""
        now = datetime.fromtimestamp(until, UTC)
        self._open = Delivered()
        for name in self._captured.names(self._since, now):
            if name in self._finished:
                continue
            found = self._of_file(self._captured.read(name), now)
            if found.not_yet:
                _add(self._open, found)
            else:
                self._finished.add(name)
                _add(self._over, found)
        return self.delivered

    def _of_file(self, file: CaptureFile, now: datetime) -> Delivered:
        found = Delivered(damaged=file.damaged)
        hours: dict[str, list[str]] = {}
        for event in file.events:
            if event.moment < self._since:
                continue
            known = event.moment + self._delay
            label = self._labeller.label(event)
            if isinstance(label, Without):
                found.without[label] += 1
            elif known >= now:
                found.not_yet += 1
            else:
                found.labelled += 1
                hours.setdefault(f"{known:%Y/%m/%d/%H}", []).append(_line(label, event))
        for hour, lines in hours.items():
            self._put(f"{hour}/{file.name.replace('/', '-')}", lines)
        return found

    def _put(self, name: str, lines: Iterable[str]) -> None:
        address = urlsplit(self.place)
        body = "".join(f"{line}\n" for line in lines).encode("utf-8")
        self._s3.put_object(Bucket=address.netloc, Key=f"{address.path.strip('/')}/{name}", Body=body)


def _line(label: str, event: Event) -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": label, "encoding": "CSV"},
            "eventMetadata": {"eventId": event.identifier},
            "eventVersion": "0",
        }
    )


def _add(total: Delivered, part: Delivered) -> None:
    total.labelled += part.labelled
    total.not_yet += part.not_yet
    total.damaged += part.damaged
    total.without += part.without
