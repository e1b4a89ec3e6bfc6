"""The billing meter on a clock that stands still."""

from __future__ import annotations

from localcloud.clock import Clock
from localcloud.meter import Meter

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"


def meter() -> tuple[Clock, Meter]:
    clock = Clock("manual", start=0.0)
    return clock, Meter(clock)


def test_a_running_resource_grows_and_a_stopped_one_does_not() -> None:
    clock, counted = meter()
    counted.start(ARN, "endpoint-instance", "hour", "ml.m5.large hosting", {"a": "b"}, quantity=2)
    clock.advance(60)
    (line,) = counted.snapshot()
    assert line == {
        "arn": ARN,
        "kind": "endpoint-instance",
        "unit": "hour",
        "rate_key": "ml.m5.large hosting",
        "quantity": 2,
        "seconds": 60.0,
        "running": True,
        "tags": {"a": "b"},
    }
    counted.stop(ARN)
    clock.advance(60)
    (line,) = counted.snapshot()
    assert (line["seconds"], line["running"]) == (60.0, False)


def test_starting_again_closes_the_earlier_terms() -> None:
    clock, counted = meter()
    counted.start(ARN, "endpoint-instance", "hour", "ml.m5.large hosting", {})
    clock.advance(10)
    counted.start(ARN, "endpoint-instance", "hour", "ml.m5.xlarge hosting", {})
    clock.advance(5)
    first, second = counted.snapshot()
    assert (first["seconds"], first["running"]) == (10.0, False)
    assert (second["seconds"], second["running"], second["rate_key"]) == (5.0, True, "ml.m5.xlarge hosting")


def test_stopping_what_does_not_run_is_nothing() -> None:
    _, counted = meter()
    counted.stop(ARN)
    assert counted.snapshot() == []


def test_a_one_off_amount_does_not_grow() -> None:
    clock, counted = meter()
    counted.add(ARN, "training-instance", "ml.m5.large training", 1, 93.0, {})
    clock.advance(60)
    (line,) = counted.snapshot()
    assert (line["seconds"], line["running"]) == (93.0, False)
