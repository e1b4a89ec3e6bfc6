"""``sandcastle traffic`` and ``sandcastle truth``: a real endpoint in a localcloud whose clock is put forward."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.target import Target
from operations.traffic.run import Knowledge, Wanted, run_traffic, run_truth
from operations.traffic.stopping import Stop, stoppable
from operations.traffic.watched import Watched
from tests.localcloud.conftest import started
from tests.operations.deployed import ENVIRONMENT, WORKLOAD, Deployed, deployed

pytestmark = pytest.mark.localcloud

HOUR = 3600.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A localcloud of its own: its time goes on by hours."""
    with pytest.MonkeyPatch.context() as patch, started(tmp_path_factory.mktemp("localcloud")) as server:
        settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.endpoint}
        for key, value in settings.items():
            patch.setenv(key, value)
        yield deployed(server, Target("local", "000000000000", "us-east-1", settings), capture=True)


@pytest.fixture
def watched(world: Deployed) -> Watched:
    return Watched.find(world.target, ENVIRONMENT, WORKLOAD)


@pytest.fixture
def console() -> Console:
    return Console(as_json=True)


def files(world: Deployed, folder: str) -> dict[str, list[dict[str, Any]]]:
    """The lines of all files below a folder of the bucket."""
    s3 = world.target.client("s3")
    found = s3.list_objects_v2(Bucket=world.bucket, Prefix=folder).get("Contents", [])
    bodies = {one["Key"]: s3.get_object(Bucket=world.bucket, Key=one["Key"])["Body"].read() for one in found}
    return {key: [json.loads(line) for line in body.splitlines()] for key, body in bodies.items()}


def all_lines(found: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [line for lines in found.values() for line in lines]


@pytest.fixture(scope="module")
def sent(world: Deployed) -> dict[str, Any]:
    """Three hours of drifting traffic with broken rows, with its labels an hour later."""
    wanted = Wanted(rate=40 / HOUR, seconds=3 * HOUR, seed=5, drift=("a=+50%",), broken=0.1)
    watched, known = Watched.find(world.target, ENVIRONMENT, WORKLOAD), Knowledge(delay=HOUR)
    return run_traffic([watched], wanted, known, Console(as_json=True), Stop())


def test_hours_are_sent_in_seconds_and_counts_add_up(world: Deployed, sent: dict[str, Any]) -> None:
    assert sent["planned"] == sent["sent"] == sent["answered"] + sent["refused"] == 120
    assert 0 < sent["refused"] <= sent["broken_rows"] < 30
    assert sent["refused_whole"] == 0
    captured = all_lines(files(world, "capture/"))
    assert len(captured) == sent["answered"] == sent["truth"]["seen"]
    hours = {key.rsplit("/", 1)[0] for key in files(world, "capture/")}
    assert len(hours) >= 3, "one folder for each hour of the clock"


def test_the_endpoint_sees_the_drift_and_an_id_that_leads_to_the_row(world: Deployed, sent: dict[str, Any]) -> None:
    captured = all_lines(files(world, "capture/"))
    rows = [line["captureData"]["endpointInput"]["data"].split(",") for line in captured]
    whole = [[float(cell) for cell in row] for row in rows if len(row) == 2 and "#REF!" not in row]
    # the test split has as many rows with 9 as with 1
    assert fmean(a for a, _ in whole) == pytest.approx(7.5, abs=1)
    assert fmean(b for _, b in whole) == pytest.approx(5, abs=1)
    assert all(line["eventMetadata"]["inferenceId"].startswith("sandcastle-") for line in captured)


def test_labels_come_when_they_are_known_in_the_services_form(world: Deployed, sent: dict[str, Any]) -> None:
    truth = sent["truth"]
    assert truth["labelled"] + truth["not_yet"] == truth["seen"]
    assert truth["not_yet"] == pytest.approx(40, abs=12), "the last hour's are not known yet"
    found = files(world, f"{WORKLOAD}/ground-truth/")
    asked = {line["eventMetadata"]["inferenceId"]: line for line in all_lines(files(world, "capture/"))}
    for key, lines in found.items():
        hour = "T".join(("-".join(key.split("/")[2:5]), key.split("/")[5]))
        for line in lines:
            assert line["eventVersion"] == "0"
            request = asked[line["eventMetadata"]["eventId"]]
            assert request["eventMetadata"]["inferenceTime"] < f"{hour}:00:00Z"
            cells = request["captureData"]["endpointInput"]["data"].split(",")
            if cells in (["14", "1.0"], ["13.5", "1.0"], ["1.5", "9.0"]):
                assert line["groundTruthData"] == {"data": str(int(cells[1] == "1.0")), "encoding": "CSV"}
    assert len(all_lines(found)) == truth["labelled"]


def test_truth_goes_on_later_and_writes_no_label_twice(
    world: Deployed, sent: dict[str, Any], watched: Watched, console: Console
) -> None:
    foreign = world.target.client("sagemaker-runtime")
    foreign.invoke_endpoint(EndpointName=world.endpoint, ContentType="text/csv", Body=b"9,1")
    damaged = next(iter(files(world, "capture/"))).rsplit("/", 1)[0]
    world.target.client("s3").put_object(Bucket=world.bucket, Key=f"{damaged}/half.jsonl", Body=b'{"captureData": {"en')
    run_traffic([watched], Wanted(rate=1 / HOUR, seconds=2 * HOUR), None, console, Stop())  # two hours later
    first = run_truth(watched, Knowledge(delay=HOUR), 12 * HOUR, None, console, Stop())
    labels = all_lines(files(world, f"{WORKLOAD}/ground-truth/"))
    assert first["labelled"] == len(labels) >= sent["answered"]
    assert len({line["eventMetadata"]["eventId"] for line in labels}) == len(labels)
    assert (first["damaged"], first["without"]["foreign"]) == (1, 1)
    assert first["seen"] == first["labelled"] + first["not_yet"] + first["damaged"] + sum(first["without"].values())
    assert run_truth(watched, Knowledge(delay=HOUR), 12 * HOUR, None, console, Stop()) == first
    assert len(all_lines(files(world, f"{WORKLOAD}/ground-truth/"))) == len(labels)


def test_a_signal_ends_it_after_what_is_under_way(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    class Impatient(Console):
        def step(self, text: str) -> None:
            if " sent" in text:
                os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with stoppable() as stop:
        said = run_traffic([watched], Wanted(rate=60 / HOUR, seconds=24 * HOUR), None, Impatient(), stop)
        assert stop.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert said["stopped"] == "SIGTERM"
    assert 0 < said["sent"] == said["answered"] < said["planned"] == 1440
    assert f"{said['sent']:,} of 1,440 requests" in capsys.readouterr().out


class Waited(Stop):
    """A clock that goes on by what is waited for, and by nothing else: a busy machine loses no time."""

    def __init__(self, begin: datetime) -> None:
        super().__init__()
        self.begin, self.seconds = begin, 0.0

    def wait(self, seconds: float) -> bool:
        self.seconds += max(0.0, seconds)
        return bool(self)

    def now(self) -> datetime:
        return self.begin + timedelta(seconds=self.seconds)


def test_real_time_is_waited_for_and_several_endpoints_are_asked_at_the_same_time(
    watched: Watched, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Waited(watched.target.now())
    monkeypatch.setattr(Target, "now", lambda _: clock.now())
    said = run_traffic([watched, watched], Wanted(rate=10, seconds=1, real_time=True), None, console, clock)
    assert [one["sent"] for one in said["workloads"]] == [10, 10]
    assert clock.seconds == pytest.approx(1)
    with pytest.raises(UsageError, match="columns of one workload"):
        run_traffic([watched, watched], Wanted(rate=1, seconds=1, drift=("a=+1sd",)), None, console, Stop())


def test_an_endpoint_that_is_gone_is_named_and_what_was_sent_is_said(
    world: Deployed, watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    world.target.client("sagemaker").delete_endpoint(EndpointName=world.endpoint)
    with pytest.raises(OperationError, match=f"Endpoint {world.endpoint} cannot be asked"):
        run_traffic([watched], Wanted(rate=60 / HOUR, seconds=HOUR), None, Console(), Stop())
    assert "0 of 60 requests" in capsys.readouterr().out


def test_without_capture_there_is_nothing_to_label() -> None:
    class Served:
        endpoint, workload = "bank-1", "bank"

    without = Watched("hand", Served(), None, 0, pipeline=False)  # type: ignore[arg-type]  # two names are enough
    with pytest.raises(OperationError, match=r"endpoint bank-1 keeps no requests.*capture_percent: 100"):
        assert without.truth
