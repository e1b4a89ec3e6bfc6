"""The night: what is stopped, what wakes, that one failure keeps nothing else running, and that all of it is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import nightly
import pytest
from botocore.stub import ANY
from environment_stacks import Stack

from tests.functions.conftest import Context, Scripted

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
ANY_ENDPOINT = {"EndpointName": ANY}
P = "sandcastle-a--"


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}"


class World:
    """What SageMaker says runs, and what the topic is told."""

    def __init__(self, sagemaker: Scripted, sns: Scripted, autoscaling: Scripted) -> None:
        self.sagemaker = sagemaker
        self.sns = sns
        self.autoscaling = autoscaling

    def night(self, domain_id: str = "d-1", endpoints: bool = True) -> nightly.Night:
        clients = {"sagemaker": self.sagemaker.client, "sns": self.sns.client, "cloudformation": None}
        clients["application-autoscaling"] = self.autoscaling.client
        return nightly.Night("a", domain_id, endpoints, "20:00 Europe/Berlin", "topic", clients.__getitem__)

    def notebooks(self, *names: str) -> None:
        listed = [
            {"NotebookInstanceName": name, "NotebookInstanceArn": arn("notebook-instance", name)} for name in names
        ]
        self.sagemaker.reply("list_notebook_instances", {"StatusEquals": "InService"}, {"NotebookInstances": listed})

    def apps(self, *apps: dict[str, Any]) -> None:
        self.sagemaker.reply("list_apps", {"DomainIdEquals": "d-1", "MaxResults": 100}, {"Apps": list(apps)})

    def endpoints(self, **statuses: str) -> None:
        listed = [
            {
                "EndpointName": f"{P}{name}",
                "EndpointArn": arn("endpoint", name),
                "EndpointStatus": status,
                "CreationTime": WHEN,
                "LastModifiedTime": WHEN,
            }
            for name, status in statuses.items()
        ]
        self.sagemaker.reply("list_endpoints", {}, {"Endpoints": listed})

    def targets(self, **least: int) -> None:
        """What is scaled: variant main of endpoints, with its least count of instances."""
        listed = [
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": f"endpoint/{P}{name}/variant/main",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "MinCapacity": count,
                "MaxCapacity": 4,
                "RoleARN": "arn:aws:iam::000000000000:role/aws-service-role",
                "CreationTime": WHEN,
            }
            for name, count in least.items()
        ]
        answer = {"ScalableTargets": listed}
        self.autoscaling.reply("describe_scalable_targets", {"ServiceNamespace": "sagemaker"}, answer)

    def endpoint(self, name: str, **variant: Any) -> None:
        """What SageMaker says of an endpoint that is in service."""
        described = {
            "EndpointName": f"{P}{name}",
            "EndpointArn": arn("endpoint", name),
            "EndpointStatus": "InService",
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
            "ProductionVariants": [{"VariantName": "main", **variant}],
        }
        self.sagemaker.reply("describe_endpoint", {"EndpointName": f"{P}{name}"}, described)

    def schedules(self, endpoint: str, status: str = "Scheduled", *names: str) -> None:
        """What watches an endpoint, in one state."""
        listed = [
            {
                "MonitoringScheduleName": f"{P}{name}",
                "MonitoringScheduleArn": arn("monitoring-schedule", f"{P}{name}"),
                "MonitoringScheduleStatus": status,
                "CreationTime": WHEN,
                "LastModifiedTime": WHEN,
            }
            for name in names
        ]
        request = {"EndpointName": f"{P}{endpoint}", "StatusEquals": status}
        self.sagemaker.reply("list_monitoring_schedules", request, {"MonitoringScheduleSummaries": listed})

    def marked(self, kind: str, name: str, since: str = "") -> None:
        """Whether something carries the mark of a night."""
        tags = [{"Key": "other", "Value": "x"}, *([{"Key": "sandcastle:asleep", "Value": since}] if since else [])]
        self.sagemaker.reply("list_tags", {"ResourceArn": arn(kind, f"{P}{name}")}, {"Tags": tags})

    def marks(self, kind: str, name: str) -> None:
        """Expect that it gets the mark."""
        tags = [{"Key": "sandcastle:asleep", "Value": ANY}]
        request = {"ResourceArn": arn(kind, f"{P}{name}"), "Tags": tags}
        self.sagemaker.reply("add_tags", request, {"Tags": []})

    def told(self, subject: str, *lines: str) -> None:
        self.sns.reply(
            "publish",
            {
                "TopicArn": "topic",
                "Subject": f"Sandcastle a: {subject}",
                "Message": "\n".join(lines),
                "MessageAttributes": {"sandcastle": {"DataType": "String", "StringValue": "a"}},
            },
        )


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


def deployed(name: str) -> Stack:
    """A stack whose pipelines deploy the endpoint."""
    outputs = {"Endpoint": f"{P}{name}", "TrainingPipeline": f"{P}{name}-training"}
    return Stack(f"sandcastle-a-pipeline-{name}", "id", "CREATE_COMPLETE", outputs)


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


def configs(world: World, name: str, *endings: str) -> None:
    listed = [
        {
            "EndpointConfigName": f"{P}{name}-{ending}",
            "EndpointConfigArn": arn("endpoint-config", f"{P}{name}-{ending}"),
            "CreationTime": WHEN,
        }
        for ending in endings
    ]
    request = {"NameContains": f"{P}{name}"}
    world.sagemaker.reply("list_endpoint_configs", request, {"EndpointConfigs": listed})


def test_what_a_pipeline_deployed_wakes_with_what_it_served_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [deployed("asleep"), deployed("never")])
    text = 'Could not find endpoint "arn".'
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}asleep"})
    configs(world, "asleep", "1-0fee", "2-0fee", "3-0fee")
    world.marked("endpoint-config", "asleep-1-0fee", "2026-01-01T20:00:00+00:00")
    world.marked("endpoint-config", "asleep-2-0fee", "2026-01-02T20:00:00+00:00")
    world.marked("endpoint-config", "asleep-3-0fee")  # which alarms sent back
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}never"})
    configs(world, "never")
    tags = {"sandcastle:environment": "a", "sandcastle:stack": "sandcastle-a-pipeline-asleep"}
    request = {
        "EndpointName": f"{P}asleep",
        "EndpointConfigName": f"{P}asleep-2-0fee",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    world.sagemaker.reply("create_endpoint", request, {"EndpointArn": arn("endpoint", "asleep")})
    world.told("awake again", f"woken: endpoint {P}asleep")
    assert world.night().wake() == [f"woken: endpoint {P}asleep"]


def test_what_watches_an_endpoint_goes_on_when_it_is_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [deployed("back")])
    world.endpoint("back")
    world.schedules("back", "Stopped", "ours", "by-hand")
    world.marked("monitoring-schedule", "ours", "2026-01-01T20:00:00+00:00")
    world.marked("monitoring-schedule", "by-hand")
    world.sagemaker.reply("start_monitoring_schedule", {"MonitoringScheduleName": f"{P}ours"})
    request = {"ResourceArn": arn("monitoring-schedule", f"{P}ours"), "TagKeys": ["sandcastle:asleep"]}
    world.sagemaker.reply("delete_tags", request)
    world.told("awake again", f"woken: monitoring schedule {P}ours")
    assert world.night().wake() == [f"woken: monitoring schedule {P}ours"]


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


def stack(name: str, status: str = "CREATE_COMPLETE", **outputs: str) -> Stack:
    return Stack(f"sandcastle-a-workload-{name}", "id", status, outputs)


def workload(name: str, status: str = "CREATE_COMPLETE") -> Stack:
    return stack(name, status, EndpointName=f"{P}{name}", EndpointConfigName=f"config-{name}")


def test_endpoints_of_stacks_wake_as_their_stack_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = [stack("none"), workload("awake"), workload("asleep"), workload("going", "DELETE_FAILED")]
    stacks += [workload("busy", "UPDATE_IN_PROGRESS")]
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: stacks)
    world.sagemaker.stub.add_response(
        "describe_endpoint",
        {
            "EndpointName": "e",
            "EndpointArn": arn("endpoint", "awake"),
            "EndpointStatus": "InService",
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
        },
        {"EndpointName": f"{P}awake"},
    )
    text = 'Could not find endpoint "arn".'
    world.sagemaker.refuse("describe_endpoint", "ValidationException", text, {"EndpointName": f"{P}asleep"})
    world.sagemaker.reply(
        "create_endpoint",
        {
            "EndpointName": f"{P}asleep",
            "EndpointConfigName": "config-asleep",
            "Tags": [
                {"Key": "sandcastle:environment", "Value": "a"},
                {"Key": "sandcastle:stack", "Value": "sandcastle-a-workload-asleep"},
            ],
        },
        {"EndpointArn": arn("endpoint", "asleep")},
    )
    world.schedules("awake", "Stopped")
    world.told("awake again", f"woken: endpoint {P}asleep")
    assert world.night().wake() == [f"woken: endpoint {P}asleep"]


POLICY = {
    "PolicyName": "load",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 100.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    },
}
SCALING = json.dumps({"target": {"MinCapacity": 1, "MaxCapacity": 4}, "policy": POLICY})


def scaled_workload(name: str) -> Stack:
    return stack(name, EndpointName=f"{P}{name}", EndpointConfigName="c", Scaling=SCALING, VariantNames="main")


def test_endpoints_that_are_back_are_scaled_again_and_those_that_still_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks = [scaled_workload("back"), scaled_workload("scaled"), workload("plain")]
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: stacks)
    for name in ("back", "scaled", "plain"):
        world.endpoint(name)
    world.targets(scaled=1)
    which = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": f"endpoint/{P}back/variant/main",
    }
    world.autoscaling.reply("register_scalable_target", {**which, "MinCapacity": 1, "MaxCapacity": 4})
    world.autoscaling.reply("put_scaling_policy", {**which, **POLICY}, {"PolicyARN": "policy"})
    for name in ("back", "scaled", "plain"):
        world.schedules(name, "Stopped")
    line = f"woken: scaling of endpoint/{P}back/variant/main"
    world.told("awake again", line)
    assert world.night().wake() == [line]


def test_an_endpoint_that_wakes_now_is_not_scaled_yet(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [scaled_workload("asleep")])
    world.sagemaker.refuse("describe_endpoint", "ValidationException", "Could not find endpoint")
    world.sagemaker.stub.add_response("create_endpoint", {"EndpointArn": arn("endpoint", "asleep")})
    world.told("awake again", f"woken: endpoint {P}asleep")
    assert world.night().wake() == [f"woken: endpoint {P}asleep"]


def test_a_budget_that_is_spent_keeps_endpoints_asleep_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [workload("asleep")])
    world.sagemaker.refuse("describe_endpoint", "ValidationException", "Could not find endpoint")
    world.sagemaker.refuse("create_endpoint", "AccessDeniedException", "explicit deny")
    line = f"NOT woken: endpoint {P}asleep: explicit deny"
    world.told("awake again", line)
    assert world.night().wake() == [line]


def test_nothing_slept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "stacks_of", lambda *_: [])
    assert world.night().wake() == ["nothing slept"]


@pytest.mark.parametrize("what", ["warn", "stop", "wake"])
def test_handler_does_what_it_is_told_to(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    for name, value in {
        "ENVIRONMENT": "a", "DOMAIN_ID": "d-1", "ENDPOINTS": "true", "WHEN": "20:00 UTC", "TOPIC_ARN": "topic"
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for method in ("warn", "stop", "wake"):
        monkeypatch.setattr(nightly.Night, method, lambda self, method=method: [method, self.when])
    assert nightly.handler({"do": what}, Context()) == [what, "20:00 UTC"]
