"""The functions of a pipeline against a real endpoint: models that answer, that answer wrongly, that do not start."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aws
import pipeline_deploy
import pipeline_schedules
import pytest
from pipeline_deploy import DeploymentError

from tests.functions.conftest import Context
from tests.functions.pipeline_live import BROKEN, BUCKET, ENDPOINT, Live
from tests.localcloud.conftest import started
from tests.localcloud.sagemaker.live import wait_for
from tests.workloads.conftest import Prepare, Prepared, runner_python
from tests.workloads.conftest import prepare as prepare  # noqa: PLC0414  # the fixture
from tests.workloads.judging import Judged, judge
from tests.workloads.scripts import train

pytestmark = [pytest.mark.localcloud, pytest.mark.exhaustive]

HANDLERS = {
    "SANDCASTLE_KIND": "multiclass",
    "SANDCASTLE_ANSWER": "json:prediction",
    "SANDCASTLE_CONTENT_TYPE": "text/csv",
    "SANDCASTLE_ACCEPT": "application/json",
    "SANDCASTLE_PROGRAM": "inference.py",
}
HOUR = 3600


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with started(tmp_path_factory.mktemp("localcloud")) as server:
        found = Live(server)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in found.variables.items():
                patch.setenv(name, value)
            patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            aws.client.cache_clear()
            yield found
        aws.client.cache_clear()


@pytest.fixture(scope="module")
def prepared(prepare: Prepare) -> Prepared:
    return prepare("penguins", version="1a2b3c4d5e6f")


@pytest.fixture(scope="module")
def model(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train(runner_python(), "penguins", prepared, folder)
    return folder


@pytest.fixture(scope="module")
def judged(prepared: Prepared, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judge(runner_python(), tmp_path_factory.mktemp("judged"), prepared, model, **HANDLERS)


@pytest.fixture(scope="module")
def baselines(live: Live, prepared: Prepared, judged: Judged) -> dict[str, Any]:
    return live.baselines(prepared, judged)


Make = Any


@pytest.fixture(scope="module")
def make(live: Live, model: Path, judged: Judged, baselines: dict[str, Any]) -> Make:
    """Register a version and test it; ``code`` takes the place of its handlers."""

    def run(code: bytes | None = None) -> dict[str, Any]:
        event = live.register(model, judged, baselines, code)
        event["smoke"] = live.smoke_test(event)
        return event

    return run


@pytest.fixture(scope="module")
def first(live: Live, make: Make) -> dict[str, Any]:
    """The version that is in service before the others come."""
    event: dict[str, Any] = make()
    assert event["smoke"] == "Completed"
    assert pipeline_deploy.deploy(event, Context()) == {"endpoint": ENDPOINT, "version": 1}
    assert pipeline_deploy.confirm(event, Context()) == {"endpoint": ENDPOINT, "version": 1}
    return event


def test_the_endpoint_answers_as_the_evaluation_did(live: Live, first: dict[str, Any], judged: Judged) -> None:
    rows, expected = judged.smoke
    assert live.ask(rows, "smoke") == expected
    assert live.serving == first["model"]


@pytest.mark.usefixtures("first")
def test_a_model_that_answers_otherwise_never_replaces_it(live: Live, make: Make, model: Path, first: Any) -> None:
    handlers = (model / "code" / "inference.py").read_bytes()
    event = make(handlers.replace(b"table.SPECIES[int", b"table.SPECIES[-1 + int"))
    assert event["smoke"] == "Completed"
    with pytest.raises(DeploymentError, match=r"failed its smoke test: row 1 of 20 .* expected .* answers"):
        pipeline_deploy.deploy(event, Context())
    assert live.serving == first["model"]


def test_a_model_that_does_not_start_fails_its_smoke_test_and_even_without_one_replaces_nothing(
    live: Live, make: Make, first: dict[str, Any], judged: Judged
) -> None:
    event = make(BROKEN)
    assert event["smoke"] == "Failed"
    live.put(f"runs/{event['execution']}/smoke-answers/input.csv.out", json.dumps(judged.smoke[1]))
    with pytest.raises(DeploymentError, match=r"did not come into service, .* serves version 1 as before"):
        pipeline_deploy.deploy(event, Context())
    assert live.serving == first["model"]
    assert live.ask(judged.smoke[0], "after") == judged.smoke[1]


@pytest.mark.usefixtures("first")
def test_two_executions_at_once_end_with_one_of_them_and_nobody_fails(live: Live, make: Make) -> None:
    events = [make(), make()]
    results: dict[str, Any] = {}

    def run(event: dict[str, Any]) -> None:
        try:
            pipeline_deploy.deploy(event, Context())
            results[event["model"]] = pipeline_deploy.confirm(event, Context())
        except BaseException as error:
            results[event["model"]] = error

    threads = [threading.Thread(target=run, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    versions = [int(event["package"].rpartition("/")[2]) for event in events]
    assert [results[event["model"]] for event in events] == [
        {"endpoint": ENDPOINT, "version": version} for version in versions
    ]
    assert live.serving in {event["model"] for event in events}


@pytest.mark.usefixtures("first")
def test_the_endpoint_is_watched_and_what_was_asked_is_compared(live: Live, make: Make, prepared: Prepared) -> None:
    event = make()
    pipeline_deploy.deploy(event, Context())
    pipeline_deploy.confirm(event, Context())
    found = pipeline_schedules.handler({"package": event["package"], "endpoint": ENDPOINT}, Context())
    assert found["schedules"] == f"{ENDPOINT}-data {ENDPOINT}-quality"
    assert pipeline_schedules.handler({"package": event["package"], "endpoint": ENDPOINT}, Context()) == found
    rows = prepared.file("test", "test.csv").read_text().splitlines()
    now = live.localcloud.admin("GET", "clock")["now"]
    into = now % HOUR
    live.localcloud.admin("POST", "clock", {"advance_seconds": HOUR - into + 60})
    asked = datetime.fromtimestamp(live.localcloud.admin("GET", "clock")["now"], UTC)
    labels = []
    for number, row in enumerate(rows):
        label, _, features = row.partition(",")
        live.ask([features], f"row-{number}")
        data = {"data": ["Adelie", "Chinstrap", "Gentoo"][int(label)], "encoding": "CSV"}
        labels.append({"groundTruthData": data, "eventMetadata": {"eventId": f"row-{number}"}, "eventVersion": "0"})
    live.put(
        f"monitoring/ground-truth/{asked:%Y/%m/%d/%H}/labels.jsonl", "".join(json.dumps(one) + "\n" for one in labels)
    )
    wait_for(
        lambda: live.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"capture/{ENDPOINT}/main/{asked:%Y/%m/%d/%H}/"),
        lambda found: found.get("KeyCount", 0) > 0,
    )
    for _ in range(3):
        live.localcloud.admin("POST", "clock", {"advance_seconds": HOUR})
    for kind in ("data", "quality"):

        def over(kind: str = kind) -> list[Any]:
            listed = live.sm.list_monitoring_executions(MonitoringScheduleName=f"{ENDPOINT}-{kind}")
            return list(listed["MonitoringExecutionSummaries"])

        runs = wait_for(
            over,
            lambda runs: runs and all(r["MonitoringExecutionStatus"] not in ("Pending", "InProgress") for r in runs),
        )
        # an hour without requests, or without labels, has nothing to compare; the one with both differs in nothing
        assert sorted({run["MonitoringExecutionStatus"] for run in runs}) == ["Completed", "Failed"], runs
