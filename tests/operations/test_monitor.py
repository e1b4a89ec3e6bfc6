"""``sandcastle monitor ...``: real monitors of an endpoint in a localcloud, their runs by schedule and by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.monitor.monitors import Watched
from operations.monitor.report import report, run
from operations.monitor.show import show
from operations.target import Target
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import Workshop, wait_for
from tests.localcloud.sagemaker.test_sagemaker_monitoring_live import baseline, define, hour
from tests.operations.webpage import Page

pytestmark = pytest.mark.localcloud

ENDPOINT = "monitoring-live"
"""The name that the other tests' monitors have."""


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield


@pytest.fixture(scope="module")
def watched(server: Localcloud, credentials: None) -> Watched:
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.endpoint}
    target = Target("local", "000000000000", "us-east-1", settings)
    nowhere = {"DatasetUri": f"s3://{ENDPOINT}/bank/none"}
    return Watched(target, "hand", "bank", ENDPOINT, nowhere)


@pytest.fixture
def console() -> Console:
    return Console(as_json=True)


def monitors(server: Localcloud, workshop: Workshop) -> None:
    """An endpoint with both monitors: what it is asked is not of the type that its baseline has."""
    sagemaker = server.client("sagemaker")
    workshop.endpoint(server, ENDPOINT)
    known = "score,left,right\n" + "".join(f"0.{n},{1 + n % 9},{9 - n % 9}\n" for n in range(60))
    judged = "probability,label\n" + "0.9,1\n0.1,0\n" * 30
    data = baseline(server, workshop, "data", known)
    quality = baseline(
        server, workshop, "quality", judged, analysis_type="MODEL_QUALITY", problem_type="BinaryClassification",
        probability_attribute="probability", ground_truth_attribute="label",
    )  # fmt: skip
    define(sagemaker, workshop, "DataQuality", data)
    define(
        sagemaker, workshop, "ModelQuality", quality, application={"ProblemType": "BinaryClassification"},
        ProbabilityAttribute="0", ProbabilityThresholdAttribute=0.5,
        GroundTruthS3Input={"S3Uri": f"s3://{workshop.bucket}/truth"},
    )  # fmt: skip


def statistics(server: Localcloud, folder: str) -> Any:
    bucket, _, key = folder.removeprefix("s3://").partition("/")
    return json.load(server.client("s3").get_object(Bucket=bucket, Key=f"{key}/statistics.json")["Body"])


@pytest.mark.exhaustive  # the usual run has the same monitors in tests/localcloud/sagemaker, and the pages beside this
def test_monitors_from_nothing_to_a_page(
    server: Localcloud, watched: Watched, console: Console, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One life: no monitor, no run, no request; then an hour of traffic, its runs, and the same hour by hand."""
    workshop = Workshop.open(server, ENDPOINT)
    with pytest.raises(OperationError, match="Nothing monitors bank in environment hand"):
        watched.monitors()

    monitors(server, workshop)
    said = show(watched, None, 10, Console())
    assert [(one["monitor"], one["status"], one["runs"]) for one in said["monitors"]] == [
        ("data-quality", "Scheduled", []), ("model-quality", "Scheduled", []),
    ]  # fmt: skip
    assert "has not run yet" in capsys.readouterr().out
    with pytest.raises(OperationError, match=r"data-quality has not run yet\. Run it now with: sandcastle monitor run"):
        report(watched, "data-quality", None, tmp_path, console)
    with pytest.raises(OperationError, match=r"since \d\d:00 UTC .* has captured nothing;"):
        run(watched, "data-quality", tmp_path, console)

    fired = datetime.fromtimestamp(hour(server, workshop), UTC)
    scheduled = wait_for(
        lambda: show(watched, None, 1, console)["monitors"],
        lambda found: all(one["runs"] and one["runs"][0]["status"].startswith("Completed") for one in found),
    )
    data, quality = (one["runs"][0] for one in scheduled)
    assert data["moment"] == fired
    assert {one["feature_name"] for one in data["violations"]} >= {"left", "right"}
    assert (data["rows"], quality["rows"], quality["violations"]) == (6, 6, [])

    made = report(watched, None, None, tmp_path, console)
    first, second = (Page(Path(one["page"]).read_text(encoding="utf-8")) for one in made["pages"])
    assert "are not as in training." in first.text
    assert "of its values are not whole numbers" in first.text
    assert "answers are as right as they were" in second.text
    assert report(watched, "data-quality", f"{fired:%Y-%m-%dT%H}", tmp_path, console)["pages"][0]["job"] == data["job"]
    with pytest.raises(UsageError, match=rf"no run at 1999 has judged anything\. There are: {fired:%Y-%m-%dT%H:%M}"):
        report(watched, "data-quality", "1999", tmp_path, console)

    by_hand = run(watched, None, tmp_path, console)["pages"]
    assert [one["by_hand"] for one in by_hand] == [True, True]
    for mine, theirs in zip(by_hand, (data, quality), strict=True):
        assert mine["report"] != theirs["report"]
        assert statistics(server, mine["report"]) == statistics(server, theirs["report"])
        assert mine["violations"] == theirs["violations"]
    runs = show(watched, "model-quality", 10, console)["monitors"][0]["runs"]
    jobs = {one["job"] for one in runs if one["by_hand"] or one["moment"] == fired}  # the next hour may have begun
    assert jobs == {quality["job"], by_hand[1]["job"]}, "a merging job is no run"
    assert "Run by run" in Path(by_hand[0]["page"]).read_text(encoding="utf-8")
