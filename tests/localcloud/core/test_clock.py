"""Virtual time: manual mode for exactness, auto mode for the jumps."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from localcloud.clock import Clock


def test_manual_time_moves_only_by_advance() -> None:
    clock = Clock("manual", start=1000.0)
    clock.advance(5)
    assert clock.now() == 1005.0
    assert clock.modelled_seconds() == 5.0


def test_timers_run_in_due_order_and_see_their_own_time() -> None:
    clock, seen = Clock("manual", start=0.0), []

    def note(due: float) -> None:
        seen.append((due, clock.now()))

    for due in (30.0, 10.0, 20.0):
        clock.call_at(due, partial(note, due), kind="calendar")
    clock.advance(25)
    assert seen == [(10.0, 10.0), (20.0, 20.0)]
    assert clock.now() == 25.0
    assert clock.pending("calendar") == 1


def test_a_timer_may_set_another_one_that_is_due_in_the_same_advance() -> None:
    clock, seen = Clock("manual", start=0.0), []
    clock.call_later(10, lambda: clock.call_later(10, lambda: seen.append(clock.now()), kind="settle"), kind="settle")
    clock.advance(60)
    assert seen == [20.0]


def test_a_cancelled_timer_never_runs() -> None:
    clock, seen = Clock("manual", start=0.0), []
    timer = clock.call_later(10, lambda: seen.append("no"), kind="settle")
    clock.call_later(10, lambda: seen.append("yes"), kind="settle")
    timer.cancel()
    clock.advance(60)
    assert seen == ["yes"]


def test_a_failing_timer_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    clock, seen = Clock("manual", start=0.0), []

    def fail() -> None:
        raise ValueError("broken callback")

    clock.call_later(1, fail, kind="settle")
    clock.call_later(2, lambda: seen.append("after"), kind="settle")
    clock.advance(5)
    assert seen == ["after"]
    assert "broken callback" in caplog.text


def test_every_callback_runs_on_one_thread() -> None:
    clock, threads = Clock("manual", start=0.0), set()
    for due in range(5):
        clock.call_later(due, lambda: threads.add(threading.current_thread().name), kind="settle")
    clock.advance(10)
    assert threads == {"localcloud-clock"}


def test_advance_is_refused_where_it_would_wait_for_itself() -> None:
    clock, errors = Clock("manual", start=0.0), []

    def nested() -> None:
        with pytest.raises(RuntimeError) as caught:
            clock.advance(1)
        errors.append(caught.value)

    clock.call_later(1, nested, kind="settle")
    clock.advance(2)
    assert len(errors) == 1


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        Clock("manual", start=0.0).advance(-1)


def test_clear_forgets_every_timer() -> None:
    clock, seen = Clock("manual", start=0.0), []
    clock.call_later(1, lambda: seen.append("no"), kind="settle")
    clock.clear()
    clock.advance(5)
    assert seen == []


def test_auto_time_jumps_to_what_settles() -> None:
    clock, done = Clock("auto", settle_seconds=0.05), threading.Event()
    began = time.monotonic()
    clock.call_later(20 * 60, done.set, kind="settle")
    assert done.wait(5)
    assert time.monotonic() - began >= 0.05, "nobody could have seen the intermediate state"
    assert clock.modelled_seconds() > 19 * 60


def test_auto_time_does_not_jump_for_the_calendar() -> None:
    clock, due, settled = Clock("auto", settle_seconds=0.01), threading.Event(), threading.Event()
    clock.call_later(3600, due.set, kind="calendar")
    clock.call_later(60, settled.set, kind="settle")
    assert settled.wait(5)
    assert not due.is_set()
    assert clock.modelled_seconds() < 3600


def test_a_jump_over_a_calendar_date_fires_it_first_at_its_own_time() -> None:
    clock, seen, settled = Clock("auto", settle_seconds=0.01), [], threading.Event()
    start = clock.now()
    clock.call_at(start + 100, lambda: seen.append(("calendar", clock.now())), kind="calendar")

    def settle() -> None:
        seen.append(("settle", clock.now()))
        settled.set()

    clock.call_at(start + 200, settle, kind="settle")
    assert settled.wait(5)
    assert [name for name, _ in seen] == ["calendar", "settle"]
    assert seen[0][1] == pytest.approx(start + 100, abs=1)


def test_a_cancelled_settle_timer_does_not_make_time_jump() -> None:
    clock, done = Clock("auto", settle_seconds=0.01), threading.Event()
    clock.call_later(3600, lambda: None, kind="settle").cancel()
    clock.call_later(0.05, done.set, kind="calendar")
    assert done.wait(5)
    assert clock.modelled_seconds() < 1


def test_many_threads_may_set_timers() -> None:
    clock, seen = Clock("manual", start=0.0), []

    def add() -> None:
        for _ in range(100):
            clock.call_later(1, lambda: seen.append(1), kind="settle")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.advance(2)
    assert len(seen) == 800


def test_how_long_a_jump_waits_can_be_changed_while_something_settles() -> None:
    clock, jumped = Clock("auto", settle_seconds=3600), threading.Event()
    clock.call_later(600, jumped.set, kind="settle")
    assert not jumped.wait(0.05)
    clock.settle_after(0)
    assert jumped.wait(10)


def test_time_waits_at_a_bake_whatever_else_settles_later() -> None:
    clock = Clock(settle_seconds=0.0, bake_seconds=3600)
    before, seen = clock.now(), threading.Event()
    clock.call_later(60, lambda: None, kind="bake")  # first: a clock that waits for nothing would be past it
    clock.call_later(3600, seen.set, kind="settle")
    earlier = threading.Event()
    clock.call_later(30, earlier.set, kind="settle")
    assert earlier.wait(10)
    assert not seen.is_set()
    assert clock.now() - before < 60
    clock.bake_for(0.0)
    assert seen.wait(10)
    assert clock.now() - before >= 3600
