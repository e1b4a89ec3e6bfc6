"""Alarms of monitors as templates: one for violations and one for failures of each, what the rule hears, the graphs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandcastle.config import load_environment
from sandcastle.config.idle import standing_of
from sandcastle.dashboard import MOST_METRICS
from sandcastle.naming import PipelineNames
from sandcastle.template import resolve, symbols
from tests.lifecycle.environments import written
from tests.stacks.monitored import ENGINES, WORKLOADS, monitored
from tests.stacks.test_pipelines import PART
from tests.stacks.test_workloads import one
from tests.synthesis import ROOT, Synthesis, exported, resources

SCHEDULES = ("DataQualitySchedule", "ModelQualitySchedule", "BatchDataQualitySchedule")
MONITORED = [name for name, settings in WORKLOADS.items() if settings]


def found(synthesis: Synthesis, part: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of the stack's resources of a type, references replaced by symbols."""
    template = synthesis.template(part)
    lookup = symbols(template, exported(synthesis))
    return [resolve(each["Properties"], lookup) for each in resources(template, kind).values()]


def alarms(synthesis: Synthesis, part: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the alarms of monitors by schedule and metric."""
    every = found(synthesis, part, "AWS::CloudWatch::Alarm")
    ours = [each for each in every if each["Namespace"] == "Sandcastle/Monitors"]
    return {(each["Dimensions"][0]["Value"], each["MetricName"]): each for each in ours}


def told(synthesis: Synthesis, part: str) -> dict[str, str]:
    """Return the variables of the function that tells what was found."""
    every = found(synthesis, part, "AWS::Lambda::Function")
    (variables,) = (each["Environment"]["Variables"] for each in every if each["Handler"] == "monitor_found.handler")
    return dict(variables)


def prefixes(synthesis: Synthesis, part: str) -> list[str]:
    """Return what an output of a job begins with that the rule hears of."""
    kind = "SageMaker Processing Job State Change"
    rules = [each["EventPattern"] for each in found(synthesis, part, "AWS::Events::Rule")]
    (detail,) = (each["detail"] for each in rules if each["detail-type"] == [kind])
    assert detail["ProcessingJobStatus"] == ["Completed", "Failed", "Stopped"]
    (folders,) = detail["ProcessingOutputConfig"]["Outputs"].values()
    return [each["prefix"] for each in folders["S3Uri"]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("workload", MONITORED)
def test_each_monitor_has_an_alarm_for_what_it_finds_and_one_for_its_failures(engine: str, workload: str) -> None:
    synthesis, part = monitored(engine), f"workload-{workload}"
    template = synthesis.template(part)
    outputs = resolve(
        {key: each["Value"] for key, each in template["Outputs"].items()}, symbols(template, exported(synthesis))
    )
    schedules = {outputs[key] for key in SCHEDULES if key in outputs}
    rings = alarms(synthesis, part)
    assert set(rings) == {(name, metric) for name in schedules for metric in ("Violations", "FailedRuns")}
    for ring in rings.values():
        assert ring["AlarmActions"] == ring["OKActions"] != []
        assert (ring["TreatMissingData"], ring["Threshold"]) == ("ignore", 0)
    assert told(synthesis, part)["MERGING"] == outputs.get("ModelQualitySchedule", "")


@pytest.mark.parametrize("engine", ENGINES)
def test_alarms_are_those_that_the_budget_counts(engine: str) -> None:
    synthesis = monitored(engine)
    environment = load_environment(written(ENGINES[engine], workloads=WORKLOADS, monthly_budget_usd=2000), ROOT)
    every = [resources(template, "AWS::CloudWatch::Alarm") for template in synthesis.templates.values()]
    (counted,) = (each.units for each in standing_of(environment) if each.item == "alarm")
    assert sum(map(len, every)) == counted


@pytest.mark.parametrize("engine", ENGINES)
def test_the_rule_hears_of_runs_and_of_no_other_job(engine: str) -> None:
    synthesis = monitored(engine)
    template = synthesis.template("workload-bank")
    outputs = resolve(
        {key: each["Value"] for key, each in template["Outputs"].items()}, symbols(template, exported(synthesis))
    )
    (begin,) = prefixes(synthesis, "workload-bank")
    assert begin == f"{outputs['MonitoringReports']}/"
    for other in ("DataQualityBaseline", "ModelQualityBaseline", "DatasetUri"):
        assert not outputs[other].startswith(begin)
    variables = told(synthesis, "workload-bank")
    assert not variables["TOLD"].startswith(begin)
    capture, truth, merged, _ = json.loads(variables["WATCHED"])
    (config,) = found(synthesis, "workload-bank", "AWS::SageMaker::EndpointConfig")
    assert (capture, truth) == (config["DataCaptureConfig"]["DestinationS3Uri"], outputs["GroundTruth"])
    assert merged.startswith(begin)


def test_a_pipelines_monitors_are_told_alike(with_pipelines: Synthesis) -> None:
    from pipeline_monitors import KINDS, Monitors

    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        names = PipelineNames(with_pipelines.environment, workload.name, part=PART)
        every = found(with_pipelines, workload.stack, "AWS::Lambda::Function")
        (given,) = (each for each in every if each["Handler"] == "pipeline_schedules.handler")
        monitors = Monitors.of(given["Environment"]["Variables"], names.endpoint)
        rings = alarms(with_pipelines, workload.stack)
        assert set(rings) == {
            (monitors.schedule(kind), metric) for kind in KINDS for metric in ("Violations", "FailedRuns")
        }
        baselines = {
            part: {"Statistics": {"S3Uri": "s"}, "Constraints": {"S3Uri": "c"}}
            for part in ("ModelDataQuality", "ModelQuality")
        }
        variables = told(with_pipelines, workload.stack)
        watched = json.loads(variables["WATCHED"])
        for kind, begin in zip(KINDS, prefixes(with_pipelines, workload.stack), strict=True):
            definition = monitors.definition(kind, baselines)
            (output,) = definition[f"{kind}JobOutputConfig"]["MonitoringOutputs"]
            assert f"{output['S3Output']['S3Uri']}/" == begin
        assert definition["ModelQualityJobInput"]["GroundTruthS3Input"]["S3Uri"] == watched[1]
        assert watched[2] == f"{begin}merge"
        assert variables["MERGING"] == monitors.schedule("ModelQuality")


def graphs(synthesis: Synthesis) -> list[dict[str, Any]]:
    """Return the widgets of the environment's dashboard."""
    template = synthesis.template("teardown")
    dashboard = resolve(one(template, "AWS::CloudWatch::Dashboard"), symbols(template, exported(synthesis)))
    widgets: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"])["widgets"]
    return widgets


@pytest.mark.parametrize("engine", ENGINES)
def test_the_dashboard_shows_distances_violations_and_right_answers(engine: str) -> None:
    synthesis = monitored(engine)
    shown = {each["properties"]["title"]: each for each in graphs(synthesis)}
    monitors = {
        title: each["properties"]["metrics"] for title, each in shown.items() if each["properties"]["period"] == 3600
    }
    far = {title.removesuffix(", 2 farthest distances") for title in monitors if "farthest" in title}
    assert far == {
        f"{name}: {kind}" for name in MONITORED for kind in WORKLOADS[name]["monitors"] if kind != "model-quality"
    }
    assert {title for title in monitors if "farthest" not in title} == {
        *(f"{name}: violations" for name in MONITORED),
        *(f"{name}: right answers" for name in ("bank", "penguins")),
    }
    schedules = {schedule for name in MONITORED for schedule, _ in alarms(synthesis, f"workload-{name}")}
    assert {metric[3] for name in MONITORED for metric in monitors[f"{name}: violations"]} == schedules
    places = [(each["x"], each["y"]) for each in shown.values()]
    assert len(set(places)) == len(places)
    assert all(each["x"] + each["width"] <= 24 for each in shown.values())


def test_distances_are_searched_for_where_the_engines_write_them() -> None:
    """Of transform jobs they have no endpoint, and another namespace."""
    synthesis = monitored("model-monitor")
    shown = {each["properties"]["title"]: each["properties"]["metrics"] for each in graphs(synthesis)}
    data, batch = (
        name for name in sorted({name for name, _ in alarms(synthesis, "workload-mnist-linear")}, reverse=True)
    )
    assert batch.endswith("-batch")
    for kind, schema, schedule in (
        ("data-quality", '"aws/sagemaker/Endpoints/data-metrics",Endpoint,MonitoringSchedule', data),
        ("batch-data-quality", '"aws/sagemaker/ModelMonitoring/data-metrics",MonitoringSchedule', batch),
    ):
        ((search,),) = shown[f"mnist-linear: {kind}, 2 farthest distances"]
        assert search["expression"] == (
            f"SORT(SEARCH('{{{schema}}} MonitoringSchedule=\"{schedule}\" MetricName=feature_baseline_drift', "
            "'Maximum', 3600), MAX, DESC, 2)"
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_dashboard_stays_one_that_costs_nothing(engine: str) -> None:
    metrics = set[tuple[str, ...]]()
    searched = 0
    for each in graphs(monitored(engine)):
        for metric in each["properties"]["metrics"]:
            metrics |= {tuple(metric[:-1])} - {()}
            if "SEARCH" in metric[-1].get("expression", ""):
                searched += int(metric[-1]["expression"].rpartition(",")[2].strip(" )"))
    assert searched > 0
    assert len(metrics) + searched <= MOST_METRICS


def test_pipelines_monitors_are_shown_before_there_is_an_endpoint(with_pipelines: Synthesis) -> None:
    titles = [each["properties"]["title"] for each in graphs(with_pipelines)]
    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        assert f"{workload.name}: violations" in titles


def test_what_is_not_watched_has_none_of_it() -> None:
    synthesis = monitored("portable")
    assert not alarms(synthesis, "workload-fraud")
    assert not any(
        each["Handler"].startswith("monitor") for each in found(synthesis, "workload-fraud", "AWS::Lambda::Function")
    )
