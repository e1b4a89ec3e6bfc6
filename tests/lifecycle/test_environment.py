"""The default environment from nothing to a prediction, through changes, to nothing again: one story in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lifecycle.conftest import ROOT, Cloud
from tests.lifecycle.environments import FAR
from tests.lifecycle.people import Person, output, script_said
from tests.lifecycle.promises import try_all
from tests.lifecycle.tutorials import tutorial_of

pytestmark = pytest.mark.usefixtures("cloud")

ENVIRONMENT = "story"
RESTING = 4
"""What is billed when nobody works: two endpoints, a space's disk, the disk of the notebook instance that sleeps."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """environments/local.yaml under another name, so that the story can change it."""
    path = tmp_path_factory.mktemp("environments") / f"{ENVIRONMENT}.yaml"
    document = yaml.safe_load((ROOT / "environments" / "local.yaml").read_text(encoding="utf-8"))
    night = {"nightly_stop": {"at": FAR, "endpoints": True}, "notebook": {"stop_at": FAR}}
    path.write_text(yaml.safe_dump({**document, **night, "name": ENVIRONMENT}), encoding="utf-8")
    return path


def change(settings: Path, **bank: Any) -> None:
    """Change what the file says of the workload bank."""
    document = yaml.safe_load(settings.read_text(encoding="utf-8"))
    document["workloads"]["bank"] = {**(document["workloads"]["bank"] or {}), **bank}
    settings.write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.fixture(scope="module")
def deployed(cloud: Cloud, settings: Path) -> Any:
    """What the first deploy said."""
    return cloud.sandcastle("deploy", "--environment", str(settings)).document


def test_deploy_ends_with_a_prediction_of_each_workload(deployed: Any, cloud: Cloud) -> None:
    assert set(deployed["predictions"]) == {"mnist-linear", "bank"}
    for answer in deployed["predictions"].values():
        assert answer["reply"]
        assert answer["label"] is not None
    assert set(cloud.stacks().values()) == {"CREATE_COMPLETE"}
    assert len(cloud.stacks()) == 7


def test_is_it_a_zero_is_answered_well_on_held_out_real_digits(
    deployed: Any, cloud: Cloud, settings: Path, tmp_path: Path
) -> None:
    report = cloud.sandcastle(
        "evaluate", "mnist-linear", "--environment", str(settings), "--out", str(tmp_path)
    ).document
    assert report["accuracy"] >= 0.97
    assert report["f1"] >= 0.90
    assert report["rows"] >= 250
    assert (tmp_path / "mnist-linear.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "mnist-linear.json").read_text()) == report


def test_bank_table_is_reproduced_and_says_that_the_data_is_generated(
    deployed: Any, cloud: Cloud, settings: Path, tmp_path: Path
) -> None:
    report = cloud.sandcastle("evaluate", "bank", "--environment", str(settings), "--out", str(tmp_path)).document
    assert report["data"]["generated"] is True
    counts = report["confusion"]
    assert sum(counts.values()) == report["rows"]
    assert report["accuracy"] == pytest.approx((counts["true_negative"] + counts["true_positive"]) / report["rows"])
    assert report["accuracy"] > report["baseline_accuracy"]


def test_invoke_takes_a_file_too(deployed: Any, cloud: Cloud, settings: Path, tmp_path: Path) -> None:
    request = tmp_path / "request.csv"
    request.write_text(",".join(["0"] * 59) + "\n" + ",".join(["1"] * 59) + "\n", encoding="utf-8")
    answer = cloud.sandcastle("invoke", "bank", str(request), "--environment", str(settings)).document
    assert len(answer["reply"].split()) == 2


def test_a_request_of_the_wrong_width_is_refused_with_the_models_reason(
    deployed: Any, cloud: Cloud, settings: Path, tmp_path: Path
) -> None:
    request = tmp_path / "wide.csv"
    request.write_text(",".join(["1"] * 61) + "\n", encoding="utf-8")
    refused = cloud.sandcastle("invoke", "bank", str(request), "--environment", str(settings), expect=1)
    assert "61" in refused.text
    assert "59" in refused.text


def test_capture_and_logs_are_where_aws_puts_them(deployed: Any, cloud: Cloud, settings: Path) -> None:
    cloud.sandcastle("invoke", "mnist-linear", "--sample", "3", "--environment", str(settings))
    reports = cloud.client("cloudformation").describe_stacks(StackName=f"sandcastle-{ENVIRONMENT}-foundation")
    bucket = {o["OutputKey"]: o["OutputValue"] for o in reports["Stacks"][0]["Outputs"]}["ReportsBucket"]
    s3 = cloud.client("s3")

    cloud.advance(61)  # capture is written once a minute

    def captured() -> list[str]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="capture/mnist-linear/").get("Contents", [])
        return [item["Key"] for item in listed]

    key = cloud.until(captured, "a capture file")[0]
    line = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()[0])
    assert line["eventVersion"] == "0"
    assert line["captureData"]["endpointInput"]["encoding"] == "CSV"
    job = cloud.jobs()[0]
    log = cloud.sandcastle("logs", job).document
    assert any("quality_metric" in text or "train-" in text for stream in log["streams"] for text in stream["lines"])


def test_a_second_deploy_trains_nothing_again(deployed: Any, cloud: Cloud, settings: Path) -> None:
    before = (cloud.jobs("training"), cloud.jobs("processing"), cloud.stacks())
    cloud.sandcastle("deploy", "--environment", str(settings))
    assert (cloud.jobs("training"), cloud.jobs("processing"), cloud.stacks()) == before


def test_a_failing_training_says_why_and_leaves_the_endpoint_as_it_was(
    deployed: Any, cloud: Cloud, settings: Path
) -> None:
    """`silent` is the old tutorial's hyperparameter that today's XGBoost image refuses."""
    change(settings, hyperparameters={"silent": 0})
    said = cloud.sandcastle("deploy", "--environment", str(settings), expect=1).text
    assert "Extraneous hyperparameter found: silent" in said
    assert "/aws/sagemaker/TrainingJobs" in said
    assert cloud.stacks()[f"sandcastle-{ENVIRONMENT}-workload-bank"] == "UPDATE_ROLLBACK_COMPLETE"
    cloud.here("invoke", "bank", "--sample", "1", "--environment", str(settings))


def test_a_changed_hyperparameter_retrains_that_workload_only_and_updates_its_endpoint(
    deployed: Any, cloud: Cloud, settings: Path
) -> None:
    """The endpoint sleeps, as in a night: a deployment wakes it before it changes it."""
    sagemaker = cloud.client("sagemaker")

    def configs() -> dict[str, str]:
        names = [item["EndpointName"] for item in sagemaker.list_endpoints()["Endpoints"]]
        return {name: sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] for name in names}

    before, jobs, processing = configs(), cloud.jobs("training"), cloud.jobs("processing")
    change(settings, hyperparameters={"num_round": 20})
    cloud.here("sleep", "--environment", str(settings))
    cloud.until(lambda: not sagemaker.list_endpoints()["Endpoints"], "the endpoints to sleep")
    cloud.sandcastle("deploy", "--environment", str(settings))
    after = configs()
    new = [job for job in cloud.jobs("training") if job not in jobs]
    assert len(new) == 1
    assert "bank" in new[0]
    assert sagemaker.describe_training_job(TrainingJobName=new[0])["HyperParameters"]["num_round"] == "20"
    assert cloud.jobs("processing") == processing
    assert set(after) == set(before)
    changed = [name for name in after if after[name] != before[name]]
    assert len(changed) == 1
    assert "bank" in changed[0]
    cloud.sandcastle("invoke", "bank", "--sample", "1", "--environment", str(settings))


def test_a_person_finds_the_tutorials_asks_the_model_and_reads_the_data(deployed: Any, cloud: Cloud) -> None:
    ada = Person(cloud, ENVIRONMENT, output(cloud, ENVIRONMENT, "studio", "DomainId"), "ada")
    ada.open_app("ada-lab", instance="ml.t3.medium")
    said = cloud.until(lambda: script_said(cloud, ada.domain, "ada-lab"), "what the script says")
    assert {"sandcastle: tutorial bank", "sandcastle: tutorial mnist-linear"} <= set(said.splitlines())
    endpoint = output(cloud, ENVIRONMENT, "workload-bank", "EndpointName")
    assert ada.client().describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    row = ",".join(["0"] * 59).encode()
    asked = {"EndpointName": endpoint, "ContentType": "text/csv", "Body": row}
    assert 0.0 < float(ada.client("sagemaker-runtime").invoke_endpoint(**asked)["Body"].read()) < 1.0
    s3 = ada.client("s3")
    for name in ("DataBucket", "ModelsBucket"):
        bucket = output(cloud, ENVIRONMENT, "foundation", name)
        key = s3.list_objects_v2(Bucket=bucket, Prefix="bank/")["Contents"][0]["Key"]
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    ada.client().delete_app(DomainId=ada.domain, SpaceName="ada-lab", AppType="JupyterLab", AppName="default")
    cloud.until(lambda: len(cloud.running_meters()) == RESTING, "the end of the app")


def test_training_serving_and_a_batch_by_hand_work_with_the_deployed_roles(
    deployed: Any, cloud: Cloud, settings: Path, tmp_path: Path
) -> None:
    where = ("--environment", str(settings), "--out", str(tmp_path))
    job = cloud.here("train", "bank", "--set", "num_round=5", "--no-spot", *where)["job"]
    cloud.here("deploy-model", "bank", job, "--environment", str(settings))
    batch = cloud.here("transform", "bank", "--join", *where)
    assert batch["lines"] == 2400
    assert {line.split(",")[0] for line in batch["first"]} <= {"0", "1"}
    assert cloud.here("deploy-model", "bank", "--restore", "--environment", str(settings))["changed"] is True


@pytest.mark.exhaustive  # test_everything does all six
def test_a_person_does_a_whole_tutorial_with_the_rights_that_one_has(deployed: Any, cloud: Cloud) -> None:
    tutorial_of(cloud, ENVIRONMENT, "bank", "ada")
    assert len(cloud.running_meters()) == RESTING


def test_no_call_of_the_environments_roles_was_ever_denied(deployed: Any, cloud: Cloud) -> None:
    """Least privilege, but enough of it: nothing on the way here was refused by IAM."""
    calls = cloud.admin("calls")
    assert [call for call in calls if call["decision"] != "allowed" and "sandcastle" in call["principal"]] == []
    assert any(call["action"] == "s3:GetObject" for call in calls)


def test_every_promise_holds_for_the_roles_that_were_made(deployed: Any, cloud: Cloud) -> None:
    tried = try_all(cloud, ENVIRONMENT)
    broken = [str(one) for one in tried if one.decided is not one.promise.allowed]
    assert broken == [], "\n".join(broken)
    real = [one for one in tried if one.happened is not None]
    assert [str(one) for one in real if one.happened is not one.promise.allowed] == []
    assert {one.promise.allowed for one in real} == {True, False}
    assert len({one.role for one in tried}) >= 8


def test_destroy_reaches_zero_and_the_meter_stands_still(deployed: Any, cloud: Cloud, settings: Path) -> None:
    assert len(cloud.running_meters()) == RESTING
    report = cloud.sandcastle("destroy", "--environment", str(settings)).document
    assert report["clean"] is True
    assert report["swept"] == []
    cloud.assert_nothing_left(str(settings))


def test_what_is_gone_is_said_clearly(deployed: Any, cloud: Cloud, settings: Path) -> None:
    said = cloud.sandcastle("invoke", "bank", "--sample", "1", "--environment", str(settings), expect=1).text
    assert "not deployed" in said
    again = cloud.sandcastle("destroy", "--environment", str(settings)).document
    assert again["clean"] is True
