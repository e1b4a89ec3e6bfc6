"""Every way to serve, as templates: what is asked of SageMaker, what scales, watches and shows it, and in which order.

Two environments hold all of it: ``many`` has instances, ``few`` has none that anybody pays for.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandcastle.config import load_environment
from sandcastle.template import resolve, symbols
from tests.lifecycle.environments import written
from tests.stacks import test_promises
from tests.stacks.graph import dependencies
from tests.stacks.test_workloads import one, validate
from tests.synthesis import ROOT, Synthesis, Template, exported, resources, synthesise

MANY = {
    "bank": {
        "endpoint": {
            "instances": 2,
            "variants": {
                "challenger": {"weight": 0.25, "instances": 3, "hyperparameters": {"eta": 0.3}},
                "larger": {"weight": 0.5, "instance": "ml.m5.xlarge"},
            },
            "scaling": {"min": 1, "max": 4, "invocations_per_minute": 1000},
            "deployment": {"kind": "canary", "percent": 20, "wait_minutes": 2},
        }
    },
    "mnist-linear": {
        "endpoint": {
            "kind": "async",
            "concurrency": 2,
            "scaling": {"min": 0, "max": 2, "backlog_per_instance": 5},
        }
    },
}
FEW = {
    "bank": {"endpoint": {"kind": "serverless", "memory_mb": 3072, "max_concurrency": 7}},
    "mnist-linear": {"endpoint": {"kind": "none"}},
}


@pytest.fixture
def many() -> Synthesis:
    return synthesise(written("many", monthly_budget_usd=2000, workloads=MANY))


@pytest.fixture
def few() -> Synthesis:
    return synthesise(written("few", workloads=FEW))


def resolved(synthesis: Synthesis, workload: str, kind: str) -> dict[str, Any]:
    """Return the one resource of the type, references replaced by symbols."""
    template = synthesis.template(f"workload-{workload}")
    found: dict[str, Any] = resolve(one(template, kind), symbols(template, exported(synthesis)))
    return found


def test_each_variant_gets_its_part_of_the_requests_and_its_instances(many: Synthesis) -> None:
    template = many.template("workload-bank")
    variants = one(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    found = {
        variant["VariantName"]: (
            variant["InitialVariantWeight"],
            variant["InitialInstanceCount"],
            variant["InstanceType"],
        )
        for variant in variants
    }
    assert found == {
        "main": (1, 2, "ml.m5.large"),
        "challenger": (0.25, 3, "ml.m5.large"),
        "larger": (0.5, 2, "ml.m5.xlarge"),
    }


def test_a_variant_with_hyperparameters_of_its_own_is_another_model(many: Synthesis) -> None:
    template = many.template("workload-bank")
    models = resources(template, "AWS::SageMaker::Model")
    used = [
        variant["ModelName"]["Fn::GetAtt"][0]
        for variant in one(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    ]
    assert used[0] == used[2] != used[1]
    assert set(used) == set(models)
    fingerprints = {
        model: models[model]["Properties"]["PrimaryContainer"]["Environment"]["SANDCASTLE_FINGERPRINT"]
        for model in used
    }
    assert fingerprints[used[0]] != fingerprints[used[1]]
    trained = resources(template, "Custom::SandcastleTrainedModel")
    assert {job["Properties"]["Fingerprint"] for job in trained.values()} == set(fingerprints.values())
    lookup = symbols(template, exported(many))
    asked = [json.loads(resolve(job["Properties"]["Request"], lookup)) for job in trained.values()]
    assert sorted(request["HyperParameters"]["eta"] for request in asked) == ["0.2", "0.3"]
    assert len({request["RoleArn"] for request in asked}) == 2


def test_what_is_asked_of_sagemaker_is_valid(many: Synthesis, few: Synthesis) -> None:
    for synthesis, workload in ((many, "bank"), (many, "mnist-linear"), (few, "bank")):
        config = resolved(synthesis, workload, "AWS::SageMaker::EndpointConfig")
        validate("CreateEndpointConfig", {"EndpointConfigName": "x", **config})
        endpoint = resolved(synthesis, workload, "AWS::SageMaker::Endpoint")
        endpoint.pop("Tags")
        validate("UpdateEndpoint", endpoint)


def test_an_update_goes_over_as_the_file_says_and_back_by_the_endpoints_own_alarms(many: Synthesis) -> None:
    template = many.template("workload-bank")
    config = one(template, "AWS::SageMaker::Endpoint")["DeploymentConfig"]
    assert config["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20},
            "WaitIntervalInSeconds": 120,
        },
        "TerminationWaitInSeconds": 0,
        "MaximumExecutionTimeoutInSeconds": (2 * 2 + 60) * 60,
    }
    named = [alarm["AlarmName"]["Ref"] for alarm in config["AutoRollbackConfiguration"]["Alarms"]]
    assert set(named) == set(resources(template, "AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize(
    ("settings", "routing"),
    [
        ({}, {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}),
        (
            {"kind": "linear", "percent": 25, "wait_minutes": 1},
            {
                "Type": "LINEAR",
                "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
                "WaitIntervalInSeconds": 60,
            },
        ),
    ],
)
def test_other_deployments(settings: dict[str, Any], routing: dict[str, Any]) -> None:
    from sandcastle.endpoint_deployment import MOST_ALARMS, deployment_config

    file = written("way", workloads={"bank": {"endpoint": {"instances": 2, "deployment": settings}}})
    deployment = load_environment(file, ROOT).workloads[0].serve.deployment
    assert deployment is not None
    config = deployment_config(deployment, [f"alarm{number}" for number in range(MOST_ALARMS + 2)])
    assert config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"] == routing
    assert len(config["AutoRollbackConfiguration"]["Alarms"]) == MOST_ALARMS


def test_alarms_watch_errors_and_latency_of_each_variant_and_tell_the_topic(many: Synthesis) -> None:
    template = many.template("workload-bank")
    alarms = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::Alarm").values()]
    watched = {
        (alarm["MetricName"], {pair["Name"]: pair["Value"] for pair in alarm["Dimensions"]}["VariantName"])
        for alarm in alarms
    }
    metrics, variants = ("Invocation5XXErrors", "ModelLatency"), ("main", "challenger", "larger")
    assert watched == {(metric, variant) for metric in metrics for variant in variants}
    name = one(template, "AWS::SageMaker::Endpoint")["EndpointName"]
    for alarm in alarms:
        assert alarm["TreatMissingData"] == "notBreaching"
        assert {"Name": "EndpointName", "Value": name} in alarm["Dimensions"]
        (topic,) = resolve(alarm["AlarmActions"], symbols(template, exported(many)))
        assert topic.startswith("alarms")


def test_alarms_are_as_many_as_the_budget_counts(many: Synthesis, few: Synthesis) -> None:
    """And each scaled variant has two that Application Auto Scaling makes."""
    for synthesis, workloads in ((many, MANY), (few, FEW)):
        file = written(synthesis.environment, monthly_budget_usd=2000, workloads=workloads)
        for workload in load_environment(file, ROOT).workloads:
            template = synthesis.template(f"workload-{workload.name}")
            targets = len(resources(template, "AWS::ApplicationAutoScaling::ScalableTarget"))
            assert workload.serve.alarms == len(resources(template, "AWS::CloudWatch::Alarm")) + 2 * targets


def test_every_variant_is_scaled_by_its_load(many: Synthesis) -> None:
    template = many.template("workload-bank")
    targets = resources(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    lookup = symbols(template, exported(many))
    names = {resolve(target["Properties"]["ResourceId"], lookup).rsplit("/", 1)[1] for target in targets.values()}
    assert names == {"main", "challenger", "larger"}
    for target in targets.values():
        properties = target["Properties"]
        assert (properties["MinCapacity"], properties["MaxCapacity"]) == (1, 4)
    for policy in resources(template, "AWS::ApplicationAutoScaling::ScalingPolicy").values():
        assert policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 1000
    endpoint = one(template, "AWS::SageMaker::Endpoint")
    assert endpoint["RetainAllVariantProperties"] is True
    kept = {entry["VariantPropertyType"] for entry in endpoint["ExcludeRetainedVariantProperties"]}
    assert kept == {"DesiredWeight", "DataCaptureConfig"}


def test_the_night_can_scale_again_what_the_template_scales(many: Synthesis) -> None:
    template = many.template("workload-bank")
    said = json.loads(template["Outputs"]["Scaling"]["Value"])
    lookup = symbols(template, exported(many))
    for target in resources(template, "AWS::ApplicationAutoScaling::ScalableTarget").values():
        assert said["target"].items() <= target["Properties"].items()
    for policy in resources(template, "AWS::ApplicationAutoScaling::ScalingPolicy").values():
        properties = resolve(policy["Properties"], lookup)
        properties.pop("ScalingTargetId")
        assert said["policy"] == properties
    assert template["Outputs"]["VariantNames"]["Value"] == "main challenger larger"
    assert "Scaling" not in many.template("workload-mnist-linear")["Outputs"]  # it rests by itself


def test_an_asynchronous_endpoint_reads_and_writes_in_the_reports_bucket_and_tells_the_topic(many: Synthesis) -> None:
    config = resolved(many, "mnist-linear", "AWS::SageMaker::EndpointConfig")["AsyncInferenceConfig"]
    assert config["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 2}
    output = config["OutputConfig"]
    outputs = many.template("workload-mnist-linear")["Outputs"]
    lookup = symbols(many.template("workload-mnist-linear"), exported(many))
    assert output["S3OutputPath"] == resolve(outputs["AsyncOutput"]["Value"], lookup)
    folders = [output["S3OutputPath"], output["S3FailurePath"], resolve(outputs["AsyncInput"]["Value"], lookup)]
    assert [one.split("/", 3)[3] for one in folders] == [
        f"async/mnist-linear/{part}" for part in ("output", "failed", "input")
    ]
    assert len({one.split("/")[2] for one in folders}) == 1
    assert output["NotificationConfig"]["SuccessTopic"] == output["NotificationConfig"]["ErrorTopic"]
    assert "DataCaptureConfig" not in resolved(many, "mnist-linear", "AWS::SageMaker::EndpointConfig")


def test_an_endpoint_without_instances_starts_one_when_requests_wait(many: Synthesis) -> None:
    """The figures are those of the developer guide, "Autoscale an asynchronous endpoint"."""
    template = many.template("workload-mnist-linear")
    alarm = one(template, "AWS::CloudWatch::Alarm")
    assert (alarm["MetricName"], alarm["Threshold"]) == ("HasBacklogWithoutCapacity", 1)
    (policy,) = [action["Ref"] for action in alarm["AlarmActions"]]
    step = template["Resources"][policy]["Properties"]
    assert step["PolicyType"] == "StepScaling"
    assert step["StepScalingPolicyConfiguration"]["StepAdjustments"] == [
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    ]
    target = one(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 2)


def test_serverless(few: Synthesis) -> None:
    template = few.template("workload-bank")
    (variant,) = one(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 7}
    assert not {"InstanceType", "InitialInstanceCount"} & set(variant)
    assert one(template, "AWS::SageMaker::Model")["EnableNetworkIsolation"] is False  # SageMaker refuses it there
    assert not resources(template, "AWS::CloudWatch::Alarm")


def test_a_model_without_an_endpoint(few: Synthesis) -> None:
    template = few.template("workload-mnist-linear")
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::SageMaker::")} == {"AWS::SageMaker::Model"}
    assert one(template, "AWS::SageMaker::Model")["EnableNetworkIsolation"] is True
    assert template["Outputs"]["EndpointKind"]["Value"] == "none"
    assert "EndpointName" not in template["Outputs"]


def test_another_kind_is_another_endpoint(many: Synthesis, few: Synthesis) -> None:
    """SageMaker does not turn one of instances into a serverless one; its logs are found under either name."""
    names = {}
    for synthesis, workload in ((many, "bank"), (many, "mnist-linear"), (few, "bank")):
        name = resolved(synthesis, workload, "AWS::SageMaker::Endpoint")["EndpointName"]
        names[synthesis.environment, workload] = name.rsplit("-5f0c2a10", 1)[1]
        template = synthesis.template(f"workload-{workload}")
        assert one(template, "Custom::SandcastleJobLogs")["EndpointLogGroup"] != ""
    assert list(names.values()) == ["", "-async", "-serverless"]


EDGES = [
    # goes first, goes later
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::ApplicationAutoScaling::ScalableTarget"),
    ("AWS::ApplicationAutoScaling::ScalableTarget", "AWS::SageMaker::Endpoint"),
    ("AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"),
    ("AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model"),
    ("AWS::SageMaker::Model", "Custom::SandcastleTrainedModel"),
    ("AWS::SageMaker::Endpoint", "Custom::SandcastleJobLogs"),
]


@pytest.mark.parametrize(("first", "later"), EDGES)
def test_order(many: Synthesis, few: Synthesis, first: str, later: str) -> None:
    found = 0
    for template in (*many.workloads, *few.workloads):
        for key in resources(template, first):
            laters = set(resources(template, later))
            if first.endswith(("ScalingPolicy", "Model")):  # each has a target, or a training, of its own
                assert laters & dependencies(template, key)
            else:
                assert laters <= dependencies(template, key)
            found += 1
    assert found


def test_what_watches_goes_after_the_endpoint_and_what_starts_it_before(many: Synthesis) -> None:
    template: Template = many.template("workload-bank")
    (endpoint,) = resources(template, "AWS::SageMaker::Endpoint")
    assert set(resources(template, "AWS::CloudWatch::Alarm")) <= dependencies(template, endpoint)
    template = many.template("workload-mnist-linear")
    (endpoint,) = resources(template, "AWS::SageMaker::Endpoint")
    (alarm,) = resources(template, "AWS::CloudWatch::Alarm")
    assert endpoint in dependencies(template, alarm)


def widgets(synthesis: Synthesis) -> list[dict[str, Any]]:
    template = synthesis.template("teardown")
    dashboard = resolve(one(template, "AWS::CloudWatch::Dashboard"), symbols(template, exported(synthesis)))
    assert dashboard["DashboardName"].startswith(f"sandcastle-{synthesis.environment}--dashboard-")
    found: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"])["widgets"]
    return found


def test_the_dashboard_shows_each_endpoint_in_a_row(many: Synthesis, few: Synthesis) -> None:
    titles = [[one["properties"]["title"] for one in widgets(synthesis)] for synthesis in (many, few)]
    usual = ("requests", "errors", "seconds for an answer")
    assert titles[0] == [
        *(f"bank: {what}" for what in (*usual, "instances, while requests come")),
        *(f"mnist-linear: {what}" for what in (*usual, "requests that wait")),
    ]
    assert titles[1] == [f"bank: {what}" for what in (*usual, "seconds to start, where nothing ran")]
    for graph in widgets(many):
        assert {graph["width"], graph["height"]} == {6}
    places = [(graph["x"], graph["y"]) for graph in widgets(many)]
    assert len(set(places)) == len(places) == 8


def test_the_dashboard_names_the_endpoints_that_there_are(many: Synthesis) -> None:
    named = {
        metric[3] for graph in widgets(many) for metric in graph["properties"]["metrics"] if isinstance(metric[0], str)
    }
    made = {
        resolved(many, workload, "AWS::SageMaker::Endpoint")["EndpointName"] for workload in ("bank", "mnist-linear")
    }
    assert named == made


def test_metrics_and_formulas_of_a_graph_fit_together(many: Synthesis, few: Synthesis) -> None:
    """Every formula uses ids that its graph has, and what is not shown is used in one."""
    for graph in (*widgets(many), *widgets(few)):
        settings = [metric[-1] for metric in graph["properties"]["metrics"]]
        ids = [one["id"] for one in settings if "id" in one]
        assert len(ids) == len(set(ids))
        used = {word for one in settings for word in one.get("expression", "").split() if not word.isdigit()} - {"/"}
        assert used == {one["id"] for one in settings if one.get("visible") is False}


def test_promises_hold_and_could_be_broken(many: Synthesis, few: Synthesis) -> None:
    for synthesis in (many, few):
        test_promises.test_every_promise_holds(synthesis)
        test_promises.test_every_role_of_ours_promises_what_it_may_not(synthesis)
        test_promises.test_a_broken_promise_would_be_seen(synthesis)
