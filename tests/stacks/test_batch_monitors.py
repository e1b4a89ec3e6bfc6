"""Monitors of transform jobs as templates: what is asked of SageMaker, by which rows, and who may do what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import batch_monitor_run
import pytest

from sandcastle.template import resolve, symbols
from tests.stacks import test_promises
from tests.stacks.graph import ids
from tests.stacks.monitored import monitored
from tests.stacks.test_monitors import calls, in_order, jobs, outputs, resolved
from tests.stacks.test_workloads import validate
from tests.synthesis import Synthesis, exported, resources

ENGINES = pytest.mark.parametrize("engine", ["model-monitor", "portable"])
BESIDE, ALONE = "mnist-linear", "digits"
"""A workload whose endpoint is monitored, too, and one that has none."""


def definitions(synthesis: Synthesis, workload: str) -> dict[str, dict[str, Any]]:
    """Return inputs and more of the workload's definitions of data quality, by what they look at."""
    template = synthesis.template(f"workload-{workload}")
    lookup = symbols(template, exported(synthesis))
    found = [resolve(one["Properties"], lookup) for one in resources(template, TYPE).values()]
    return {next(iter(one["DataQualityJobInput"])): one for one in found}


TYPE = "AWS::SageMaker::DataQualityJobDefinition"


@ENGINES
def test_the_baseline_is_made_of_rows_as_the_model_is_asked(engine: str) -> None:
    synthesis = monitored(engine)
    for workload in (BESIDE, ALONE):
        (dataset,) = jobs(synthesis, workload, "Custom::SandcastleDataset")
        assert dataset["Environment"]["SANDCASTLE_ASKED"] == "true"
        assert dataset["Environment"]["SANDCASTLE_BASELINE"] == "true"
        writes = {one["OutputName"]: one["S3Output"]["S3Uri"] for one in dataset["ProcessingOutputConfig"]["Outputs"]}
        made = {
            one["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]: one["ProcessingInputs"]
            for one in jobs(synthesis, workload, "Custom::SandcastleBaseline")
        }
        own = made[outputs(synthesis, workload)["BatchDataQualityBaseline"]]
        assert [one["S3Input"]["S3Uri"] for one in own if one["InputName"] == "baseline_dataset_input"] == [
            writes["asked"]
        ]
        assert len(made) == (2 if workload == BESIDE else 1)


def test_the_service_looks_at_what_transform_jobs_capture() -> None:
    watched = monitored("model-monitor")
    assert set(definitions(watched, BESIDE)) == {"EndpointInput", "BatchTransformInput"}
    assert set(definitions(watched, ALONE)) == {"BatchTransformInput"}
    for workload, hours in ((BESIDE, 1), (ALONE, 24)):
        found = outputs(watched, workload)
        definition = definitions(watched, workload)["BatchTransformInput"]
        validate("CreateDataQualityJobDefinition", {"JobDefinitionName": "x", **definition})
        given = definition["DataQualityJobInput"]["BatchTransformInput"]
        assert given["DataCapturedDestinationS3Uri"] == found["BatchCapture"]
        assert found["BatchCapture"].endswith(f"/{workload}/transform/captured")
        assert given["DatasetFormat"] == {"Csv": {"Header": False}}
        assert (given["StartTimeOffset"], given["EndTimeOffset"]) == (f"-PT{hours + 1}H", "-PT1H")
        assert "RecordPreprocessorSourceUri" not in definition["DataQualityAppSpecification"]
        baseline = definition["DataQualityBaselineConfig"]["StatisticsResource"]["S3Uri"]
        assert baseline == f"{found['BatchDataQualityBaseline']}/statistics.json"


def test_without_an_endpoint_nothing_waits_for_one() -> None:
    for engine in ("model-monitor", "portable"):
        template = monitored(engine).template(f"workload-{ALONE}")
        assert not resources(template, "AWS::SageMaker::Endpoint")
        assert in_order(template, "MonitoringBatchDataQualitySchedule.*", "MonitoringBatchDataQualityBaseline.*")


def test_a_portable_run_is_a_job_that_sagemaker_takes() -> None:
    portable = monitored("portable")
    for workload, hours in ((BESIDE, 1), (ALONE, 24)):
        found, (expression, event) = outputs(portable, workload), calls(portable, workload)["batch"]
        assert expression.startswith("cron(10 ")
        assert (event["hours"], event["late"]) == (hours, 1)
        assert event["schedule"] == found["BatchDataQualitySchedule"]
        assert event["captured"] == found["BatchCapture"]
        request = batch_monitor_run.request_of(event, datetime(2026, 3, 1, 15, tzinfo=UTC), ["s3://bucket/1.json"])
        validate("CreateProcessingJob", request)
        (rows,) = (one["S3Input"] for one in request["ProcessingInputs"] if one["InputName"] == "rows-1")
        assert rows["S3DataType"] == "ManifestFile"
        told = request["Environment"]
        assert rows["LocalPath"].startswith(f"{told['dataset_source']}/")
        assert json.loads(told["dataset_format"]) == {"csv": {"header": False}}
        assert "sagemaker_endpoint_name" not in told
        assert (told["start_time"], told["end_time"][:13]) == (
            f"2026-0{'3-01' if hours == 1 else '2-28'}T{'13' if hours == 1 else '14'}:00:00Z",
            "2026-03-01T14",
        )


def test_what_starts_runs_is_bounded_by_the_budget() -> None:
    template = monitored("portable").template(f"workload-{ALONE}")
    (role,) = ids(template, "AWS::IAM::Role", "MonitoringBatchScheduleFunctionRole")
    assert role in json.dumps(resources(template, "AWS::Budgets::BudgetsAction"))


@ENGINES
def test_every_promise_holds(engine: str) -> None:
    test_promises.test_every_promise_holds(monitored(engine))


def test_who_has_no_such_monitor_has_nothing_of_it() -> None:
    for engine in ("model-monitor", "portable"):
        template = monitored(engine).template("workload-bank")
        assert "ModelMonitoring" not in json.dumps(resources(template, "AWS::IAM::Role"))
        assert not [one for one in template["Resources"] if "Batch" in one and one.startswith("Monitoring")]
        assert "BatchCapture" not in template["Outputs"]
        assert resolved(monitored("model-monitor"), "bank", TYPE)["DataQualityJobInput"].keys() == {"EndpointInput"}
