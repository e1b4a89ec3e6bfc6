"""The function behind the portable monitor of transform jobs: whose rows it reads, and what it leaves alone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import batch_monitor_run
import pytest

from tests.functions.test_monitor_run import refused

CAPTURED, MANIFESTS = "s3://data/bank/transform/captured", "s3://reports/bank/monitoring/manifests"
EVENT: dict[str, Any] = {
    "at": "2026-03-01T15:10:00Z",
    "schedule": "s-batch",
    "hours": 1,
    "late": 1,
    "captured": CAPTURED,
    "manifests": MANIFESTS,
    "reports": "s3://reports/bank/monitoring/reports",
    "prefix": "sandcastle-a--bank--m",
    "part": "5f0c2a10",
    "request": {"ProcessingInputs": [{"InputName": "code"}], "Environment": {"a": "b"}},
}
JOB = "data/bank/transform/sandcastle-a--bank-run-1"


class Services:
    """S3 with these objects by address, and SageMaker that takes a job once."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects, self.started = objects, list[dict[str, Any]]()

    def get_paginator(self, _name: str) -> Services:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        found = [one for one in self.objects if one.startswith(f"s3://{Bucket}/{Prefix}")]
        yield {}
        for address in found:
            yield {"Contents": [{"Key": address.removeprefix(f"s3://{Bucket}/")}]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[f"s3://{Bucket}/{Key}"])}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[f"s3://{Bucket}/{Key}"] = Body

    def create_processing_job(self, **request: Any) -> None:
        if any(one["ProcessingJobName"] == request["ProcessingJobName"] for one in self.started):
            raise refused("ResourceInUse", "there is one")
        self.started.append(request)

    def run(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
        monkeypatch.setattr(batch_monitor_run, "client", lambda _name: self)
        return batch_monitor_run.handler({**EVENT, **changes}, None)


def manifest(prefix: str, *names: str) -> bytes:
    return json.dumps([{"prefix": prefix}, *names]).encode()


def test_the_rows_of_all_transform_jobs_of_the_window_are_one_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(
        {
            f"{CAPTURED}/input/2026/03/01/13/a.json": manifest(f"s3://{JOB}/input/", "x.csv", "deep/y.csv"),
            f"{CAPTURED}/input/2026/03/01/13/b.json": manifest("s3://data/", "bank/rows.csv", "bank/rows.csv"),
            f"{CAPTURED}/input/2026/03/01/14/c.json": manifest("s3://data/", "later.csv"),
            f"{CAPTURED}/input/2026/03/01/12/d.json": manifest("s3://data/", "earlier.csv"),
            f"{CAPTURED}/output/2026/03/01/13/a.json": manifest("s3://data/", "answers.out"),
        }
    )
    assert services.run(monkeypatch)
    (request,) = services.started
    code, rows = request["ProcessingInputs"]
    assert code == {"InputName": "code"}
    assert rows["S3Input"]["S3DataType"] == "ManifestFile"
    assert rows["S3Input"]["S3Uri"] == f"{MANIFESTS}/s-batch/2026/03/01/15/1.json"
    key = JOB.removeprefix("data/")
    assert json.loads(services.objects[rows["S3Input"]["S3Uri"]]) == [
        {"prefix": "s3://data/"},
        f"{key}/input/x.csv",
        f"{key}/input/deep/y.csv",
        "bank/rows.csv",
    ]
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == "s3://reports/bank/monitoring/reports/s-batch/2026/03/01/15"
    told = request["Environment"]
    assert (told["a"], told["start_time"], told["end_time"]) == ("b", "2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z")


def test_a_day_looks_into_each_of_its_hours_and_into_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = ["2026/02/28/13", "2026/02/28/14", "2026/03/01/00", "2026/03/01/13", "2026/03/01/14"]
    services = Services({f"{CAPTURED}/input/{hour}/a.json": manifest("s3://data/", hour) for hour in hours})
    services.run(monkeypatch, hours=24)
    _, *listed = json.loads(services.objects[f"{MANIFESTS}/s-batch/2026/03/01/15/1.json"])
    assert listed == hours[1:4]


def test_rows_in_another_bucket_have_a_manifest_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(
        {
            f"{CAPTURED}/input/2026/03/01/13/a.json": manifest("s3://data/", "x"),
            f"{CAPTURED}/input/2026/03/01/13/b.json": manifest("s3://else/", "y"),
        }
    )
    services.run(monkeypatch)
    _, *rows = services.started[0]["ProcessingInputs"]
    assert [one["S3Input"]["LocalPath"] for one in rows] == [f"/opt/ml/processing/input/batch/{n}" for n in (1, 2)]
    first, second = (json.loads(services.objects[one["S3Input"]["S3Uri"]])[0]["prefix"] for one in rows)
    assert (first, second) == ("s3://data/", "s3://else/")


@pytest.mark.parametrize("body", [None, b"{}", b"half", b'["x"]', b"[]", b'[{"prefix": 1}, "a"]'])
def test_without_a_transform_job_there_is_nothing_to_look_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: bytes | None
) -> None:
    address = f"{CAPTURED}/input/2026/03/01/13/a.json"
    services = Services({} if body is None else {address: body})
    assert services.run(monkeypatch) == ""
    said = capsys.readouterr().out
    assert "nothing to look at" in said
    assert (f"{address} is no manifest" in said) == (body is not None)
    assert not services.started
    assert set(services.objects) <= {address}


def test_called_twice_for_the_same_hour_it_starts_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services({f"{CAPTURED}/input/2026/03/01/13/a.json": manifest("s3://data/", "x")})
    names = {services.run(monkeypatch), services.run(monkeypatch, at="2026-03-01T15:12:00Z")}
    assert len(names) == len(services.started) == 1
