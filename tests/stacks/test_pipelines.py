"""Stacks of workloads with a pipeline: what is in them, what the pipelines refer to, and in which order they go."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sandcastle.config import load_environment
from sandcastle.config.checks_pipeline import LONGEST_NAMES
from sandcastle.naming import PipelineNames
from sandcastle.pipeline.flow import all_steps
from sandcastle.template import resolve, symbols
from tests.stacks.graph import dependencies, keeps_its_tools, matching, without_each_dependency
from tests.synthesis import ROOT, Synthesis, Template, exported, resources, synthesise

PART = "5f0c2a10"
"""Of the id of a stack in these tests (``sandcastle.template``)."""


def resolved(synthesis: Synthesis, workload: str) -> dict[str, Any]:
    """Return the resources of the workload's stack, references replaced by symbols."""
    template = synthesis.template(f"pipeline-{workload}")
    found: dict[str, Any] = resolve(template["Resources"], symbols(template, exported(synthesis)))
    return found


def definition(synthesis: Synthesis, workload: str, which: str) -> dict[str, Any]:
    """Return a pipeline's definition as SageMaker gets it; ``which`` is ``training`` or ``deployment``."""
    (found,) = (
        one["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]
        for one in resolved(synthesis, workload).values()
        if one["Type"] == "AWS::SageMaker::Pipeline" and one["Properties"]["PipelineName"].endswith(which)
    )
    document: dict[str, Any] = json.loads(found)
    return document


def functions(template: Template) -> dict[str, Any]:
    """Return the properties of the stack's functions by their handlers."""
    found = resources(template, "AWS::Lambda::Function").values()
    return {one["Properties"]["Handler"]: one["Properties"] for one in found}


def test_nothing_runs_by_itself(with_pipelines: Synthesis) -> None:
    """No job, no model and no endpoint: a deploy costs nothing but its alarms."""
    for template in with_pipelines.pipelines:
        kinds = {one["Type"] for one in template["Resources"].values() if "SageMaker" in one["Type"]}
        assert kinds == {"AWS::SageMaker::Pipeline", "AWS::SageMaker::ModelPackageGroup"}
        assert not resources(template, "Custom::SandcastleDataset")
        assert not resources(template, "Custom::SandcastleTrainedModel")


def test_outputs_name_what_runs_make(with_pipelines: Synthesis) -> None:
    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        template = with_pipelines.template(workload.stack)
        names = PipelineNames(with_pipelines.environment, workload.name, part=PART)
        outputs = resolve(
            {key: one["Value"] for key, one in template["Outputs"].items()},
            symbols(template, exported(with_pipelines)),
        )
        ids = [key for name in ("Training", "Deployment") for key in matching(template, name)]
        assert outputs == {
            "Endpoint": names.endpoint,
            "TrainingPipeline": outputs["TrainingPipeline"],
            "DeploymentPipeline": outputs["DeploymentPipeline"],
            "PackageGroup": names.group,
            "ContentType": workload.serve.content_type,
            "Accept": workload.serve.accept,
            "DataUri": outputs["DataUri"],
            "StackPart": PART,
        }
        assert [template["Outputs"][f"{one}Pipeline"]["Value"] for one in ("Training", "Deployment")] == [
            {"Ref": one} for one in ids
        ]
        assert outputs["DataUri"].endswith(f"/{workload.name}/pipeline")


def test_a_workload_without_tuning_tunes_nothing_and_may_not(with_pipelines: Synthesis, tmp_path: Path) -> None:
    """The one of XGBoost here answers a score, trains on spot capacity, and has nothing to tune."""
    file = tmp_path / "plain.yaml"
    required = "name: plain\nregion: us-east-1\nmonthly_budget_usd: 500\nexpires_after: never\n"
    file.write_text(f"{required}workloads: {{bank: {{pipeline: true}}}}\n", encoding="utf-8")
    seen = set()
    for made in (with_pipelines, synthesise(str(file))):
        for workload in load_environment(
            str(file) if made.environment == "plain" else made.environment, ROOT
        ).workloads:
            steps = {step["Name"]: step for step in all_steps(definition(made, workload.name, "training")["Steps"])}
            (role,) = matching(made.template(workload.stack), "Role")
            may_tune = "CreateHyperParameterTuningJob" in json.dumps(made.template(workload.stack)["Resources"][role])
            assert ("Tune" in steps) == ("EvaluateTop1" in steps) == may_tune == bool(workload.train.tuning)
            assert "CheckpointConfig" not in steps["Train"]["Arguments"]
            seen.add(may_tune)
    assert seen == {True, False}


def test_thresholds_and_the_version_of_the_data_are_parameters(with_pipelines: Synthesis) -> None:
    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        assert workload.pipeline
        found = definition(with_pipelines, workload.name, "training")["Parameters"]
        defaults = {one["Name"]: one["DefaultValue"] for one in found}
        assert (defaults["ApproveAccuracy"], defaults["ReviewAccuracy"]) == (
            workload.pipeline.approve,
            workload.pipeline.review,
        )
        assert len(defaults["DataVersion"]) == 12
        version = defaults["DataVersion"]
        promised = json.dumps(with_pipelines.template(workload.stack))
        assert f"/pipeline/{version}/test/test.csv" in promised  # that nobody trains with what judges


def test_steps_call_the_stacks_functions_and_work_as_its_roles(with_pipelines: Synthesis) -> None:
    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        made = resolved(with_pipelines, workload.name)
        template = with_pipelines.template(workload.stack)
        lookup = symbols(template, exported(with_pipelines))
        arns = {
            lookup("Fn::GetAtt", [key, "Arn"]): one["Properties"]
            for key, one in made.items()
            if one["Type"] in ("AWS::Lambda::Function", "AWS::IAM::Role")
        }
        steps = {
            step["Name"]: step
            for which in ("training", "deployment")
            for step in all_steps(definition(with_pipelines, workload.name, which)["Steps"])
        }
        called = {name: arns[step["FunctionArn"]] for name, step in steps.items() if step["Type"] == "Lambda"}
        assert {name: one["Handler"] for name, one in called.items()} == {
            "ChooseBest": "pipeline_choose.handler",
            "Deploy": "pipeline_deploy.deploy",
            "Confirm": "pipeline_deploy.confirm",
            "Schedules": "pipeline_schedules.handler",
        }
        assert all(one["Timeout"] < 600 for one in called.values())  # after which a pipeline gives up
        working = {
            step["Name"]: arns[step["Arguments"][key]]["Description"].split()[0]
            for step in steps.values()
            for key in ("RoleArn", "ExecutionRoleArn")
            if key in step["Arguments"]
        }
        assert working.pop("CreateModel") == "Serves"
        assert working.pop("DataQualityBaseline") == working.pop("ModelQualityBaseline") == "Makes"
        assert working.pop("Prepare") == "Prepares"
        assert working.pop("Train") == "Trains"
        assert working
        assert set(working.values()) == {"Judges"}


def test_functions_are_told_what_they_read(with_pipelines: Synthesis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "assets" / "functions"))
    from pipeline_monitors import KINDS, Monitors
    from pipeline_settings import Settings

    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        template = with_pipelines.template(workload.stack)
        names = PipelineNames(with_pipelines.environment, workload.name, part=PART)
        found = {
            handler: one.get("Environment", {}).get("Variables", {})
            for handler, one in functions({"Resources": resolved(with_pipelines, workload.name)}).items()
        }
        settings = Settings.of(found["pipeline_deploy.deploy"])
        assert settings == Settings.of(found["pipeline_deploy.confirm"])
        assert settings.endpoint == names.endpoint
        assert (settings.instance, settings.instances, settings.capture_percent) == (workload.serve.instance, 1, 100)
        assert settings.capture_uri.endswith(f"/capture/{workload.name}")
        assert settings.tags == {
            "sandcastle:environment": with_pipelines.environment,
            "sandcastle:stack": f"sandcastle-{with_pipelines.environment}-{workload.stack}",
            "sandcastle:workload": workload.name,
        }
        alarms = resources(template, "AWS::CloudWatch::Alarm").values()
        assert len(settings.alarms) == sum(one["Properties"]["Namespace"] == "AWS/SageMaker" for one in alarms) == 2
        monitors = Monitors.of(found["pipeline_schedules.handler"], names.endpoint)
        assert tuple(monitors.schedule(kind) for kind in KINDS) == names.schedules
        assert (monitors.answer, monitors.instance) == (workload.evaluate.answer, workload.prepare.instance)
        script = ROOT / "assets" / "pipeline" / "monitor_records.py"
        assert str(monitors.script).endswith(f"/{hashlib.sha256(script.read_bytes()).hexdigest()}.py")
        assert found["pipeline_approved.handler"] == {"DEPLOYMENT_PIPELINE": names.deployment, "GROUP": names.group}


def test_an_approval_deploys_and_a_failure_is_told(with_pipelines: Synthesis) -> None:
    for workload in load_environment(with_pipelines.environment, ROOT).workloads:
        template = with_pipelines.template(workload.stack)
        names = PipelineNames(with_pipelines.environment, workload.name, part=PART)
        handlers = {
            key: one["Properties"]["Handler"] for key, one in resources(template, "AWS::Lambda::Function").items()
        }
        permissions = [one["Properties"] for one in resources(template, "AWS::Lambda::Permission").values()]
        seen = {}
        for key, rule in resources(template, "AWS::Events::Rule").items():
            (target,) = rule["Properties"]["Targets"]
            function = target["Arn"]["Fn::GetAtt"][0]
            (allowed,) = (one for one in permissions if one["SourceArn"] == {"Fn::GetAtt": [key, "Arn"]})
            assert allowed["FunctionName"] == target["Arn"]
            assert (allowed["Principal"], allowed["Action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")
            pattern = resolve(rule["Properties"]["EventPattern"], symbols(template, exported(with_pipelines)))
            seen[handlers[function]] = pattern["detail"]
            assert pattern["source"] == ["aws.sagemaker"]
        assert seen.pop("monitor_found.handler")  # test_monitor_alarms
        assert seen == {
            "pipeline_approved.handler": {
                "ModelPackageGroupName": [names.group],
                "ModelApprovalStatus": ["Approved"],
                "UpdatedModelPackageFields": ["ModelApprovalStatus"],
            },
            "pipeline_failed.handler": {
                "pipelineArn": [
                    f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/{name}"
                    for name in (names.training, names.deployment)
                ],
                "currentPipelineExecutionStatus": ["Failed"],
            },
        }


def test_whoever_starts_something_billed_is_under_the_limit(with_pipelines: Synthesis) -> None:
    for template in with_pipelines.pipelines:
        (action,) = resources(template, "AWS::Budgets::BudgetsAction").values()
        limited = {role["Ref"] for role in action["Properties"]["Definition"]["IamActionDefinition"]["Roles"]}
        starting = (
            "sagemaker:CreateTrainingJob",
            "sagemaker:CreateEndpoint",
            "sagemaker:CreateMonitoringSchedule",
            "sagemaker:StartPipelineExecution",
        )
        starts = {
            key
            for key, role in resources(template, "AWS::IAM::Role").items()
            if any(f'"{action}"' in json.dumps(role["Properties"]) for action in starting)
        }
        assert starts == limited
        assert len(limited) == 4


ROLES = r"(Dataset|Training|Evaluate|Monitor|Serving)Role"
PIPELINES = r"(Training|Deployment)"
ORDER = [
    # goes first, goes later, why; ids of resources, or patterns of ids
    ("Events(Approved|Failed)[0-9A-F]{8}", PIPELINES, "what starts a run goes before what runs"),
    ("Events(Approved|Failed)[0-9A-F]{8}", "Group", "and before what it listens to"),
    ("Events(Approved|Failed)Permission.*", "Events(Approved|Failed)[0-9A-F]{8}", "a permission names its rule"),
    ("FunctionsApproved[0-9A-F]{8}", "Deployment", "what an event calls that comes late starts no run of it any more"),
    (PIPELINES, "Group", "runs register in it"),
    (PIPELINES, "Alarms(Errors|Latency).*", "an update that a run began is watched to its end"),
    (PIPELINES, "Role", "runs work as it"),
    (PIPELINES, ROLES, "and their jobs as these"),
    (PIPELINES, "Functions(Choose|Deploy|Confirm|Schedules)", "and steps are functions"),
    ("Functions(Deploy|Confirm|Schedules)[0-9A-F]{8}", "ServingRole", "models serve as it"),
    ("Role", ROLES, "it passes them on"),
    (ROLES, "JobLogs", "late lines would bring a log group back: a deleted role writes none"),
    ("SpendingLimitAction[0-9A-F]{8}", "SpendingLimitRelease", "a budget could freeze the roles again"),
    ("SpendingLimitRelease", "Role", "a role with a policy attached is not deleted"),
    ("SpendingLimitRelease", "Functions(Deploy|Schedules|Approved)Role", "nor these"),
    ("SpendingLimitRelease", "SpendingLimitPolicy", "nor a policy that is attached"),
]
"""Facts on teardown, 2.1 and 2.3. What runs made is deleted before, by the teardown's janitor."""

JANITORS = ("SpendingLimitRelease",)


def goes_first(template: Template, first: str, later: str) -> bool:
    """Say whether everything of the first kind depends on everything of the second, or on the one of its own name."""
    firsts, laters = matching(template, first), matching(template, later)
    assert firsts, first
    assert laters, later
    if first.startswith("Events(Approved|Failed)Permission"):
        return all(any(key in dependencies(template, one) for key in laters) for one in firsts)
    return all(laters <= dependencies(template, one) for one in firsts)


@pytest.mark.parametrize(("first", "later", "why"), ORDER, ids=[f"{one[0]}-{one[1]}" for one in ORDER])
def test_order(with_pipelines: Synthesis, first: str, later: str, why: str) -> None:
    for template in with_pipelines.pipelines:
        assert goes_first(template, first, later), why


def test_each_dependency_that_is_written_down_is_one_that_the_table_asks_for(with_pipelines: Synthesis) -> None:
    """The table is complete: take any one away that does not follow from others, and a line of it is broken."""
    template = with_pipelines.pipelines[0]
    number = 0
    for edge, without in without_each_dependency(template):
        first, later = edge.split(" -> ")
        if later in dependencies(without, first):
            continue
        kept = all(goes_first(without, first, later) for first, later, _ in ORDER)
        assert not (kept and all(keeps_its_tools(without, janitor) for janitor in JANITORS)), edge
        number += 1
    assert number > 10


def test_names_stay_within_what_sagemaker_takes() -> None:
    environment = "e" * (LONGEST_NAMES - 5)
    names = PipelineNames(environment, "w" * 5, part=PART)
    assert len(names.pipeline_job_prefix) <= 38
    assert len(names.pipeline_tuning_prefix) <= 6
    assert names.tuning_prefix == names.pipeline_tuning_prefix
    for name in (names.group, names.endpoint, names.training, names.deployment, *names.schedules):
        assert len(name) <= 63
