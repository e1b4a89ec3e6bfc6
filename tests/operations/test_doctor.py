"""The doctor finds what would stop a deployment, says what to do, and leaves for synth what synth should know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from operations import cli
from operations import target as targets
from operations.commands import doctor as command
from operations.doctor.context import remember
from operations.doctor.examination import CHECKS, examine
from operations.doctor.finding import Case, Finding
from operations.doctor.money import idle
from operations.doctor.quotas import needed
from operations.project import ROOT
from operations.target import Target
from sandcastle.config import Environment, doctor_notes, load_environment
from sandcastle.synth import context
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import wait_for

pytestmark = pytest.mark.localcloud

FILE = {
    "region": "us-east-1", "monthly_budget_usd": 500, "notify": ["me@mine.org"], "expires_after": "3d",
    "workloads": {"bank": {}, "mnist-linear": {}}, "notebook": {},
    "studio": {"users": ["ada", "grace", {"name": "alan", "monthly_budget_usd": 20}]},
}  # fmt: skip


def environment(folder: Path, name: str, **settings: Any) -> Environment:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": name, **FILE, **settings}), encoding="utf-8")
    return load_environment(str(path), ROOT)


@pytest.fixture
def case(target: Target, tmp_path: Path) -> Case:
    """An environment that was never deployed."""
    return Case(target, environment(tmp_path, "patient"), "patient")


@pytest.fixture(autouse=True)
def restored(server: Localcloud, case: Case) -> Iterator[None]:
    """Quotas as they were."""
    yield
    server.admin("POST", "quotas", dict.fromkeys(needed(case.environment), 20))


def of(findings: list[Finding], check: str) -> list[Finding]:
    return [finding for finding in findings if finding.check == check]


def blockers(findings: list[Finding]) -> list[str]:
    return [f"{finding.check}: {finding.found}" for finding in findings if finding.level == "blocker"]


def test_a_healthy_account_is_all_well_and_an_unprepared_one_nearly(case: Case) -> None:
    findings = examine(case)
    assert blockers(findings) == []
    assert {finding.check for finding in findings} >= CHECKS.keys() - {"stacks", "cost tags"}
    warnings = [finding for finding in findings if finding.level == "warning"]
    assert [finding.check for finding in warnings] == ["bootstrap"]
    assert "cdk bootstrap aws://000000000000/us-east-1" in warnings[0].do
    assert of(findings, "quota")[0].found == f"enough of {len(needed(case.environment))} of the "\
        f"{len(needed(case.environment))} quotas that the file needs"  # fmt: skip


def test_what_a_file_needs_is_named_as_aws_names_it(case: Case) -> None:
    assert needed(case.environment) == {
        "ml.m5.large for endpoint usage": 2,
        "ml.m5.large for processing job usage": 2,
        "ml.m5.large for training job usage": 1,
        "ml.m5.large for spot training job usage": 1,
        "ml.t3.medium for notebook instance usage": 1,
        "Total number of notebook instances": 1,
        "Total domains": 1,
        "Maximum number of Studio user profiles allowed per account": 3,
        "Studio JupyterLab Apps running on ml.t3.medium instances": 1,
    }


def test_runs_of_a_pipeline_need_more_at_a_time_than_a_deployment(tmp_path: Path) -> None:
    penguins = {"penguins": {"pipeline": True}}
    found = environment(tmp_path, "runs", workloads=penguins, notebook=None, studio=None)
    (workload,) = found.workloads
    search = workload.train.tuning
    assert search is not None
    assert search.max_jobs > 1
    assert needed(found) == {
        "ml.m5.large for endpoint usage": 2,  # the new version beside the old one
        "ml.m5.large for processing job usage": 3 + 1 + 2,  # candidates, the data's baseline, an hour's monitoring
        "ml.m5.large for transform job usage": 1,
        f"{workload.train.instance} for training job usage": 1 + search.parallel_jobs,
    }


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("ml.m5.large for endpoint usage", 1, "blocker"),
        ("ml.m5.large for spot training job usage", 0, "blocker"),
        ("Studio JupyterLab Apps running on ml.t3.medium instances", 0, "blocker"),
        ("Studio JupyterLab Apps running on ml.t3.medium instances", 2, "warning"),
        ("Maximum number of Studio user profiles allowed per account", 2, "blocker"),
    ],
)
def test_a_quota_that_does_not_suffice(case: Case, server: Localcloud, name: str, value: int, level: str) -> None:
    server.admin("POST", "quotas", {name: value})
    [found] = [one for one in of(examine(case), "quota") if one.level != "ok"]
    assert found.level == level
    assert name in found.found
    assert f"{value} allowed" in found.found
    assert "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-" in found.do


def test_what_others_use_is_counted_and_what_is_ours_is_not(case: Case, server: Localcloud) -> None:
    sm = case.target.client("sagemaker")
    role = case.target.client("iam").create_role(
        RoleName="doctor-notebooks",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            }
        ),
    )["Role"]["Arn"]
    server.admin("POST", "quotas", {"ml.t3.medium for notebook instance usage": 2})
    for name in ("others-1", "sandcastle-patient--own"):
        sm.create_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role)
        wait_for(
            lambda name=name: sm.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"],
            lambda status: status == "InService",
        )
    assert blockers(examine(case)) == []
    server.admin("POST", "quotas", {"ml.t3.medium for notebook instance usage": 1})
    [found] = blockers(examine(replace(case)))
    assert "1 allowed, 1 needed, 1 in use by others" in found
    for name in ("others-1", "sandcastle-patient--own"):
        sm.stop_notebook_instance(NotebookInstanceName=name)
        sm.get_waiter("notebook_instance_stopped").wait(
            NotebookInstanceName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 200}
        )
        sm.delete_notebook_instance(NotebookInstanceName=name)


def _stack(target: Target, name: str, tag: str | None, *, resource: Any = None) -> str:
    client = target.client("cloudformation")
    resources = {"Thing": resource or {"Type": "AWS::SNS::Topic"}}
    tags = [{"Key": "sandcastle:environment", "Value": tag}] if tag else []
    stack = client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}), Tags=tags)["StackId"]
    return str(
        wait_for(
            lambda: client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
            lambda status: not status.endswith("_IN_PROGRESS"),
        )
    )


def test_somebody_elses_stack_of_the_same_name_blocks(case: Case, tmp_path: Path) -> None:
    theirs = replace(case, environment=environment(tmp_path, "taken"))
    _stack(case.target, "sandcastle-taken-studio", "another")
    _stack(case.target, "sandcastle-taken-foundation", None)
    found = blockers(examine(theirs))
    assert [one for one in found if "sandcastle-taken-studio" in one]
    assert [one for one in found if "sandcastle-taken-foundation" in one]
    assert [finding for finding in of(examine(theirs), "names") if "taken.yaml" in finding.do]


def test_an_earlier_environment_and_a_stack_that_is_stuck(case: Case, tmp_path: Path) -> None:
    again = replace(case, environment=environment(tmp_path, "again"))
    tag = [{"Key": "sandcastle:environment", "Value": "again"}]
    case.target.client("sns").create_topic(Name="of-again", Tags=tag)
    [left] = of(examine(again), "leftovers")
    assert (left.level, left.do) == ("warning", "sandcastle destroy --environment patient")
    assert "1 thing of an earlier again (topic)" in left.found
    assert _stack(case.target, "sandcastle-again-workload-bank", "again") == "CREATE_COMPLETE"
    assert "update" in of(examine(replace(again)), "leftovers")[0].found


class Refusing:
    """A target on which one service refuses."""

    def __init__(self, target: Target, service: str) -> None:
        self._target, self._service = target, service

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def client(self, service: str) -> Any:
        if service == self._service:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "Any")
        return self._target.client(service)


@pytest.mark.parametrize("service", ["service-quotas", "lambda", "ec2", "cloudformation"])
def test_what_may_not_be_asked_is_a_warning_and_never_taken_for_well(case: Case, service: str) -> None:
    refused = replace(case, target=Refusing(case.target, service))  # type: ignore[arg-type]  # as good as one
    if service == "cloudformation":
        findings = [one for name in ("bootstrap", "names") for one in _checked(refused, name)]
    else:
        findings = examine(refused)
    told = [finding for finding in findings if "not authorized" in finding.found]
    assert told
    assert {finding.level for finding in told} == {"warning"}


def _checked(case: Case, name: str) -> list[Finding]:
    from operations.doctor import examination

    return list(examination._try(name, CHECKS[name], case))


def test_a_budget_and_addresses_that_are_for_nobody(target: Target, tmp_path: Path) -> None:
    whom = environment(tmp_path, "whom", notify=["me@example.com", "you@mine.org"])
    far = replace(target, name="aws")
    findings = _checked(Case(far, whom, "whom"), "mail")
    assert [(one.level, one.found) for one in findings] == [("warning", "nobody reads me@example.com")]
    total, unknown = idle(whom, "us-east-1")
    assert total == pytest.approx(2 * 0.115 * 730 + 5 * 0.14 + 4 * 0.1)  # endpoints, the notebook's disk, alarms
    assert unknown == []
    poor = replace(whom, monthly_budget_usd=10.0)
    assert [one.level for one in _checked(Case(far, poor, "whom"), "budget")] == ["blocker"]
    abroad = replace(far, region="eu-central-1")
    [foreign] = _checked(Case(abroad, whom, "whom"), "budget")
    assert foreign.level == "warning"
    assert "no price for alarms, ml.m5.large hosting" in foreign.found


def test_synth_repeats_what_was_found_and_says_nothing_of_an_unknown_account(
    case: Case, server: Localcloud, tmp_path: Path
) -> None:
    server.admin("POST", "quotas", {"ml.m5.large for endpoint usage": 0})
    file = tmp_path / "cdk.context.json"
    file.write_text('{"availability-zones:account=1:region=r": ["a"]}', encoding="utf-8")
    remember(case, date(2026, 11, 26), file)
    first = file.read_bytes()
    remember(case, date(2026, 11, 26), file)
    assert file.read_bytes() == first
    values = json.loads(first)
    assert values["availability-zones:account=1:region=r"] == ["a"]
    known = values["sandcastle:account=000000000000:region=us-east-1"]
    assert known == {
        "date": "2026-11-26", "model_monitor": "available", "quotas": {"ml.m5.large for endpoint usage": 0.0}
    }  # fmt: skip
    assert values["sandcastle:model-monitor:000000000000:us-east-1"] == "open"
    notes = doctor_notes(values, "000000000000", "us-east-1")
    assert notes == ["quota ml.m5.large for endpoint usage is 0 (doctor, 2026-11-26)"]
    for account, region in (("1", "us-east-1"), ("000000000000", "eu-west-1"), (None, "us-east-1")):
        assert doctor_notes(values, account, region) == []


@pytest.mark.parametrize("known", [None, 3, "text", {"quotas": [1]}, {}])
def test_context_that_is_none_of_the_doctors_is_passed_over(known: Any) -> None:
    assert doctor_notes({"sandcastle:account=1:region=r": known}, "1", "r") == []


def test_the_context_file_is_read_without_the_command_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDK_CONTEXT_JSON", raising=False)
    (tmp_path / "cdk.json").write_text('{"context": {"flag": true}}', encoding="utf-8")
    assert context(tmp_path) == {"flag": True}
    (tmp_path / "cdk.context.json").write_text('{"looked-up": 1, "flag": false}', encoding="utf-8")
    assert context(tmp_path) == {"flag": True, "looked-up": 1}


def test_the_command_ends_with_1_on_a_blocker_and_0_without(
    target: Target,
    server: Localcloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "target_of", lambda *_, **__: target)
    file = str(environment(tmp_path, "clinic").file)
    assert cli.main(["doctor", "-e", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["blockers"] == 0
    server.admin("POST", "quotas", {"Total domains": 0})
    assert cli.main(["doctor", "-e", file, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [one["check"] for one in said["findings"] if one["level"] == "blocker"] == ["quota"]


def test_without_credentials_there_is_one_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> Target:
        raise targets.OperationError("AWS does not accept the credentials of this shell: expired")

    monkeypatch.setattr(command, "target_of", refuse)
    assert cli.main(["doctor", "-e", str(environment(tmp_path, "no-one").file), "--json"]) == 1
    [finding] = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["level"] == "blocker"]
    assert finding["check"] == "credentials"
    assert "expired" in finding["found"]


def test_a_wrong_file_is_a_wrong_command_line(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("name: wrong\n", encoding="utf-8")
    assert cli.main(["doctor", "-e", str(file)]) == 2


class Answering:
    """A target on AWS on which one service, which localcloud does not have, answers as its model says."""

    name = "aws"

    def __init__(self, target: Target, **services: Any) -> None:
        self._target, self._services = target, services

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def client(self, service: str) -> Any:
        return self._services.get(service) or self._target.client(service)


class CostExplorer:
    def __init__(self, *active: str) -> None:
        self._active = active

    def list_cost_allocation_tags(self, *, TagKeys: list[str], Status: str) -> Any:  # boto3's names
        assert Status == "Active"
        found = [{"TagKey": key, "Status": Status} for key in TagKeys if key in self._active]
        return {"CostAllocationTags": found}


@pytest.mark.parametrize(
    ("active", "level"),
    [(("sandcastle:environment", "sandcastle:user"), "ok"), (("sandcastle:environment",), "warning"), ((), "warning")],
)
def test_a_budget_of_a_user_needs_active_tags(case: Case, active: tuple[str, ...], level: str) -> None:
    far: Any = Answering(case.target, ce=CostExplorer(*active))
    [found] = _checked(replace(case, target=far), "cost tags")
    assert found.level == level
    if level == "warning":
        assert "TagKey=sandcastle:user,Status=Active" in found.do


class Registry:
    def __init__(self, *missing: str) -> None:
        self._missing = missing

    def batch_get_image(self, *, registryId: str, repositoryName: str, imageIds: Any) -> Any:  # boto3's
        assert registryId.isdigit()
        if repositoryName in self._missing:
            raise ClientError({"Error": {"Code": "RepositoryNotFoundException", "Message": "no"}}, "BatchGetImage")
        return {"images": [{"imageId": imageIds[0]}]}


def test_images_that_are_not_in_the_registry(case: Case) -> None:
    far: Any = Answering(case.target, ecr=Registry())
    assert [one.level for one in _checked(replace(case, target=far), "images")] == ["ok"]
    far = Answering(case.target, ecr=Registry("sagemaker-xgboost"))
    found = _checked(replace(case, target=far), "images")
    assert [one.level for one in found] == ["blocker", "ok"]
    assert "sagemaker-xgboost" in found[0].found
