"""Deleting a domain with its file system: drained again first, asked again when it failed, its logs at the end."""

from __future__ import annotations

from typing import Any

import domain_delete
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import CloudFormation, Context, Scripted

DOMAIN = "d-ours"
GROUP = "/aws/sagemaker/studio"
DELETE = {"DomainId": DOMAIN, "RetentionPolicy": {"HomeEfsFileSystem": "Delete"}}


def expect_domain(sagemaker: Scripted, status: str, **more: str) -> None:
    sagemaker.reply("describe_domain", {"DomainId": DOMAIN}, {"DomainId": DOMAIN, "Status": status, **more})


def expect_lists(sagemaker: Scripted, apps: list[dict[str, Any]] | None = None) -> None:
    listing = {"DomainIdEquals": DOMAIN, "MaxResults": 100}
    sagemaker.reply("list_apps", listing, {"Apps": apps or []})
    if apps:
        sagemaker.stub.add_response("delete_app", {})
    sagemaker.reply("list_spaces", listing, {"Spaces": []})
    sagemaker.reply("list_user_profiles", listing, {"UserProfiles": []})


def expect_logs(logs: Scripted, *streams: str) -> None:
    request = {"logGroupName": GROUP, "logStreamNamePrefix": f"{DOMAIN}/"}
    logs.reply("describe_log_streams", request, {"logStreams": [{"logStreamName": one} for one in streams]})
    for one in streams:
        logs.reply("delete_log_stream", {"logGroupName": GROUP, "logStreamName": one})


def step(sagemaker: Scripted, logs: Scripted) -> str:
    return domain_delete.delete_domain(sagemaker.client, logs.client, DOMAIN)


@pytest.mark.parametrize("status", ["InService", "Failed", "Update_Failed", "Delete_Failed"])
def test_an_empty_domain_is_deleted_with_its_file_system_also_when_it_failed_before(
    sagemaker: Scripted, logs: Scripted, status: str
) -> None:
    expect_domain(sagemaker, status, FailureReason="no subnet")
    expect_lists(sagemaker)
    sagemaker.reply("delete_domain", DELETE)
    assert step(sagemaker, logs) == f"domain {DOMAIN}, {status} (no subnet)"


@pytest.mark.parametrize("status", ["Pending", "Updating", "Deleting"])
def test_a_domain_in_motion_is_waited_for(sagemaker: Scripted, logs: Scripted, status: str) -> None:
    expect_domain(sagemaker, status)
    assert step(sagemaker, logs) == f"domain {DOMAIN}, {status}"


def test_an_app_opened_after_the_drain_is_drained_first(sagemaker: Scripted, logs: Scripted) -> None:
    expect_domain(sagemaker, "InService")
    app = {"AppType": "JupyterLab", "AppName": "default", "Status": "InService", "SpaceName": "late"}
    expect_lists(sagemaker, [app])
    assert step(sagemaker, logs) == "1 app"


def test_in_use_all_the_same_is_tried_again(sagemaker: Scripted, logs: Scripted) -> None:
    expect_domain(sagemaker, "InService")
    expect_lists(sagemaker)
    sagemaker.refuse("delete_domain", "ResourceInUse", "because UserProfile(s) are associated with it")
    assert DOMAIN in step(sagemaker, logs)


def test_what_does_not_pass_is_raised(sagemaker: Scripted, logs: Scripted) -> None:
    expect_domain(sagemaker, "InService")
    expect_lists(sagemaker)
    sagemaker.refuse("delete_domain", "ValidationException", "no such policy")
    with pytest.raises(ClientError, match="no such policy"):
        step(sagemaker, logs)


def test_when_it_is_gone_its_logs_go_and_the_work_is_done(sagemaker: Scripted, logs: Scripted) -> None:
    sagemaker.refuse("describe_domain", "ResourceNotFound")
    expect_logs(logs, f"{DOMAIN}/lab/JupyterLab/default", f"{DOMAIN}/lab/JupyterLab/default/LifecycleConfigOnStart")
    assert step(sagemaker, logs) == ""


def test_a_domain_without_logs_is_done_too(sagemaker: Scripted, logs: Scripted) -> None:
    sagemaker.refuse("describe_domain", "ResourceNotFound")
    logs.refuse("describe_log_streams", "ResourceNotFoundException")
    assert step(sagemaker, logs) == ""


@pytest.mark.usefixtures("pauses")
def test_the_function_polls_until_the_domain_is_gone(
    sagemaker: Scripted, logs: Scripted, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"sagemaker": sagemaker.client, "logs": logs.client}
    monkeypatch.setattr(domain_delete, "client", lambda service: found[service])
    expect_domain(sagemaker, "InService")
    expect_lists(sagemaker)
    sagemaker.reply("delete_domain", DELETE)
    for _ in range(3):
        expect_domain(sagemaker, "Deleting")
    sagemaker.refuse("describe_domain", "ResourceNotFound")
    expect_logs(logs)
    domain_delete.handler(cloudformation.event("Delete", DomainId=DOMAIN, WaitSeconds="3300"), Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]
