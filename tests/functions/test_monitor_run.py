"""The function behind a portable monitor: its window, what it reads, its job's name, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import monitor_run
import pytest
from hypothesis import given
from hypothesis import strategies as st

DUE = datetime(2026, 3, 1, 15, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "at": "2026-03-01T15:10:00Z",
    "schedule": "s-data",
    "endpoint": "e",
    "variants": ["main"],
    "hours": 1,
    "late": 0,
    "capture": "s3://reports/capture/bank",
    "truth": "",
    "reports": "s3://reports/bank/monitoring/reports",
    "prefix": "sandcastle-a--bank--m",
    "part": "5f0c2a10",
    "request": {"ProcessingInputs": [{"InputName": "code"}], "Environment": {"a": "b"}},
}


def test_a_run_reads_the_hour_before_it_and_writes_into_the_folder_of_its_own() -> None:
    place = ("s3://reports/capture/bank/e/main/2026/03/01/14/", "/opt/ml/processing/input/endpoint/main/2026/03/01/14")
    request = monitor_run.request_of(EVENT, DUE, [place], [])
    assert [one["InputName"] for one in request["ProcessingInputs"]] == ["code", "captured-1"]
    assert request["ProcessingInputs"][1]["S3Input"]["S3Uri"] == place[0]
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://reports/bank/monitoring/reports/e/s-data/2026/03/01/15"
    told = request["Environment"]
    assert (told["a"], told["start_time"], told["end_time"]) == ("b", "2026-03-01T14:00:00Z", "2026-03-01T15:00:00Z")
    assert request["ProcessingJobName"].startswith("sandcastle-a--bank--m")
    assert request["ProcessingJobName"].endswith("-5f0c2a10")


def test_another_hour_or_schedule_is_another_job_and_the_same_one_the_same() -> None:
    names = {
        monitor_run.request_of({**EVENT, "schedule": schedule}, due, [], [])["ProcessingJobName"]
        for schedule in ("s-data", "s-quality")
        for due in (DUE, DUE, DUE + timedelta(hours=1))
    }
    assert len(names) == 4


def test_more_folders_than_a_job_may_read_become_one() -> None:
    places = [(f"s3://x/{number}", f"/x/{number}") for number in range(monitor_run.MOST_INPUTS)]
    request = monitor_run.request_of(EVENT, DUE, places, [])
    assert [one["InputName"] for one in request["ProcessingInputs"]] == ["code", "captured-1"]
    assert request["ProcessingInputs"][1]["S3Input"]["S3Uri"] == "s3://reports/capture/bank/e/"


class Services:
    """S3 with these keys, and SageMaker that takes a job once; ``endpoint`` is whether there is one."""

    def __init__(self, *keys: str, endpoint: bool = True) -> None:
        self.keys, self.endpoint, self.started = keys, endpoint, list[dict[str, Any]]()

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, int]:
        found = [key for key in self.keys if f"s3://{Bucket}/{Prefix}" == key[: len(f"s3://{Bucket}/{Prefix}")]]
        return {"KeyCount": min(len(found), MaxKeys)}

    def describe_endpoint(self, EndpointName: str) -> None:
        if not self.endpoint:
            raise refused("ValidationException", f"Could not find endpoint {EndpointName}")

    def create_processing_job(self, **request: Any) -> None:
        if any(one["ProcessingJobName"] == request["ProcessingJobName"] for one in self.started):
            raise refused("ResourceInUse", "there is one")
        self.started.append(request)


def refused(code: str, text: str) -> Exception:
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": text}}, "x")


def call(monkeypatch: pytest.MonkeyPatch, services: Services, **event: Any) -> str:
    monkeypatch.setattr(monitor_run, "client", lambda _: services)
    return monitor_run.handler({**EVENT, **event}, None)


def test_a_second_call_for_the_same_hour_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services("s3://reports/capture/bank/e/main/2026/03/01/14/a.jsonl")
    first = call(monkeypatch, services)
    assert call(monkeypatch, services, at="2026-03-01T15:12:40Z") == first
    assert len(services.started) == 1


def test_an_empty_hour_is_reported_unless_the_endpoint_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    there, gone = Services(), Services(endpoint=False)
    assert call(monkeypatch, there)
    assert len(there.started[0]["ProcessingInputs"]) == 1
    assert call(monkeypatch, gone) == ""
    assert gone.started == []


def test_labels_may_come_until_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = [f"s3://data/bank/ground-truth/2026/03/01/{hour}/x.jsonl" for hour in (12, 13, 14, 15, 16)]
    services = Services("s3://reports/capture/bank/e/main/2026/03/01/13/a.jsonl", *truth)
    call(monkeypatch, services, late=1, truth="s3://data/bank/ground-truth")
    read = [one["S3Input"]["S3Uri"] for one in services.started[0]["ProcessingInputs"][1:]]
    assert read == ["s3://reports/capture/bank/e/main/2026/03/01/13/", *(f"s3://data/bank/ground-truth/2026/03/01/{hour}/" for hour in (13, 14, 15))]  # noqa: E501  # fmt: skip


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.integers(1, 24))
def test_folders_cover_every_hour_of_the_window_and_are_few(start: datetime, hours: int) -> None:
    start = start.replace(minute=0, second=0, microsecond=0)
    found = monitor_run.folders(start, start + timedelta(hours=hours))
    assert len(found) <= 3
    for number in range(hours):
        hour = f"{start + timedelta(hours=number):%Y/%m/%d/%H}"
        assert any(hour == one or hour.startswith(f"{one}/") for one in found)
