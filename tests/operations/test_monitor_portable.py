"""Portable monitors as ``sandcastle monitor`` sees them: schedules of Scheduler, jobs as runs, one by hand.

What becomes of them when they really run is in ``tests/lifecycle/test_monitored_day``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.errors import OperationError
from operations.monitor.call import Call
from operations.monitor.monitors import Monitor, Watched
from operations.monitor.runs import runs
from operations.monitor.windows import candidates, first_with_data
from operations.target import Target
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker import live
from tests.synthesis import ROOT

sys.path.insert(0, str(ROOT / "assets" / "functions"))  # a run by hand is compared with what the function starts
import monitor_run

ENDPOINT = "sandcastle-portable--bank--5f0c2a10"
PREFIX = "sandcastle-portable--bank--m"
NOW = datetime(2026, 3, 1, 15, 20, tzinfo=UTC)


def call(schedule: str, *, hours: int = 1, model: bool = False, **other: Any) -> dict[str, Any]:
    """What a schedule's input is, as ``constructs/sandcastle/portable_schedules.py`` writes it."""
    told = {"sagemaker_monitoring_schedule_name": schedule, "publish_cloudwatch_metrics": "Enabled"}
    told |= {"SANDCASTLE_PUBLISH": "1", "dataset_format": "{}"}
    return {
        "at": "2026-03-01T15:10:00Z",
        "schedule": schedule,
        "endpoint": ENDPOINT,
        "variants": ["main", "next"],
        "hours": hours,
        "late": 1 if model else 0,
        "capture": "s3://reports/capture/bank",
        "truth": "s3://data/bank/ground-truth" if model else "",
        "reports": "s3://reports/bank/monitoring/reports",
        "prefix": PREFIX,
        "part": "5f0c2a10",
        "request": {
            "ProcessingInputs": [{"InputName": "code"}],
            "Environment": {**told, **({"analysis_type": "MODEL_QUALITY"} if model else {})},
        },
        **other,
    }


@pytest.mark.parametrize(("hours", "model"), [(1, False), (1, True), (6, False), (24, True)])
def test_a_run_by_hand_is_what_the_function_would_start(hours: int, model: bool) -> None:
    """The same code, data and labels, for the same window; but for name and report, and it measures nothing."""
    event = call(f"{ENDPOINT}-x", hours=hours, model=model)
    due = NOW.replace(minute=0)
    captured = [
        (f"{event['capture']}/{ENDPOINT}/{variant}/{folder}/", f"/opt/ml/processing/input/endpoint/{variant}/{folder}")
        for variant in event["variants"]
        for folder in monitor_run.folders(*monitor_run.window(event, due))
    ]
    told = monitor_run.folders(monitor_run.window(event, due)[0], due + timedelta(hours=1)) if model else []
    labels = [(f"{event['truth']}/{folder}/", f"/opt/ml/processing/groundtruth/{folder}") for folder in told]
    theirs = monitor_run.request_of(event, due, captured, labels)

    by_hand = Call(Monitor("s", "ModelQuality" if model else "DataQuality", ENDPOINT, "", "Scheduled", call=event))
    windows = candidates(NOW, by_hand.offsets)
    window = first_with_data(windows, by_hand.variants, lambda *_: True)
    assert window is not None
    hours_of_labels = [window.begin + timedelta(hours=n) for n in range(hours + event["late"] + 1)] if model else []
    (mine,) = by_hand.requests(lambda: "mon-1", window, hours_of_labels)

    def read(request: dict[str, Any]) -> set[tuple[str, str]]:
        return {(one["S3Input"]["S3Uri"], one["S3Input"]["LocalPath"]) for one in request["ProcessingInputs"][1:]}

    assert read(mine) == read(theirs)
    assert len(mine["ProcessingInputs"]) <= monitor_run.MOST_INPUTS
    assert mine["ProcessingInputs"][0] == theirs["ProcessingInputs"][0]
    changed = {name for name, value in theirs["Environment"].items() if mine["Environment"].get(name) != value}
    assert changed == {"publish_cloudwatch_metrics", "SANDCASTLE_PUBLISH", "metric_time"}
    (output,) = mine["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"{event['reports']}/{ENDPOINT}/{ENDPOINT}-x/by-hand/mon-1"


@pytest.fixture(scope="module")
def watched(server: Localcloud) -> Iterator[Watched]:
    with pytest.MonkeyPatch.context() as patch:
        settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.endpoint}
        for name, value in settings.items():
            patch.setenv(name, value)
        target = Target("local", "000000000000", "us-east-1", settings)
        yield Watched(target, "portable", "bank", ENDPOINT, {})


def schedule(server: Localcloud, name: str, given: Any) -> None:
    function = f"arn:aws:lambda:us-east-1:{live.ACCOUNT}:function:none"
    role = f"arn:aws:iam::{live.ACCOUNT}:role/portable-calls"
    server.client("scheduler").create_schedule(
        Name=name, GroupName="portable", ScheduleExpression="cron(10 * ? * * *)", FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED", Target={"Arn": function, "RoleArn": role, "Input": given},
    )  # fmt: skip


@pytest.mark.localcloud
def test_schedules_are_monitors_and_their_jobs_are_runs(server: Localcloud, watched: Watched) -> None:
    with pytest.raises(OperationError, match="Nothing monitors bank in environment portable"):
        watched.monitors()
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    server.client("iam").create_role(RoleName="portable-calls", AssumeRolePolicyDocument=document)
    server.client("scheduler").create_schedule_group(Name="portable")
    data, quality = f"{ENDPOINT}-data", f"{ENDPOINT}-quality"
    schedule(server, quality, json.dumps(call(quality, model=True)))
    schedule(server, data, json.dumps(call(data)))
    other = f"{ENDPOINT}-async-data"
    schedule(server, other, json.dumps(call(other, endpoint=f"{ENDPOINT}-async")))
    schedule(server, f"{ENDPOINT}-of-somebody", "nothing of ours")
    of_data, of_model = watched.monitors()
    assert [(one.schedule, one.word, one.engine, one.status, one.rhythm) for one in (of_data, of_model)] == [
        (data, "data-quality", "portable", "Stopped", "cron(10 * ? * * *)"),
        (quality, "model-quality", "portable", "Stopped", "cron(10 * ? * * *)"),
    ]  # fmt: skip

    workshop = live.Workshop.open(server, "portable-monitors")
    sagemaker = server.client("sagemaker")
    script = "open('/opt/ml/output/message', 'w').write('CompletedWithViolations: 2 violations.')"
    due = datetime(2026, 3, 1, 15, tzinfo=UTC)
    started = {}
    for name, moment, by_hand in ((data, due, False), (quality, due, False), (data, None, True)):
        request = workshop.processing(script)
        folder = f"s3://{workshop.bucket}/{ENDPOINT}/{name}/" + (f"{moment:%Y/%m/%d/%H}" if moment else "by-hand/x")
        (output,) = request["ProcessingOutputConfig"]["Outputs"]
        output["S3Output"]["S3Uri"] = folder
        job = f"sandcastle-portable--bank--mon-{1:07}" if by_hand else f"{PREFIX}{len(started):07x}-5f0c2a10"
        told = {"sagemaker_monitoring_schedule_name": name, "dataset_format": "{}"}
        sagemaker.create_processing_job(
            **{**request, "Environment": {**request.get("Environment", {}), **told}}, ProcessingJobName=job
        )
        started[job] = (name, moment)
    for job in started:
        live.wait_for(
            lambda job=job: sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"],
            lambda status: status != "InProgress",
        )
    newest, scheduled = runs(watched, of_data, 10)
    assert (scheduled.moment, scheduled.by_hand, scheduled.status) == (due, False, "CompletedWithViolations")
    assert (newest.by_hand, newest.job) == (True, "sandcastle-portable--bank--mon-0000001")
    assert [one.moment for one in runs(watched, of_model, 10)] == [due]
