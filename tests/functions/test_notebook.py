"""A notebook instance in every state: brought to rest before its deletion, stopped after an update if it was before."""

from __future__ import annotations

from typing import Any

import notebook_instance
import notebook_logs
import notebook_rest
import notebook_state
import pytest
from botocore.exceptions import ClientError
from janitor import RESERVE_MS

from tests.functions.conftest import CloudFormation, Context, Scripted

NAME = "sandcastle-local--notebook-5f0c2a10-a1b2"
OTHER = "sandcastle-local--notebook-5f0c2a10-c3d4"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:notebook-instance/{NAME}"


def describe(sagemaker: Scripted, *statuses: str, name: str = NAME) -> None:
    for status in statuses:
        sagemaker.reply(
            "describe_notebook_instance", {"NotebookInstanceName": name}, {"NotebookInstanceStatus": status}
        )


def missing(sagemaker: Scripted) -> None:
    sagemaker.refuse("describe_notebook_instance", "ValidationException", "RecordNotFound")


def stop(sagemaker: Scripted, name: str = NAME) -> None:
    sagemaker.reply("stop_notebook_instance", {"NotebookInstanceName": name})


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, sagemaker: Scripted, logs: Scripted, pauses: list[float]) -> None:
    found = {"sagemaker": sagemaker.client, "logs": logs.client}
    for module in (notebook_logs, notebook_rest, notebook_state):
        monkeypatch.setattr(module, "client", lambda service: found[service])


@pytest.mark.parametrize("status", ["Stopped", "Failed", "Deleting"])
def test_an_instance_at_rest_is_left_alone(sagemaker: Scripted, status: str) -> None:
    describe(sagemaker, status)
    assert notebook_instance.rest(sagemaker.client, NAME) == ""


def test_an_instance_that_is_gone_is_at_rest(sagemaker: Scripted) -> None:
    missing(sagemaker)
    assert notebook_instance.rest(sagemaker.client, NAME) == ""


@pytest.mark.parametrize("status", ["Pending", "Updating", "Stopping"])
def test_an_instance_on_its_way_is_waited_for(sagemaker: Scripted, status: str) -> None:
    describe(sagemaker, status)
    assert notebook_instance.rest(sagemaker.client, NAME) == f"notebook instance {NAME}, {status}"


@pytest.mark.parametrize("status", ["InService", "PendingMaintenance", "InMaintenance"])
def test_any_other_is_stopped(sagemaker: Scripted, status: str) -> None:
    describe(sagemaker, status)
    stop(sagemaker)
    assert notebook_instance.rest(sagemaker.client, NAME) == f"notebook instance {NAME}, {status}"


@pytest.mark.parametrize(
    "text",
    ["RecordNotFound", f"Status (Stopping) not in ([InService]). Unable to transition to (Stopping) for ({ARN})"],
)
def test_one_that_moves_or_goes_at_the_same_moment_is_looked_at_again(sagemaker: Scripted, text: str) -> None:
    describe(sagemaker, "InService")
    sagemaker.refuse("stop_notebook_instance", "ValidationException", text)
    assert NAME in notebook_instance.rest(sagemaker.client, NAME)


@pytest.mark.parametrize(("code", "text"), [("AccessDenied", "no"), ("ValidationException", "name too long")])
def test_what_does_not_pass_is_raised(sagemaker: Scripted, code: str, text: str) -> None:
    describe(sagemaker, "InService")
    sagemaker.refuse("stop_notebook_instance", code, text)
    with pytest.raises(ClientError, match=text):
        notebook_instance.rest(sagemaker.client, NAME)
    sagemaker.refuse("describe_notebook_instance", code, text)
    with pytest.raises(ClientError, match=text):
        notebook_instance.status_of(sagemaker.client, NAME)


@pytest.mark.usefixtures("calls")
def test_the_janitor_ends_when_the_instance_has_stopped(sagemaker: Scripted, cloudformation: CloudFormation) -> None:
    describe(sagemaker, "Pending", "Pending", "InService")
    stop(sagemaker)
    describe(sagemaker, "Stopping", "Stopped")
    notebook_rest.handler(cloudformation.event("Delete", Name=NAME, WaitSeconds="3300"), Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.usefixtures("calls")
def test_logs_of_every_instance_of_the_stack_go(logs: Scripted, cloudformation: CloudFormation) -> None:
    prefix, group = "sandcastle-local--notebook-5f0c2a10-", "/aws/sagemaker/NotebookInstances"
    streams = [f"{NAME}/LifecycleConfigOnStart", f"{OTHER}/jupyter.log"]
    logs.reply(
        "describe_log_streams",
        {"logGroupName": group, "logStreamNamePrefix": prefix},
        {"logStreams": [{"logStreamName": one} for one in streams]},
    )
    for one in streams:
        logs.reply("delete_log_stream", {"logGroupName": group, "logStreamName": one})
    notebook_logs.handler(cloudformation.event("Delete", Prefix=prefix, WaitSeconds="3300"), Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]


def event(cloudformation: CloudFormation, request: str, when: str, **more: Any) -> dict[str, Any]:
    """An event of one of the two resources; on update the old instance has another name if ``was`` says so."""
    was = more.pop("was", NAME)
    properties = {"Name": NAME, "Settings": {"InstanceType": "ml.t3.medium"}, **more}
    made = cloudformation.event(request, **properties) | {"ResourceType": f"Custom::SandcastleNotebook{when}"}
    if request == "Update":
        made["OldResourceProperties"] = {**properties, "Name": was, "Noted": "an earlier request"}
    return made


@pytest.mark.usefixtures("calls")
def test_before_an_update_the_settled_state_is_noted_with_a_new_mark(
    sagemaker: Scripted, cloudformation: CloudFormation
) -> None:
    describe(sagemaker, "Stopping", "Stopped", "Stopped", name=OTHER)
    notebook_state.handler(event(cloudformation, "Update", "Before", was=OTHER), Context())
    (told,) = cloudformation.answers
    assert (told["Status"], told["Data"]) == ("SUCCESS", {"State": "Stopped", "Noted": "request-1"})


@pytest.mark.usefixtures("calls")
def test_an_instance_that_was_deleted_by_hand_is_noted_as_missing(
    sagemaker: Scripted, cloudformation: CloudFormation
) -> None:
    missing(sagemaker)
    missing(sagemaker)
    notebook_state.handler(event(cloudformation, "Update", "Before"), Context())
    assert cloudformation.answers[0]["Data"]["State"] == "Missing"


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("when", ["Before", "After"])
@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_making_and_deleting_ask_nothing(cloudformation: CloudFormation, request_type: str, when: str) -> None:
    state = {"State": "Stopped", "Noted": "request-1"} if when == "After" else {}
    notebook_state.handler(event(cloudformation, request_type, when, **state), Context())
    (told,) = cloudformation.answers
    assert told["Status"] == "SUCCESS"
    assert told["Data"].get("State") in (None, "New")


@pytest.mark.usefixtures("calls")
def test_after_an_update_an_instance_that_was_stopped_is_stopped(
    sagemaker: Scripted, cloudformation: CloudFormation
) -> None:
    describe(sagemaker, "Pending", "InService")
    stop(sagemaker)
    describe(sagemaker, "Stopping", "Stopped")
    notebook_state.handler(
        event(cloudformation, "Update", "After", was=OTHER, State="Stopped", Noted="request-1"), Context()
    )
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("state", ["InService", "Failed", "Missing", "New"])
def test_any_other_state_before_is_no_reason_to_stop_it(cloudformation: CloudFormation, state: str) -> None:
    notebook_state.handler(event(cloudformation, "Update", "After", State=state, Noted="request-1"), Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.usefixtures("calls")
def test_a_state_that_an_earlier_update_noted_counts_for_nothing(cloudformation: CloudFormation) -> None:
    made = event(cloudformation, "Update", "After", State="Stopped", Noted="an earlier request")
    notebook_state.handler(made, Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]


@pytest.mark.usefixtures("calls")
def test_one_that_does_not_settle_is_told_before_the_functions_time_is_up(
    sagemaker: Scripted, cloudformation: CloudFormation
) -> None:
    describe(sagemaker, "Pending")
    notebook_state.handler(event(cloudformation, "Update", "Before"), Context([RESERVE_MS - 1000]))
    (told,) = cloudformation.answers
    assert told["Status"] == "FAILED"
    assert f"left: notebook instance {NAME}, Pending" in told["Reason"]
