"""``sandcastle traffic`` and ``sandcastle truth``: what they do from beginning to end, and what they say of it."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.traffic.changes import Changes
from operations.traffic.labels import Labeller
from operations.traffic.pace import Pace, pace_of
from operations.traffic.samples import requests
from operations.traffic.send import Sender, Tally, strokes
from operations.traffic.stopping import Stop
from operations.traffic.truth import Delivered, Truth
from operations.traffic.watched import Watched
from operations.words import count, duration

_INK = (0.0, 1.0)
"""What a pixel of a picture may be; models refuse anything else."""
_TELLS = 30
"""How often the progress is told, at most."""
_LAST_LOOKS, _LAST_LOOK = 20, 0.1
"""How often, and after how many seconds, to look for the last requests that localcloud keeps."""
_LOOKS = 60.0
"""Seconds between two deliveries of ``truth --for``; on localcloud (``Target.pace``) less."""


@dataclass(frozen=True)
class Wanted:
    """What is to be sent: requests per second, for how many seconds, rows in each, and how they are changed."""

    rate: float
    seconds: float
    rows: int = 1
    seed: int = 1
    drift: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    new_category: tuple[str, ...] = ()
    broken: float = 0.0
    real_time: bool = False

    def changes(self, watched: Watched) -> Changes:
        """Return the changes for the rows of this workload. Raises UsageError when they do not fit."""
        about = watched.served.test.about
        return Changes.read(
            about.features,
            watched.split.cells if self.drift or self.missing or self.new_category else (),
            drift=self.drift,
            missing=self.missing,
            new_category=self.new_category,
            broken=self.broken,
            **({"bounds": _INK} if about.picture else {}),
        )


@dataclass(frozen=True)
class Knowledge:
    """What is known of the answers, and so many seconds later (``Labeller`` says what the others mean)."""

    delay: float = 0.0
    accuracy: float | None = None
    noise: float = 0.0
    seed: int = 1

    def truth(self, watched: Watched, since: float) -> Truth:
        """Return what delivers it. Raises UsageError for a model without labels, OperationError without capture."""
        served = watched.served
        labeller = Labeller(served.spec, served.test.about.classes, watched.split, self.seed, self.accuracy, self.noise)
        return Truth(watched, labeller, self.delay, since)


def run_traffic(
    watched: Watched, wanted: Wanted, known: Knowledge | None, console: Console, stop: Stop
) -> dict[str, Any]:
    """Send the traffic, with ``known`` deliver labels beside it, and say what came of it.

    Raises UsageError when what is wanted does not fit the workload, OperationError when the endpoint cannot be asked;
    what was sent until then is said.
    """
    if known and wanted.rows > 1:
        raise UsageError(f"--truth with --rows {wanted.rows}: Model Monitor takes one label for a request")
    changes = wanted.changes(watched)
    pace = pace_of(watched.target, stop, console, real_time=wanted.real_time)
    watched.outlives(wanted.seconds)
    begin = pace.now()
    truth = known.truth(watched, begin) if known else None
    total = round(wanted.rate * wanted.seconds)
    if not total:
        raise UsageError("With this rate no request comes in that time: say a higher --rate or a longer --for.")
    tally = Tally(planned=total)
    stream = requests(watched.split, changes, seed=wanted.seed, run=int(begin), rows=wanted.rows, count=total)
    console.step(
        f"{count(total, 'request')} to {watched.served.endpoint} in {duration(wanted.seconds)}"
        + ("" if wanted.real_time or watched.target.name == "aws" else ", by putting localcloud's clock forward")
    )
    if watched.capture is None:
        console.warn("The endpoint keeps no requests (capture_percent 0), so no monitor will see them.")
    try:
        with Sender(watched.served, tally) as sender:
            _send(strokes(stream, wanted.rate, pace, wanted.seconds, stop), sender, pace, truth, console)
        if truth:
            _last_labels(truth, watched.percent * tally.answered // 100, pace, stop)
    finally:
        _say(watched, tally, pace.now() - begin, console)
    _said(truth, console)
    return {
        "workload": watched.workload,
        "endpoint": watched.served.endpoint,
        "begin": _iso(begin),
        "end": _iso(pace.now()),
        "seed": wanted.seed,
        **tally.document(),
        "capture": watched.capture,
        "truth": truth.delivered.document() if truth else None,
        "stopped": _signal(stop),
    }


def run_truth(
    watched: Watched, known: Knowledge, since: float, seconds: float | None, console: Console, stop: Stop
) -> dict[str, Any]:
    """Deliver the labels of requests from ``since`` seconds ago on; with ``seconds`` go on so long as they come.

    Raises UsageError for a model without labels, OperationError when the endpoint keeps no requests.
    """
    pace = pace_of(watched.target, stop, console, real_time=True)
    begin = pace.now()
    truth = known.truth(watched, begin - since)
    truth.deliver(begin)
    while seconds and not stop and (now := pace.now()) < begin + seconds:
        stop.wait(_LOOKS * watched.target.pace)
        before = truth.delivered.labelled
        more = truth.deliver(pace.now()).labelled - before
        if more:
            console.step(f"{_clock(now)} {count(more, 'further label')}")
    _said(truth, console)
    if not truth.delivered.seen:
        console.say(f"{watched.served.endpoint} has kept no request in the last {duration(since)}.")
    return {
        "workload": watched.workload,
        "endpoint": watched.served.endpoint,
        "place": watched.truth,
        "seed": known.seed,
        **truth.delivered.document(),
        "stopped": _signal(stop),
    }


def _send(
    parts: Iterator[tuple[float, list[Any]]], sender: Sender, pace: Pace, truth: Truth | None, console: Console
) -> None:
    """Send part by part, and deliver labels in rounds."""
    told = _Told(console, sender.tally)
    round_ends = math.inf
    for now, part in parts:
        if truth and now >= round_ends:
            truth.deliver(now)
        round_ends = (now // pace.rounds + 1) * pace.rounds
        for request in part:
            sender.put(request)
        if pace.whole:
            sender.drain()
            if truth and now + pace.stroke >= round_ends:
                truth.deliver(round_ends)  # before time reaches the hour, and the monitors begin
        told.tell(now)


def _last_labels(truth: Truth, kept: int, pace: Pace, stop: Stop) -> None:
    """Deliver what is known at the end. Where time was moved, what was asked last is in S3 a moment later."""
    for _ in range(_LAST_LOOKS if pace.whole else 1):
        if truth.deliver(pace.now()).seen >= kept or stop.wait(_LAST_LOOK):
            return


class _Told:
    """Tells the progress a few times, however long it takes."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console = console
        self._tally = tally
        self._next = 0.0

    def tell(self, now: float) -> None:
        tally = self._tally
        if tally.sent < self._next:
            return
        self._next += tally.planned / _TELLS
        refused = f", {tally.refused:,} refused" if tally.refused else ""
        self._console.step(f"{_clock(now)} {tally.sent:,} of {tally.planned:,} sent{refused}")


def _say(watched: Watched, tally: Tally, seconds: float, console: Console) -> None:
    broken = f", {count(tally.broken_rows, 'row')} broken on purpose" if tally.broken_rows else ""
    missed = f" of {tally.planned:,}" if tally.sent < tally.planned else ""
    console.say(
        f"{watched.workload}: {tally.sent:,}{missed} requests in {duration(round(seconds))} "
        f"({tally.rows:,} rows{broken}): {tally.answered:,} answered, {tally.refused:,} refused"
    )
    if tally.refused_whole:
        console.warn(
            f"{count(tally.refused_whole, 'refused request')} had no broken row. The model: {tally.last_refusal}"
        )
    if watched.capture and tally.sent:
        console.say(f"  {watched.percent} % of them are kept in {watched.capture}/")


def _said(truth: Truth | None, console: Console) -> None:
    """Say what became of the labels."""
    if truth is None:
        return
    found: Delivered = truth.delivered
    console.say(f"  labels: {found.labelled:,} of {found.seen:,} captured requests, in {truth.place}/")
    if found.not_yet:
        console.say(f"  {found.not_yet:,} are not known yet; run `sandcastle truth` with the same options later")
    for reason, number in found.without.items():
        console.say(f"  {number:,} {reason.value}")
    if found.damaged:
        console.say(f"  {count(found.damaged, 'damaged line')} left out")


def _signal(stop: Stop) -> str | None:
    return signal.Signals(stop.signal).name if stop.signal else None


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
