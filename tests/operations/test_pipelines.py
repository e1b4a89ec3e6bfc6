"""``sandcastle pipeline ...``: real executions of hand-made pipelines in a localcloud, seen by the commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operations.console import Console
from operations.errors import OperationError, UsageError
from operations.evaluate import evaluate_workload
from operations.pipeline import approval
from operations.pipeline.graph import graph
from operations.pipeline.listing import listing
from operations.pipeline.place import Place
from operations.pipeline.run import retry, run, start, start_from
from operations.pipeline.versions import version_of, versions
from operations.predict import predict_sample
from operations.run_tutorial import run_tutorial
from operations.status import status
from operations.target import Target
from operations.traffic.run import Knowledge, Wanted, run_traffic
from operations.traffic.stopping import Stop
from operations.traffic.watched import Watched
from operations.train import train
from operations.transform import transform
from tests.localcloud.conftest import Localcloud
from tests.operations.piped import ENVIRONMENT, WORKLOAD, Piped, piped

pytestmark = pytest.mark.localcloud


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield


@pytest.fixture(scope="module")
def world(server: Localcloud, credentials: None) -> Piped:
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.endpoint}
    return piped(server, Target("local", "000000000000", "us-east-1", settings))


@pytest.fixture
def console() -> Console:
    return Console(as_json=True)


def ran(place: Place, **changes: str) -> dict[str, Any]:
    """Run the training pipeline to its end."""
    quiet = Console(as_json=True)
    return run(place, start(place, changes, quiet), True, quiet)


@pytest.fixture(scope="module")
def registered(world: Piped) -> dict[str, Any]:
    """What the first execution said: version 1 waits."""
    return ran(world.place, Accuracy="0.62")


def test_before_anything_has_run_one_is_told_what_to_do(world: Piped, console: Console, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has never run .*sandcastle pipeline run bank --environment piped"):
        world.place.execution(None, world.place.training)
    with pytest.raises(OperationError, match=r"no endpoint yet.*sandcastle pipeline run bank"):
        predict_sample(world.target, ENVIRONMENT, WORKLOAD, 1, console)
    with pytest.raises(OperationError, match=r"has a pipeline .*which trains"):
        train(world.target, ENVIRONMENT, WORKLOAD, {}, None, tmp_path, console)
    with pytest.raises(OperationError, match=r"prepared no data yet .*sandcastle pipeline run bank"):
        run_tutorial(world.target, ENVIRONMENT, WORKLOAD, None, tmp_path, console)
    said = listing(world.place, 10, console)
    assert (said["executions"], said["versions"], said["endpoint"]) == ([], [], None)
    assert graph(world.place, world.place.training, None, True, tmp_path, console)["execution"] is None


def test_an_execution_is_watched_to_its_end(registered: dict[str, Any]) -> None:
    states = {one["name"]: one["state"] for one in registered["steps"]}
    assert registered["status"] == "Succeeded", [one["reason"] for one in registered["steps"]]
    assert states == {
        "Prepare": "succeeded", "Train": "succeeded", "Judge": "succeeded", "GoodEnough": "succeeded",
        "RegisterPending": "succeeded", "TooWeak": "not taken",
    }  # fmt: skip
    assert all(one["seconds"] > 0 for one in registered["steps"] if one["type"] == "Training")
    assert (registered["version"], registered["approval"]) == (1, "PendingManualApproval")
    assert registered["accuracy"] == "0.62"


def test_a_weak_model_fails_with_its_accuracy_and_a_retry_is_not_offered(
    world: Piped, registered: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    place, loud = world.place, Console()
    found = run(place, start(place, {"Accuracy": "0.4"}, loud), True, loud)
    said = capsys.readouterr()
    assert found["status"] == "Failed"
    assert "TooWeak failed: Plain is too weak: 0.4" in said.out
    assert "--retry" not in said.out
    assert "Judge: running" in said.err  # not a terminal: line by line
    assert "GoodEnough: succeeded" in said.err


def test_parameters_are_checked_before_anything_starts(world: Piped, console: Console) -> None:
    with pytest.raises(UsageError, match=r"--set Acuracy: no such parameter. Did you mean Accuracy\?.*Review \(0\.5\)"):
        start(world.place, {"Acuracy": "1"}, console)
    with pytest.raises(UsageError, match="--set Review=high: expected a number"):
        start(world.place, {"Review": "high"}, console)


def test_everything_is_listed(world: Piped, registered: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    said = listing(world.place, 10, Console())
    assert said["versions"][-1]["accuracy"] == "0.62"
    assert registered["execution"] in [one["arn"] for one in said["executions"]]
    out = capsys.readouterr().out
    assert "waits for approval" in out
    assert "sandcastle pipeline approve bank 1 --environment piped" in out


def test_before_an_approval_there_is_nobody_to_ask(world: Piped, registered: dict[str, Any], console: Console) -> None:
    with pytest.raises(OperationError, match=r"no endpoint yet\. Version 1 waits for approval: .* approve bank 1 "):
        predict_sample(world.target, ENVIRONMENT, WORKLOAD, 1, console)


def test_approving_shows_the_accuracy_asks_and_watches_the_deployment(
    world: Piped, registered: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    place, sagemaker = world.place, world.target.client("sagemaker")
    with pytest.raises(UsageError, match="Not confirmed"):
        approval.approve(place, 1, "", False, True, Console())
    assert "version 1: accuracy 0.62, candidate Plain; waits for approval." in capsys.readouterr().out
    with pytest.raises(UsageError, match=r"has no version 7 .*There are: .*\b1\."):
        approval.approve(place, 7, "", True, True, Console())

    found = approval.approve(place, 1, "good enough for me", True, True, Console())
    assert (found["status"], found["approval"], found["version"]) == ("Succeeded", "Approved", 1)
    assert found["pipeline"] == place.deployment
    package = sagemaker.describe_model_package(ModelPackageName=version_of(place, 1).arn)
    assert package["ApprovalDescription"] == "good enough for me"


@pytest.fixture(scope="module")
def served(world: Piped, registered: dict[str, Any]) -> Piped:
    """Version 1 behind the endpoint."""
    world.serve(1)
    return world


def test_what_a_pipeline_has_deployed_is_asked_judged_and_run_like_any_other(
    served: Piped, console: Console, tmp_path: Path
) -> None:
    said = predict_sample(served.target, ENVIRONMENT, WORKLOAD, 1, console)
    assert (said["endpoint"], said["truth"]) == (served.place.endpoint, "Purchase")
    assert said["meaning"].startswith("Purchase")
    judged = evaluate_workload(served.target, ENVIRONMENT, WORKLOAD, tmp_path, console, baseline=False)
    assert judged["confusion"]["true_positive"] == 2
    batch = transform(served.target, ENVIRONMENT, WORKLOAD, None, tmp_path, console)
    assert batch["lines"] == 4


def test_traffic_goes_to_what_a_pipeline_has_deployed(served: Piped, console: Console) -> None:
    watched = Watched.find(served.target, ENVIRONMENT, WORKLOAD)
    said = run_traffic([watched], Wanted(rate=20, seconds=0.5, real_time=True), None, console, Stop())
    assert (said["endpoint"], said["answered"], said["capture"]) == (served.place.endpoint, 10, None)
    with pytest.raises(OperationError, match="keeps no requests"):
        Knowledge().truth(watched, 0)
    kept = replace(watched, capture="s3://reports/capture/bank/e", percent=100)
    assert kept.truth == "s3://reports/monitoring/bank/ground-truth"


def test_the_status_says_what_ran_last_and_which_version_serves(
    served: Piped, capsys: pytest.CaptureFixture[str]
) -> None:
    found = status(served.target, ENVIRONMENT, Console())
    (stack,) = found["stacks"]
    assert stack["endpoint_status"] == "InService"
    assert stack["pipeline"]["serves"] == 1
    assert f"{served.place.endpoint} InService" in capsys.readouterr().out.replace("\n", "")


def test_a_version_that_serves_is_not_deployed_again_and_a_rejected_one_goes_on(
    served: Piped, capsys: pytest.CaptureFixture[str]
) -> None:
    served.target.client("sagemaker").update_model_package(
        ModelPackageArn=version_of(served.place, 1).arn, ModelApprovalStatus="Approved"
    )
    with pytest.raises(UsageError, match="approved and serves already"):
        approval.approve(served.place, 1, "", True, True, Console())
    found = approval.reject(served.place, 1, "drifts", Console())
    assert (found["approval"], found["serves"]) == ("Rejected", True)
    assert "goes on with it" in capsys.readouterr().err
    assert listing(served.place, 10, Console(as_json=True))["versions"][-1]["approval"] == "Rejected"


def test_an_earlier_version_is_deployed_by_approving_it_again(served: Piped, console: Console) -> None:
    place = served.place
    ran(place, Accuracy="0.8")
    second = versions(place)[0]
    served.target.client("sagemaker").update_model_package(ModelPackageArn=second.arn, ModelApprovalStatus="Approved")
    found = approval.approve(place, second.number, "", True, True, console)
    assert (found["pipeline"], found["status"]) == (place.deployment, "Succeeded")


def test_the_last_executions_colours_are_drawn(world: Piped, registered: dict[str, Any], tmp_path: Path) -> None:
    one = registered["execution"].rpartition("/")[2]
    found = graph(world.place, world.place.training, one, True, tmp_path, Console(as_json=True))
    assert Path(found["picture"]).name == "bank-training.svg"
    text = Path(found["picture"]).read_text(encoding="utf-8")
    assert f"execution {one}: Succeeded" in text
    assert "RegisterModel · version 1" in text or "version 1" in text
    with pytest.raises(UsageError, match="has no execution nothing"):
        graph(world.place, world.place.training, "nothing", True, tmp_path, Console(as_json=True))


def test_a_workload_without_a_pipeline_or_unknown_is_said(world: Piped) -> None:
    with pytest.raises(OperationError, match=r"digits is not deployed in environment piped\. Deployed: bank"):
        Place.find(world.target, ENVIRONMENT, "digits")


def test_a_retry_goes_on_from_where_it_failed_and_makes_nothing_twice(
    world: Piped, registered: dict[str, Any], console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    place, loud = world.place, Console()
    world.mood("bad")
    try:
        failed = run(place, start(place, {}, loud), True, loud)
    finally:
        world.mood("good")
    said = capsys.readouterr().out
    assert failed["status"] == "Failed"
    again = f"sandcastle pipeline run bank --retry --execution {failed['execution'].rpartition('/')[2]}"
    assert again in said
    assert "its log: sandcastle logs " in said
    found = run(place, retry(place, None, console), True, console)
    assert (found["status"], found["execution"]) == ("Succeeded", failed["execution"])
    before, after = (
        {one["name"]: one["made"] for one in each["steps"] if one["state"] == "succeeded"} for each in (failed, found)
    )
    assert before["Prepare"] == after["Prepare"]
    with pytest.raises(UsageError, match=r"has not failed.*sandcastle pipeline run bank"):
        retry(place, None, console)
    with pytest.raises(UsageError, match="is Succeeded; only one that failed"):
        retry(place, found["execution"].rpartition("/")[2], console)


def test_from_a_step_on_what_went_before_is_taken_over(
    world: Piped, registered: dict[str, Any], console: Console
) -> None:
    place, one = world.place, registered["execution"].rpartition("/")[2]
    found = run(place, start_from(place, "Judge", one, {"Review": "0.6"}, console), True, console)
    states = {one["name"]: one["state"] for one in found["steps"]}
    assert (states["Prepare"], states["Train"], states["Judge"]) == ("reused", "reused", "succeeded")
    assert found["accuracy"] == "0.62"  # the parameter of the execution before
    with pytest.raises(UsageError, match=r"--from-step Jugde: no such step\. Did you mean Judge\?"):
        start_from(place, "Jugde", None, {}, console)
