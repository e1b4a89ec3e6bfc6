"""``sandcastle traffic`` and ``sandcastle truth``: what they do from beginning to end, and what they say of it."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from operations.console import Console
from operations.errors import UsageError
from operations.traffic.changes import Changes
from operations.traffic.labels import Labeller
from operations.traffic.pace import Pace, pace_of
from operations.traffic.samples import Request, requests
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
    several: Sequence[Watched], wanted: Wanted, known: Knowledge | None, console: Console, stop: Stop
) -> dict[str, Any]:
    """Send the traffic to each endpoint, with ``known`` deliver labels beside it, and say what came of it.

    Raises UsageError when what is wanted does not fit a workload, OperationError when an endpoint cannot be asked;
    what was sent until then is said.
    """
    if known and wanted.rows > 1:
        raise UsageError(f"--truth with --rows {wanted.rows}: Model Monitor takes one label for a request")
    if len(several) > 1 and (wanted.drift or wanted.missing or wanted.new_category):
        raise UsageError("--drift, --missing and --new-category are about columns of one workload: name only that one.")
    changes = [wanted.changes(one) for one in several]
    target = several[0].target
    pace = pace_of(target, stop, console, real_time=wanted.real_time)
    for watched in several:
        watched.outlives(wanted.seconds)
    begin = pace.now()
    total = round(wanted.rate * wanted.seconds)
    if not total:
        raise UsageError("With this rate no request comes in that time: say a higher --rate or a longer --for.")
    streams = [
        _Stream(
            watched,
            requests(watched.split, changed, seed=wanted.seed, run=int(begin), rows=wanted.rows, count=total),
            Tally(planned=total),
            known.truth(watched, begin) if known else None,
        )
        for watched, changed in zip(several, changes, strict=True)
    ]
    for one in streams:
        console.step(
            f"{count(total, 'request')} to {one.watched.served.endpoint} in {duration(wanted.seconds)}"
            + ("" if wanted.real_time or target.name == "aws" else ", by putting localcloud's clock forward")
        )
        if one.watched.capture is None:
            console.warn("The endpoint keeps no requests (capture_percent 0), so no monitor will see them.")
    together = (pair for turn in zip(*(one.requests for one in streams), strict=True) for pair in enumerate(turn))
    try:
        with ExitStack() as senders:
            for one in streams:
                one.sender = senders.enter_context(Sender(one.watched.served, one.tally))
            rate = total * len(streams) / wanted.seconds
            _send(strokes(together, rate, pace, wanted.seconds, stop), streams, pace, console)
        for one in streams:
            if one.truth:
                _last_labels(one.truth, one.watched.percent * one.tally.answered // 100, pace, stop)
    finally:
        for one in streams:
            _say(one.watched, one.tally, pace.now() - begin, console)
    for one in streams:
        _said(one.truth, console)
    said = [one.document(begin, pace.now(), wanted.seed, _signal(stop)) for one in streams]
    return said[0] if len(said) == 1 else {"workloads": said, "stopped": _signal(stop)}


@dataclass
class _Stream:
    """What is sent to one endpoint, and what comes of it."""

    watched: Watched
    requests: Iterator[Request]
    tally: Tally
    truth: Truth | None
    sender: Sender = field(init=False)

    def document(self, begin: float, end: float, seed: int, stopped: str | None) -> dict[str, Any]:
        """Return it for a machine."""
        return {
            "workload": self.watched.workload,
            "endpoint": self.watched.served.endpoint,
            "begin": _iso(begin),
            "end": _iso(end),
            "seed": seed,
            **self.tally.document(),
            "capture": self.watched.capture,
            "truth": self.truth.delivered.document() if self.truth else None,
            "stopped": stopped,
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
    parts: Iterator[tuple[float, list[tuple[int, Request]]]], streams: Sequence[_Stream], pace: Pace, console: Console
) -> None:
    """Send part by part, each request to the stream of its number, and deliver labels in rounds."""
    told = _Told(console, [one.tally for one in streams])
    round_ends = math.inf
    for now, part in parts:
        if now >= round_ends:
            _deliver(streams, now)
        round_ends = (now // pace.rounds + 1) * pace.rounds
        for number, request in part:
            streams[number].sender.put(request)
        if pace.whole:
            for one in streams:
                one.sender.drain()
            if now + pace.stroke >= round_ends:
                _deliver(streams, round_ends)  # before time reaches the hour, and the monitors begin
        told.tell(now)


def _deliver(streams: Sequence[_Stream], until: float) -> None:
    for one in streams:
        if one.truth:
            one.truth.deliver(until)


def _last_labels(truth: Truth, kept: int, pace: Pace, stop: Stop) -> None:
    """Deliver what is known at the end. Where time was moved, what was asked last is in S3 a moment later."""
    for _ in range(_LAST_LOOKS if pace.whole else 1):
        if truth.deliver(pace.now()).seen >= kept or stop.wait(_LAST_LOOK):
            return


class _Told:
    """Tells the progress a few times, however long it takes."""

    def __init__(self, console: Console, tallies: Sequence[Tally]) -> None:
        self._console = console
        self._tallies = tallies
        self._planned = sum(one.planned for one in tallies)
        self._next = 0.0

    def tell(self, now: float) -> None:
        sent, refused = (sum(getattr(one, name) for one in self._tallies) for name in ("sent", "refused"))
        if sent < self._next:
            return
        self._next += self._planned / _TELLS
        words = f", {refused:,} refused" if refused else ""
        self._console.step(f"{_clock(now)} {sent:,} of {self._planned:,} sent{words}")


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
