"""Estimates of small apps whose bills are known: what is fixed, what is use, and what has no price."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from operations.errors import UsageError
from operations.project import ROOT
from operations.review.cost import Assumptions, assumed, estimate
from operations.review.cost.times import firings
from tests.operations.review.cost.apps import HOURS, app, costs, endpoint, line, one, resource


def test_instances_run_all_month_whether_or_not_anybody_asks() -> None:
    found = estimate(app(main=endpoint(InitialInstanceCount=2)))
    it = line(found, "instances")
    assert it.monthly == pytest.approx(2 * 0.115 * HOURS)
    assert (it.kind, it.confidence, it.each, it.unit) == ("fixed", "high", 0.115, "hour")
    assert found.monthly == it.monthly
    assert found.saved_by_destroy.known == it.monthly


def test_what_has_no_price_is_named_and_never_zero() -> None:
    found = estimate(app("eu-west-1", main=endpoint()))
    it = line(found, "instances")
    assert it.monthly is None
    assert it.assumption == "no price for ml.m5.large hosting in eu-west-1"
    assert found.total("fixed").unpriced == ("endpoint, 1 x ml.m5.large",)
    assert found.document()["totals"]["fixed"] == {"monthly_usd": 0, "no_price": ["endpoint, 1 x ml.m5.large"]}


@pytest.mark.parametrize("kind", ["AWS::Redshift::Cluster", "AWS::CloudFormation::Stack", ""])
def test_a_type_that_nothing_is_known_about_is_named(kind: str) -> None:
    (it,) = estimate(one(kind)).lines
    assert it.monthly is None
    assert kind in it.what


def test_an_app_for_no_region_has_no_prices_until_one_is_said() -> None:
    assembly = app(None, main=endpoint())
    assert line(estimate(assembly), "instances").monthly is None
    assert line(estimate(assembly, region="us-east-1"), "instances").monthly == pytest.approx(0.115 * HOURS)
    assert estimate(assembly).region is None


def test_scaling_counts_its_least_and_says_what_more_would_cost() -> None:
    name = {"Fn::Join": ["", ["endpoint/", {"Fn::GetAtt": ["Endpoint", "EndpointName"]}, "/variant/main"]]}
    scaled = endpoint(InitialInstanceCount=3) | {
        "Target": resource(
            "AWS::ApplicationAutoScaling::ScalableTarget", ResourceId=name, MinCapacity=0, MaxCapacity=4
        ),
        "Policy": resource("AWS::ApplicationAutoScaling::ScalingPolicy", PolicyType="TargetTrackingScaling"),
    }
    found = costs(app(main=scaled), busy_hours=7)
    assert line(found, "instances").monthly == 0.0
    assert line(found, "scaling").monthly == pytest.approx(7 * 0.115)
    assert found.monthly == pytest.approx(2 * 0.1)  # the two alarms of target tracking


def test_a_serverless_endpoint_costs_by_request() -> None:
    variant = {"VariantName": "main", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
    found = costs(app(main=endpoint(**variant)), requests=1000, request_seconds=0.5)
    it = line(found, "requests")
    assert (it.kind, it.monthly) == ("use", pytest.approx(1000 * 0.5 * 2 * 0.00002))
    assert found.monthly == 0.0
    ready = {**variant, "ServerlessConfig": {"MemorySizeInMB": 2048, "ProvisionedConcurrency": 2}}
    assert line(costs(app(main=endpoint(**ready))), "ready").monthly is None


def test_the_night_takes_endpoints_and_their_hourly_monitors_away() -> None:
    def at(do: str, hour: int) -> dict[str, Any]:
        said = {"Arn": {"Fn::GetAtt": ["Night", "Arn"]}, "Input": json.dumps({"do": do})}
        return resource("AWS::Scheduler::Schedule", ScheduleExpression=f"cron(0 {hour} * * ? *)", Target=said)

    night = {
        "Night": resource(
            "AWS::Lambda::Function", Handler="nightly.handler", Environment={"Variables": {"ENDPOINTS": "true"}}
        ),
        "Stop": at("stop", 22),
        "Wake": at("wake", 6),
    }
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large"}
    watched = endpoint() | {
        "Definition": resource("AWS::SageMaker::DataQualityJobDefinition", JobResources={"ClusterConfig": cluster}),
        "Schedule": resource(
            "AWS::SageMaker::MonitoringSchedule",
            MonitoringScheduleConfig={
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
                "MonitoringJobDefinitionName": {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Definition"}]}]},
                "MonitoringType": "DataQuality",
            },
        ),
    }
    found = estimate(app(main=watched, night=night))
    awake = 0.115 * HOURS * (1 + 10 / 60)
    assert found.monthly == pytest.approx(awake * 16 / 24)
    assert line(found, "night instances").monthly == pytest.approx(-0.115 * HOURS * 8 / 24)
    del night["Wake"]
    assert estimate(app(main=watched, night=night)).monthly == pytest.approx(awake)  # nothing is promised then


def test_a_monitor_of_data_quality_costs_its_metrics_while_the_endpoint_is_asked() -> None:
    told = {"request": {"ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}}}}
    hourly = resource(
        "AWS::Scheduler::Schedule", ScheduleExpression="cron(10 * ? * * *)", Target={"Input": json.dumps(told)}
    )
    assembly = app(main={"DataQuality": hourly, "ModelQuality": hourly})
    found = costs(assembly, columns=784, asked_hours=73)
    assert line(found, "metrics").monthly == pytest.approx(3 * 784 * 0.1 * 0.30)
    assert found.monthly == pytest.approx(2 * 0.115 * HOURS / 6)
    assert line(costs(assembly, asked_hours=9999, columns=1), "metrics").monthly == pytest.approx(0.9)


def test_jobs_of_a_deploy_cost_by_run_and_never_longer_than_they_may() -> None:
    inner = {
        "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 180},
    }
    limits = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 9}}
    request = json.dumps({"HyperParameterTuningJobConfig": limits, "TrainingJobDefinition": inner, "RoleArn": "#"})
    joined = {"Fn::Join": ["", [request.partition("#")[0], {"Ref": "Role"}, request.partition("#")[2]]]}
    found = costs(one("Custom::SandcastleTrainedModel", Request=joined), job_minutes=5, trainings=3)
    (it,) = [one for one in found.lines if one.part == "training"]
    each = 9 * 2 * 3 / 60 * 0.23
    assert it.each == pytest.approx(each)
    assert it.monthly == pytest.approx(3 * each)
    assert (it.kind, it.unit) == ("use", "run")


def test_a_run_of_a_pipeline_is_all_its_steps_with_its_parameters() -> None:
    cluster = {"InstanceCount": 1, "InstanceType": {"Get": "Parameters.Kind"}, "VolumeSizeInGB": 10}
    prepare = {"ProcessingResources": {"ClusterConfig": cluster}}
    steps = [
        {"Name": "A", "Type": "Processing", "Arguments": prepare},
        {"Name": "If", "Type": "Condition", "Arguments": {"IfSteps": [{"Name": "B", "Arguments": prepare}]}},
    ]
    body = {"Parameters": [{"Name": "Kind", "DefaultValue": "ml.m5.large"}], "Steps": steps}
    found = costs(
        one("AWS::SageMaker::Pipeline", PipelineDefinition={"PipelineDefinitionBody": json.dumps(body)}),
        job_minutes=6,
    )
    (run,) = [one for one in found.lines if one.part == "processing"]
    assert run.monthly == pytest.approx(2 * 0.1 * 0.115)
    (disk,) = [one for one in found.lines if one.part == "processing disk"]
    assert disk.monthly is None


def test_people_cost_their_apps_and_their_disks() -> None:
    settings = {
        "SpaceStorageSettings": {"DefaultEbsStorageSettings": {"DefaultEbsVolumeSizeInGb": 10}},
        "JupyterLabAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.t3.medium"}},
    }
    studio = {
        "Domain": resource(
            "AWS::SageMaker::Domain", DefaultUserSettings=settings, HomeEfsFileSystemCreation="Disabled"
        ),
        "Ada": resource("AWS::SageMaker::UserProfile", UserProfileName="ada", DomainId={"Ref": "Domain"}),
    }
    found = costs(app(studio=studio), app_hours=10)
    assert found.users == ("ada",)
    assert found.total("use", user="ada").known == pytest.approx(10 * 0.05)
    assert found.total("storage", user="ada").known == pytest.approx(10 * 0.112)
    assert found.monthly == 0.0
    del studio["Domain"]["Properties"]["HomeEfsFileSystemCreation"]
    assert line(costs(app(studio=studio), stored_gb=2), "home").monthly == pytest.approx(2 * 0.3)


def test_a_notebook_that_nothing_stops_runs_all_month() -> None:
    its = {"It": resource("AWS::SageMaker::NotebookInstance", InstanceType="ml.t3.medium", VolumeSizeInGB=20)}
    found = costs(app(main=its))
    assert found.monthly == pytest.approx(20 * 0.14 + 0.05 * HOURS)
    stop = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"}
    stopped = costs(app(main=its | {"Stop": resource("AWS::Scheduler::Schedule", Target=stop)}), notebook_hours=4)
    assert stopped.monthly == pytest.approx(20 * 0.14)
    assert line(stopped, "hours").monthly == pytest.approx(4 * 0.05)


@pytest.mark.parametrize(
    ("kind", "properties", "fixed"),
    [
        ("AWS::EC2::NatGateway", {}, 0.045 * HOURS),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}, 2 * 0.01 * HOURS),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}, 0.0),
        ("AWS::EC2::EIP", {}, 0.005 * HOURS),
        ("AWS::EC2::Volume", {"VolumeType": "gp3", "Size": "50"}, 50 * 0.08),
        ("AWS::KMS::Key", {}, 1.0),
        ("AWS::CloudWatch::Alarm", {"Period": 60}, 0.1),
        ("AWS::CloudWatch::Alarm", {"Period": 10}, 0.3),
        ("AWS::CloudWatch::Alarm", {"Metrics": [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "a+b"}]}, 0.2),
        ("AWS::SageMaker::App", {"ResourceSpec": {"InstanceType": "ml.t3.medium"}}, 0.05 * HOURS),
        ("AWS::SageMaker::App", {"ResourceSpec": {"InstanceType": "system"}}, 0.0),
        ("AWS::S3::Bucket", {}, 0.0),
        ("AWS::IAM::Role", {}, 0.0),
    ],
)
def test_fixed_cost_of_a_resource(kind: str, properties: dict[str, Any], fixed: float) -> None:
    assert estimate(one(kind, **properties)).monthly == pytest.approx(fixed)


def test_three_dashboards_and_two_budgets_with_actions_are_free() -> None:
    boards = {f"D{number}": resource("AWS::CloudWatch::Dashboard") for number in range(5)}
    assert estimate(app(main=boards)).monthly == pytest.approx(2 * 3.0)
    actions = {f"A{number}": resource("AWS::Budgets::BudgetsAction", BudgetName=f"b{number}") for number in range(3)}
    days = 3 * 365 / 12 - 62
    assert estimate(app(main=actions)).monthly == pytest.approx(days * 0.1)
    same = {key: resource("AWS::Budgets::BudgetsAction", BudgetName={"Ref": "B"}) for key in ("A1", "A2", "A3")}
    assert estimate(app(main=same)).monthly == 0.0


def test_what_a_template_keeps_is_billed_on_after_a_destroy() -> None:
    kept = {"Kept": {**resource("AWS::S3::Bucket"), "DeletionPolicy": "Retain"}, "Gone": resource("AWS::S3::Bucket")}
    found = costs(app(main=kept), stored_gb=100)
    assert found.saved_by_destroy.known == pytest.approx(2.3)
    assert [one.path for one in found.left_by_destroy] == ["Kept"]


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("cron(0 * ? * * *)", 730),
        ("cron(10 2/6 ? * * *)", 4 * 730 / 24),
        ("cron(0 0/7 ? * * *)", 4 * 730 / 24),
        ("cron(0,30 8-17 * * ? *)", 20 * 730 / 24),
        ("cron(0/15 * * * ? *)", 4 * 730),
        ("rate(1 hour)", 730),
        ("rate(10 minutes)", 4380),
        ("rate(1 day)", 730 / 24),
        ("cron(0 8 ? * MON-FRI *)", None),
        ("cron(0 25 ? * * *)", None),
        ("cron(0 8/0 ? * * *)", None),
        ("rate(0 hours)", None),
        ("NOW", None),
    ],
)
def test_how_often_schedules_fire(expression: str, times: float | None) -> None:
    assert firings(expression) == (None if times is None else pytest.approx(times))


def test_amounts_of_use_are_changed_by_name() -> None:
    assert assumed(["app_hours=80", "calls=0"]) == Assumptions(app_hours=80, calls=0)
    for text, said in (
        ("app_hour=80", "did you mean app_hours"),
        ("calls=many", "must be a number"),
        ("calls=-1", "0 or more"),
        ("calls=nan", "must be a number"),
        ("calls", "must be a number"),
    ):
        with pytest.raises(UsageError, match=said):
            assumed([text])


def test_the_documentation_has_every_amount_with_its_figure() -> None:
    text = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (`[a-z_`, ]+) \| .* \| ([0-9,]+(?: and [0-9,]+)?) \|$", text, re.MULTILINE))
    said = {
        name: float(figure.replace(",", ""))
        for names, figures in rows.items()
        for name, figure in zip(re.findall(r"[a-z_]+", names), figures.split(" and "), strict=True)
    }
    assert said == Assumptions().document()
