"""Monitors of workloads as templates: what is asked of SageMaker, what looks when, and in which order it goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import monitor_run
import pytest

from sandcastle.template import resolve, symbols
from tests.lifecycle.environments import written
from tests.stacks import test_promises
from tests.stacks.graph import dependencies, ids, keeps_its_tools, matching, without_each_dependency
from tests.stacks.monitored import WORKLOADS, monitored
from tests.stacks.test_workloads import one, validate
from tests.synthesis import Synthesis, Template, exported, resources, synthesise


@pytest.fixture
def watched() -> Synthesis:
    """Three workloads that Model Monitor watches, and one that nothing watches."""
    return monitored("model-monitor")


@pytest.fixture
def portable() -> Synthesis:
    """The same with the engine that runs everywhere."""
    return monitored("portable")


def jobs(synthesis: Synthesis, workload: str, kind: str) -> list[dict[str, Any]]:
    """Return the requests of the workload's custom resources of a type, references replaced by symbols."""
    template = synthesis.template(f"workload-{workload}")
    lookup = symbols(template, exported(synthesis))
    found = resources(template, kind).values()
    return [json.loads(resolve(one["Properties"]["Request"], lookup)) for one in found]


def resolved(synthesis: Synthesis, workload: str, kind: str) -> dict[str, Any]:
    """Return the properties of the one resource of the type, references replaced by symbols."""
    template = synthesis.template(f"workload-{workload}")
    found: dict[str, Any] = resolve(one(template, kind), symbols(template, exported(synthesis)))
    return found


def outputs(synthesis: Synthesis, workload: str) -> dict[str, str]:
    template = synthesis.template(f"workload-{workload}")
    values = {key: one["Value"] for key, one in template["Outputs"].items()}
    found: dict[str, str] = resolve(values, symbols(template, exported(synthesis)))
    return found


@pytest.mark.parametrize("workload", ["bank", "penguins", "mnist-kmeans"])
def test_each_job_is_one_that_sagemaker_takes(watched: Synthesis, workload: str) -> None:
    for kind in ("Custom::SandcastleDataset", "Custom::SandcastleBaseline", "Custom::SandcastleEvaluation"):
        for request in jobs(watched, workload, kind):
            validate("CreateProcessingJob", {"ProcessingJobName": "x", **request})


def test_baselines_lie_where_their_fingerprint_says_and_are_what_the_schedules_compare_with(watched: Synthesis) -> None:
    found = outputs(watched, "bank")
    made = {
        request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        for request in jobs(watched, "bank", "Custom::SandcastleBaseline")
    }
    assert made == {found["DataQualityBaseline"], found["ModelQualityBaseline"]}
    for kind in ("DataQuality", "ModelQuality"):
        definition = resolved(watched, "bank", f"AWS::SageMaker::{kind}JobDefinition")
        config = definition[f"{kind}BaselineConfig"]
        assert config["ConstraintsResource"]["S3Uri"] == f"{found[f'{kind}Baseline']}/constraints.json"
        assert ("StatisticsResource" in config) == (kind == "DataQuality")
        (output,) = definition[f"{kind}JobOutputConfig"]["MonitoringOutputs"]
        assert output["S3Output"]["S3Uri"] == found["MonitoringReports"]
        assert definition["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert found["DataQualityBaseline"].split("/")[3:6] == ["bank", "monitoring", "baselines"]
    assert found["DataQualityBaseline"].endswith("/data")
    assert found["ModelQualityBaseline"].endswith("/model")
    assert found["MonitoringReports"].endswith("/bank/monitoring/reports")
    assert found["GroundTruth"].endswith("/bank/ground-truth")


@pytest.mark.parametrize("engine", ["model-monitor", "portable"])
def test_no_schedule_compares_with_a_baseline_before_it_has_slack(engine: str) -> None:
    synthesis = monitored(engine)
    for workload, labelled in (("bank", True), ("mnist-kmeans", False)):
        template, found = synthesis.template(f"workload-{workload}"), outputs(synthesis, workload)
        lookup = symbols(template, exported(synthesis))
        slack = resources(template, "Custom::SandcastleBaselineSlack")
        told = {key: resolve(one["Properties"], lookup) for key, one in slack.items()}
        kinds = ("Data", "Model") if workload == "bank" else ("Data",)
        assert {one["Baseline"] for one in told.values()} == {found[f"{kind}QualityBaseline"] for kind in kinds}
        assert {(one["Rows"], one["Labelled"]) for one in told.values()} == {(1000, labelled)}
        baselines = set(resources(template, "Custom::SandcastleBaseline"))
        assert all(baselines & dependencies(template, key) for key in told)
        for kind in ("AWS::SageMaker::MonitoringSchedule", "AWS::Scheduler::Schedule"):
            for schedule in resources(template, kind):
                assert set(told) & dependencies(template, schedule)


def test_the_baseline_of_data_is_made_of_rows_that_the_dataset_has_only_when_it_is_watched(watched: Synthesis) -> None:
    for workload in WORKLOADS:
        (dataset,) = jobs(watched, workload, "Custom::SandcastleDataset")
        folders = {one["OutputName"] for one in dataset["ProcessingOutputConfig"]["Outputs"]}
        assert ("baseline" in folders) == (dataset["Environment"].get("SANDCASTLE_BASELINE") == "true")
        assert ("baseline" in folders) == (workload != "fraud")
    (dataset,) = jobs(watched, "mnist-kmeans", "Custom::SandcastleDataset")
    written_to = {one["OutputName"]: one["S3Output"]["S3Uri"] for one in dataset["ProcessingOutputConfig"]["Outputs"]}
    (made,) = jobs(watched, "mnist-kmeans", "Custom::SandcastleBaseline")
    assert [one["S3Input"]["S3Uri"] for one in made["ProcessingInputs"]] == [written_to["baseline"]]


def test_the_model_is_asked_by_the_image_that_trained_it_and_its_answers_are_the_baseline(watched: Synthesis) -> None:
    for workload in ("bank", "penguins"):
        (asked,) = jobs(watched, workload, "Custom::SandcastleEvaluation")
        (trained,) = jobs(watched, workload, "Custom::SandcastleTrainedModel")
        assert asked["AppSpecification"]["ImageUri"] == trained["AlgorithmSpecification"]["TrainingImage"]
        inputs = {one["InputName"]: one["S3Input"]["S3Uri"] for one in asked["ProcessingInputs"]}
        assert set(inputs) == {"code", "model", "test", "about"}
        assert asked["NetworkConfig"] == {"EnableNetworkIsolation": True}
        (answers,) = (one["S3Output"]["S3Uri"] for one in asked["ProcessingOutputConfig"]["Outputs"])
        made = [
            one for one in jobs(watched, workload, "Custom::SandcastleBaseline") if "problem_type" in one["Environment"]
        ]
        (baseline,) = made
        (read,) = (one["S3Input"]["S3Uri"] for one in baseline["ProcessingInputs"])
        assert read == f"{answers}/predictions"
        assert baseline["Environment"]["ground_truth_attribute"] == "label"


def test_each_monitor_has_its_own_rhythm_and_model_quality_looks_an_hour_further_back(watched: Synthesis) -> None:
    for workload, kind, expression, hours in (
        ("bank", "data", "cron(0 * ? * * *)", None),
        ("bank", "quality", "cron(0 * ? * * *)", 2),
        ("penguins", "data", "cron(0 2/6 ? * * *)", None),
        ("penguins", "quality", "cron(0 0 ? * * *)", 25),
        ("mnist-kmeans", "data", "cron(0 * ? * * *)", None),
    ):
        template = watched.template(f"workload-{workload}")
        lookup = symbols(template, exported(watched))
        schedules = resolve(resources(template, "AWS::SageMaker::MonitoringSchedule"), lookup)
        (found,) = (
            one["Properties"]
            for one in schedules.values()
            if one["Properties"]["MonitoringScheduleName"].endswith(f"-{kind}")
        )
        config = found["MonitoringScheduleConfig"]
        assert config["ScheduleConfig"] == {"ScheduleExpression": expression}
        if hours:
            definition = resolved(watched, workload, "AWS::SageMaker::ModelQualityJobDefinition")
            given = definition["ModelQualityJobInput"]["EndpointInput"]
            assert (given["StartTimeOffset"], given["EndTimeOffset"]) == (f"-PT{hours}H", "-PT1H")


def test_where_the_prediction_is_in_an_answer(watched: Synthesis) -> None:
    score = resolved(watched, "bank", "AWS::SageMaker::ModelQualityJobDefinition")
    given = score["ModelQualityJobInput"]["EndpointInput"]
    assert (given["ProbabilityAttribute"], given["ProbabilityThresholdAttribute"]) == ("0", 0.5)
    assert score["ModelQualityAppSpecification"]["ProblemType"] == "BinaryClassification"
    species = resolved(watched, "penguins", "AWS::SageMaker::ModelQualityJobDefinition")
    assert species["ModelQualityJobInput"]["EndpointInput"]["InferenceAttribute"] == "prediction"
    kinds = {
        workload: resolved(watched, workload, "AWS::SageMaker::DataQualityJobDefinition")["DataQualityAppSpecification"]
        for workload in ("bank", "penguins", "mnist-kmeans")
    }
    told = {workload: one["Environment"]["SANDCASTLE_KIND"] for workload, one in kinds.items()}
    assert told == {"bank": "binary", "penguins": "multiclass", "mnist-kmeans": "clusters"}


def test_another_model_is_another_baseline_of_the_model_and_the_same_one_of_the_data(watched: Synthesis) -> None:
    changed = {**WORKLOADS, "bank": {**WORKLOADS["bank"], "hyperparameters": {"num_round": 7}}}
    settings = {"monthly_budget_usd": 2000, "monitoring": {"engine": "model-monitor"}}
    before, after = (
        outputs(watched, "bank"),
        outputs(synthesise(written("watched", workloads=changed, **settings)), "bank"),
    )
    assert before["DataQualityBaseline"] == after["DataQualityBaseline"]
    assert before["ModelQualityBaseline"] != after["ModelQualityBaseline"]


def test_jobs_that_run_side_by_side_leave_each_other_alone(watched: Synthesis) -> None:
    """An update of one stops those of the stack's other fingerprints, but for its siblings."""
    template = watched.template("workload-bank")
    side_by_side = {
        **resources(template, "Custom::SandcastleBaseline"),
        **resources(template, "Custom::SandcastleEvaluation"),
    }
    prints = {one["Properties"]["Fingerprint"] for one in side_by_side.values()}
    assert len(prints) == 3
    for job in side_by_side.values():
        own = job["Properties"]["Fingerprint"]
        assert set(job["Properties"]["Siblings"]) == prints - {own}


ORDER = [
    # goes first, goes later, why; patterns of ids
    ("MonitoringSchedulesRest", "Monitoring(Data|Model)QualitySchedule.*", "CloudFormation waits for no job of theirs"),
    ("Monitoring(Data|Model)QualitySchedule.*", "MonitoringSchedulesPause", "their jobs end before they change"),
    ("Monitoring(Data|Model)QualitySchedule.*", "Monitoring(Data|Model)QualityDefinition.*", "a schedule locks it"),
    ("Monitoring(Data|Model)QualityDefinition.*", "HostedModelEndpoint.*", "nothing watches what is gone"),
    ("Monitoring(Data|Model)QualityDefinition.*", "Monitoring(Data|Model)QualityBaseline.*", "what it compares with"),
    ("Monitoring(Data|Model)QualityDefinition.*", "MonitoringRole.*", "jobs work as the role until they are gone"),
    ("MonitoringModelQualityBaseline.*", "MonitoringModelQualityEvaluation.*", "made of its answers"),
    ("MonitoringModelQualityEvaluation.*", "TrainedModelJob.*", "it asks that model"),
    ("MonitoringModelQualityEvaluation.*", "MonitoringJudgeRole.*", "its role"),
    ("MonitoringDataQualityBaseline.*", "DatasetJob.*", "made of its rows"),
    ("Monitoring(Judge)?Role.*", "JobLogs[0-9A-F]{8}|JobLogs", "a deleted role brings no log group back"),
]


def own_kind(first: str, laters: set[str]) -> set[str]:
    """Return those of the later ones that are of the same monitor, where they belong to one."""
    for kind in ("DataQuality", "ModelQuality"):
        if f"Monitoring{kind}" in first:
            return {one for one in laters if "Quality" not in one or kind in one}
    return laters


def in_order(template: Template, first: str, later: str) -> bool:
    firsts, laters = matching(template, first), matching(template, later)
    assert firsts, first
    assert laters, later
    return all(own_kind(one, laters) <= dependencies(template, one) for one in firsts)


@pytest.mark.parametrize(("first", "later", "why"), ORDER, ids=[f"{one[0]}-{one[1]}" for one in ORDER])
def test_order(watched: Synthesis, first: str, later: str, why: str) -> None:
    for workload in ("bank", "penguins"):
        assert in_order(watched.template(f"workload-{workload}"), first, later), why


def test_the_janitor_keeps_what_it_works_with(watched: Synthesis) -> None:
    for workload in ("bank", "penguins", "mnist-kmeans"):
        assert keeps_its_tools(watched.template(f"workload-{workload}"), "MonitoringSchedulesRest")


def test_each_dependency_of_the_monitors_is_one_that_these_tests_ask_for(watched: Synthesis) -> None:
    number = 0
    for edge, without in without_each_dependency(watched.template("workload-bank")):
        if not edge.startswith("Monitoring"):
            continue
        kept = all(in_order(without, first, later) for first, later, _ in ORDER)
        assert not (kept and keeps_its_tools(without, "MonitoringSchedulesRest")), edge
        number += 1
    assert number > 5


def test_a_change_of_anything_that_a_schedule_refers_to_ends_its_jobs_first(watched: Synthesis) -> None:
    template = watched.template("workload-penguins")
    pause = one(template, "Custom::SandcastleMonitorPause")
    assert {ref["Ref"] for ref in pause["Definitions"]} == {
        *resources(template, "AWS::SageMaker::DataQualityJobDefinition"),
        *resources(template, "AWS::SageMaker::ModelQualityJobDefinition"),
    }
    assert set(pause["Expressions"]) == {"cron(0 2/6 ? * * *)", "cron(0 0 ? * * *)"}
    assert pause["When"] == "Update"
    assert one(template, "Custom::SandcastleMonitorRest")["When"] == "Delete"


def test_every_promise_holds(watched: Synthesis) -> None:
    test_promises.test_every_promise_holds(watched)


def test_who_has_no_monitors_has_nothing_of_them(watched: Synthesis) -> None:
    template = watched.template("workload-fraud")
    assert not [key for key in template["Resources"] if key.startswith("Monitoring")]
    assert "MonitoringReports" not in template["Outputs"]
    assert ids(watched.template("workload-bank"), "AWS::IAM::Role", "MonitoringRole")


def calls(synthesis: Synthesis, workload: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return expression and input of the workload's schedules of Scheduler, by the monitor's end of the name."""
    template = synthesis.template(f"workload-{workload}")
    lookup = symbols(template, exported(synthesis))
    found = [one["Properties"] for one in resources(template, "AWS::Scheduler::Schedule").values()]
    return {
        resolve(one["Name"], lookup).rpartition("-")[2]: (
            one["ScheduleExpression"],
            json.loads(resolve(one["Target"]["Input"], lookup)),
        )
        for one in found
    }


@pytest.mark.parametrize("workload", ["bank", "penguins", "mnist-kmeans"])
def test_a_portable_run_is_a_job_that_sagemaker_takes(portable: Synthesis, workload: str) -> None:
    for expression, event in calls(portable, workload).values():
        assert expression.startswith("cron(10 ")
        assert len(json.dumps(event)) < 100_000  # Scheduler takes 256 KB
        request = monitor_run.request_of(event, datetime(2026, 3, 1, 15, tzinfo=UTC), [("s3://a/b", "/c")], [])
        validate("CreateProcessingJob", request)
        assert request["AppSpecification"]["ContainerEntrypoint"][-1].count("analyze") == 1
        assert request["Environment"]["SANDCASTLE_PUBLISH"] == "1"
        assert "NetworkConfig" not in request


def test_both_engines_have_the_same_places_windows_and_reading(watched: Synthesis, portable: Synthesis) -> None:
    for workload in ("bank", "penguins"):
        service, ours = outputs(watched, workload), outputs(portable, workload)
        assert set(service) == set(ours)
        (_, data), (_, model) = (calls(portable, workload)[end] for end in ("data", "quality"))
        definition = resolved(watched, workload, "AWS::SageMaker::ModelQualityJobDefinition")
        given = definition["ModelQualityJobInput"]["EndpointInput"]
        assert given["StartTimeOffset"] == f"-PT{model['hours'] + model['late']}H"
        assert given["EndTimeOffset"] == f"-PT{model['late']}H"
        told = model["request"]["Environment"]
        assert told["problem_type"] == definition["ModelQualityAppSpecification"]["ProblemType"]
        place = given.get("InferenceAttribute") or given.get("ProbabilityAttribute")
        assert place in (told.get("inference_attribute"), told.get("probability_attribute"))
        definition = resolved(watched, workload, "AWS::SageMaker::DataQualityJobDefinition")
        reading = definition["DataQualityAppSpecification"]["Environment"]
        assert reading.items() <= data["request"]["Environment"].items()
        assert data["reports"].endswith(f"/{workload}/monitoring/reports")
        assert data["schedule"] == ours["DataQualitySchedule"]


PORTABLE_ORDER = [
    ("Monitoring(Data|Model)QualitySchedule.*", "HostedModelEndpoint.*", "nothing watches what is gone"),
    ("Monitoring(Data|Model)QualitySchedule.*", "Monitoring(Data|Model)QualityBaseline.*", "what it compares with"),
    ("Monitoring(Data|Model)QualitySchedule.*", "MonitoringSchedulesFunction.*", "what it calls"),
    ("Monitoring(Data|Model)QualityBaseline.*", "MonitoringRole.*", "it ends the runs, which work as the role"),
]


@pytest.mark.parametrize(("first", "later", "why"), PORTABLE_ORDER)
def test_portable_order(portable: Synthesis, first: str, later: str, why: str) -> None:
    for workload in ("bank", "penguins"):
        assert in_order(portable.template(f"workload-{workload}"), first, later), why


def test_what_starts_runs_is_bounded_by_the_budget(portable: Synthesis) -> None:
    template = portable.template("workload-bank")
    (role,) = ids(template, "AWS::IAM::Role", "MonitoringSchedulesFunctionRole")
    assert role in json.dumps(resources(template, "AWS::Budgets::BudgetsAction"))


def test_every_promise_of_the_portable_engine_holds(portable: Synthesis) -> None:
    test_promises.test_every_promise_holds(portable)
