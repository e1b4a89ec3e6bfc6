"""Situations around SageMaker: notebooks, data, money."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.judge import destroyed_to_zero
from tests.lifecycle.matrix.situation import BANK, NOTEBOOK, WHOLE, Situation, cases, situation
from tests.lifecycle.stand import Stand

STAYS = {"notebook-after-update": "stay"}


def _notebook(stand: Stand) -> str:
    name: str = stand.client("sagemaker").list_notebook_instances()["NotebookInstances"][0]["NotebookInstanceName"]
    return name


def _notebook_is(stand: Stand, name: str, status: str) -> bool:
    found = stand.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
    return bool(found["NotebookInstanceStatus"] == status)


@situation("the notebook is stopped, which an update would change", exhaustive=True, settings=NOTEBOOK, switches=STAYS)
@situation("the notebook is stopped", exhaustive=True, settings=NOTEBOOK)
def _notebook_stopped(stand: Stand) -> None:
    name = _notebook(stand)
    stand.client("sagemaker").stop_notebook_instance(NotebookInstanceName=name)
    stand.cloud.until(lambda: _notebook_is(stand, name, "Stopped"), "the notebook to stop")


@situation(
    "the notebook is starting again, and is waited for",
    exhaustive=True,
    settle=2.0,
    switches={"notebook-busy-delete": "wait"},
    settings=NOTEBOOK,
)
@situation("the notebook is starting again", exhaustive=True, settle=2.0, settings=NOTEBOOK)
def _notebook_pending(stand: Stand) -> None:
    _notebook_stopped(stand)
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    stand.client("sagemaker").start_notebook_instance(NotebookInstanceName=_notebook(stand))


@situation("the notebook is stopping", exhaustive=True, settle=2.0, settings=NOTEBOOK)
def _notebook_stopping(stand: Stand) -> None:
    stand.cloud.post("clock", {"settle_seconds": 2.0})
    stand.client("sagemaker").stop_notebook_instance(NotebookInstanceName=_notebook(stand))


@situation("a second notebook was made in the console, and its start script fails", exhaustive=True, settings=NOTEBOOK)
def _notebook_failed(stand: Stand) -> None:
    sagemaker = stand.client("sagemaker")
    script = {"Content": base64.b64encode(b"exit 1\n").decode()}
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="broken", OnStart=[script], Tags=stand.tag_list
    )
    first = sagemaker.describe_notebook_instance(NotebookInstanceName=_notebook(stand))
    sagemaker.create_notebook_instance(
        NotebookInstanceName="second",
        InstanceType="ml.t3.medium",
        RoleArn=first["RoleArn"],
        LifecycleConfigName="broken",
        Tags=stand.tag_list,
    )
    stand.cloud.until(lambda: _notebook_is(stand, "second", "Failed"), "the notebook to fail")


@situation("buckets hold versions, delete markers and half an upload")
def _versions(stand: Stand) -> None:
    s3 = stand.client("s3")
    for output in ("DataBucket", "ModelsBucket"):
        bucket = stand.outputs[output]
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for body in (b"one", b"two"):
            s3.put_object(Bucket=bucket, Key="thing", Body=body)
        s3.delete_object(Bucket=bucket, Key="thing")
        upload = s3.create_multipart_upload(Bucket=bucket, Key="half")["UploadId"]
        s3.upload_part(Bucket=bucket, Key="half", UploadId=upload, PartNumber=1, Body=b"x" * 100)


@situation("more objects than a page of a listing holds", exhaustive=True)
def _objects(stand: Stand) -> None:
    s3, bucket = stand.client("s3"), stand.outputs["DataBucket"]
    for number in range(1100):
        s3.put_object(Bucket=bucket, Key=f"users/ada/{number}", Body=b"")


@situation("somebody writes into a bucket while it is emptied")
def _late_writer(stand: Stand) -> None:
    bucket = stand.outputs["DataBucket"]
    stand.client("s3").put_object(Bucket=bucket, Key="early", Body=b"x")
    late = {"Bucket": bucket, "Key": "late", "Body": "x"}
    stand.faults(
        {
            "when": {"service": "s3", "operation": "ListBucketVersions"},
            "call": {"service": "s3", "operation": "PutObject", "parameters": late},
            "times": 5,
        }
    )


@situation("an endpoint goes on writing captures and logs after its end", exhaustive=True, settings=BANK)
def _late_captures(stand: Stand) -> None:
    name = stand.client("sagemaker").list_endpoints()["Endpoints"][0]["EndpointName"]
    for _ in range(3):
        stand.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, ContentType="text/csv", Body=",".join(["0"] * 59).encode()
        )


@situation("the budget is spent, and new spending is denied", exhaustive=True)
def _budget_spent(stand: Stand) -> None:
    people.space(stand, "notes")
    people.app(stand, SpaceName="notes")
    stand.cloud.post("spend", {"usd": 501})
    budgets = stand.client("budgets")

    def executed() -> bool:
        actions = budgets.describe_budget_actions_for_account(AccountId="000000000000")["Actions"]
        return bool(actions) and all(action["Status"] == "EXECUTION_SUCCESS" for action in actions)

    stand.cloud.until(executed, "the limit to be applied")


@situation("the budget is spent, and was deleted by hand", exhaustive=True)
def _budget_gone(stand: Stand) -> None:
    _budget_spent(stand)
    budgets, account = stand.client("budgets"), {"AccountId": "000000000000"}
    for budget in budgets.describe_budgets(**account)["Budgets"]:
        budgets.delete_budget(**account, BudgetName=budget["BudgetName"])


@situation("the nightly stop has put everything to sleep", settings=WHOLE, exhaustive=True)
def _asleep(stand: Stand) -> None:
    people.space(stand, "notes")
    people.app(stand, SpaceName="notes")
    now = datetime.fromtimestamp(stand.cloud.admin("clock")["now"], UTC)
    evening = now.replace(hour=20, minute=1, second=0)
    stand.cloud.advance((evening - now).total_seconds() % (24 * 3600))
    sagemaker = stand.client("sagemaker")
    stand.cloud.until(lambda: not sagemaker.list_endpoints()["Endpoints"], "the endpoint to sleep")
    stand.cloud.until(lambda: _notebook_is(stand, _notebook(stand), "Stopped"), "the notebook to sleep")


@situation("the notebook was deleted by hand before", exhaustive=True, settings=NOTEBOOK)
def _notebook_by_hand(stand: Stand) -> None:
    _notebook_stopped(stand)
    sagemaker = stand.client("sagemaker")
    sagemaker.delete_notebook_instance(NotebookInstanceName=_notebook(stand))
    stand.cloud.until(lambda: not sagemaker.list_notebook_instances()["NotebookInstances"], "the notebook to go")


@pytest.mark.parametrize("situation", cases(__name__))
def test_destroyed_to_zero(situation: Situation, empty: Cloud) -> None:
    destroyed_to_zero(situation, empty)
