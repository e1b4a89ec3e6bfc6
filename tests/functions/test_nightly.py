"""The night: what is stopped, what wakes, that one failure keeps nothing else running, and that all of it is told."""

from __future__ import annotations

from typing import Any

import nightly
import pytest

from tests.functions.conftest import Context, Scripted
from tests.functions.night_world import ANY_ENDPOINT, WHEN, P, World, arn, deployed


@pytest.fixture
def world(sagemaker: Scripted, sns: Scripted, autoscaling: Scripted, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [])
    return World(sagemaker, sns, autoscaling)


def app(status: str = "InService", **holder: str) -> dict[str, Any]:
    return {"DomainId": "d-1", "AppType": "JupyterLab", "AppName": "default", "Status": status, **holder}


APP = {"DomainId": "d-1", "AppType": "JupyterLab", "AppName": "default"}


def test_everything_that_runs_is_stopped_and_told(world: World) -> None:
    world.notebooks(f"{P}notebook")
    world.sagemaker.reply("stop_notebook_instance", {"NotebookInstanceName": f"{P}notebook"})
    world.apps(app(SpaceName="lab"), app(UserProfileName="ada"), app("Deleted", SpaceName="old"))
    world.sagemaker.reply("delete_app", {**APP, "SpaceName": "lab"})
    world.sagemaker.reply("delete_app", {**APP, "UserProfileName": "ada"})
    world.endpoints(one="InService", two="Deleting")
    world.targets()
    world.endpoint("one")
    world.schedules("one")
    world.sagemaker.reply("delete_endpoint", {"EndpointName": f"{P}one"})
    lines = [
        f"stopped: notebook instance {P}notebook",
        "stopped: app JupyterLab of lab",
        "stopped: app JupyterLab of ada",
        f"stopped: endpoint {P}one",
    ]
    world.told("stopped for the night", *lines)
    assert world.night().stop() == lines


SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def test_endpoints_that_cost_nothing_at_rest_are_left_alone(world: World) -> None:
    world.notebooks()
    world.apps()
    world.endpoints(empty="InService", gone="InService", ready="InService", to_zero="InService", to_one="InService")
    world.targets(to_zero=0, to_one=1)
    world.endpoint("empty", CurrentServerlessConfig=SERVERLESS)
    text = 'Could not find endpoint "arn".'
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}gone"})
    world.endpoint("ready", CurrentServerlessConfig={**SERVERLESS, "ProvisionedConcurrency": 1})
    world.endpoint("to_zero", CurrentInstanceCount=1)
    world.endpoint("to_one", CurrentInstanceCount=1)
    lines = [f"stopped: endpoint {P}{name}" for name in ("ready", "to_one")]
    for name in ("ready", "to_one"):
        world.schedules(name)
        world.sagemaker.reply("delete_endpoint", {"EndpointName": f"{P}{name}"})
    world.told("stopped for the night", *lines)
    assert world.night().stop() == lines


def test_what_a_pipeline_deployed_is_remembered_and_what_watches_it_stops(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [deployed("deployed")])
    world.notebooks()
    world.endpoints(deployed="InService")
    world.targets()
    world.endpoint("deployed", CurrentInstanceCount=1)
    world.schedules("deployed", "Scheduled", "data", "quality")
    world.marks("monitoring-schedule", "data")
    world.sagemaker.reply("stop_monitoring_schedule", {"MonitoringScheduleName": f"{P}data"})
    world.marks("monitoring-schedule", "quality")
    text = "Monitoring schedule in status Pending cannot be modified or deleted."
    world.sagemaker.refuse("stop_monitoring_schedule", "ValidationException", text)
    described = {"EndpointStatus": "InService", "CreationTime": WHEN, "LastModifiedTime": WHEN}
    described |= {"EndpointName": f"{P}deployed", "EndpointArn": arn("endpoint", f"{P}deployed")}
    described |= {"EndpointConfigName": f"{P}deployed-2-0fee"}
    world.sagemaker.reply("describe_endpoint", {"EndpointName": f"{P}deployed"}, described)
    world.marks("endpoint-config", "deployed-2-0fee")
    world.sagemaker.reply("delete_endpoint", {"EndpointName": f"{P}deployed"})
    lines = [
        f"stopped: monitoring schedule {P}data",
        f"NOT stopped: monitoring schedule {P}quality: {text}",
        f"stopped: endpoint {P}deployed",
    ]
    world.told("stopped for the night", *lines)
    assert world.night(domain_id="").stop() == lines


def test_an_endpoint_that_could_not_be_made_again_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [deployed("deployed")])
    world.notebooks()
    world.endpoints(deployed="InService")
    world.targets()
    world.endpoint("deployed", CurrentInstanceCount=1)
    world.schedules("deployed")
    described = {"EndpointStatus": "InService", "CreationTime": WHEN, "LastModifiedTime": WHEN}
    described |= {"EndpointName": f"{P}deployed", "EndpointArn": arn("endpoint", f"{P}deployed")}
    world.sagemaker.reply("describe_endpoint", answer={**described, "EndpointConfigName": "c"}, request=ANY_ENDPOINT)
    world.sagemaker.refuse("add_tags", "AccessDeniedException", "explicit deny")
    line = f"NOT stopped: endpoint {P}deployed: explicit deny"
    world.told("stopped for the night", line)
    assert world.night(domain_id="").stop() == [line]


def test_what_cannot_be_stopped_is_told_and_keeps_nothing_else_running(world: World) -> None:
    world.notebooks(f"{P}notebook")
    text = "Status (Pending) not in ([InService]). Unable to transition to (Stopping)"
    world.sagemaker.refuse("stop_notebook_instance", "ValidationException", text)
    world.apps(app(SpaceName="lab"))
    world.sagemaker.reply("delete_app", {**APP, "SpaceName": "lab"})
    lines = [f"NOT stopped: notebook instance {P}notebook: {text}", "stopped: app JupyterLab of lab"]
    world.told("stopped for the night", *lines)
    assert world.night(endpoints=False).stop() == lines


def test_nothing_is_told_when_nothing_ran(world: World) -> None:
    world.notebooks()
    assert world.night(domain_id="", endpoints=False).stop() == ["nothing ran"]


def test_the_warning_says_what_will_be_stopped_when(world: World) -> None:
    world.notebooks(f"{P}notebook")
    world.apps(app(SpaceName="lab"))
    world.endpoints(one="InService")
    world.targets()
    world.endpoint("one")
    lines = [
        f"will be stopped: notebook instance {P}notebook",
        "will be stopped: app JupyterLab of lab",
        f"will be stopped: endpoint {P}one",
    ]
    world.told("what runs is stopped at 20:00 Europe/Berlin", *lines)
    assert world.night().warn() == lines
    world.notebooks()
    world.apps()
    world.endpoints()
    assert world.night().warn() == []


@pytest.mark.parametrize("what", ["warn", "stop", "wake"])
def test_handler_does_what_it_is_told_to(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    for name, value in {
        "ENVIRONMENT": "a", "DOMAIN_ID": "d-1", "ENDPOINTS": "true", "WHEN": "20:00 UTC", "TOPIC_ARN": "topic"
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for method in ("warn", "stop", "wake"):
        monkeypatch.setattr(nightly.Night, method, lambda self, method=method: [method, self.when])
    assert nightly.handler({"do": what}, Context()) == [what, "20:00 UTC"]
