"""The notebook stack: what the instance is, what stops it, and what replaces it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandcastle.config import load_environment
from sandcastle.lifecycle_script import LIMIT, LifecycleScript
from sandcastle.template import resolve
from tests.stacks.statements import listed, lookups, role_statements
from tests.synthesis import ROOT, Synthesis, Template, resources, synthesise


@pytest.fixture
def template(local: Synthesis) -> Template:
    return local.template("notebook")


def one(template: Template, kind: str) -> dict[str, Any]:
    (found,) = resources(template, kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def instance(template: Template) -> dict[str, Any]:
    return one(template, "AWS::SageMaker::NotebookInstance")


def name_of(template: Template) -> str:
    return json.dumps(instance(template)["NotebookInstanceName"])


def variant(folder: Path, **settings: Any) -> Template:
    """Return local.yaml's notebook stack with these settings of the notebook."""
    folder.mkdir(exist_ok=True)
    (folder / "environments").mkdir()
    (folder / "assets").symlink_to(ROOT / "assets")
    document = yaml.safe_load((ROOT / "environments" / "local.yaml").read_text(encoding="utf-8"))
    document |= {"notebook": settings, "monthly_budget_usd": 1000}
    (folder / "environments" / "local.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return synthesise("local", folder).template("notebook")


def test_the_instance_is_what_the_file_says_without_root_and_with_imdsv2(template: Template) -> None:
    notebook = load_environment("local", ROOT).notebook
    assert notebook
    made = instance(template)
    assert made["InstanceType"] == notebook.instance
    assert made["PlatformIdentifier"] == notebook.platform
    assert made["VolumeSizeInGB"] == notebook.volume_gb
    assert made["RootAccess"] == "Disabled"
    assert made["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert made["DirectInternetAccess"] == "Enabled"
    assert "SubnetId" not in made
    assert "SecurityGroupIds" not in made


def test_vpc_only_is_in_the_environments_network_without_internet(tmp_path: Path) -> None:
    made = instance(variant(tmp_path, network="vpc-only"))
    assert made["DirectInternetAccess"] == "Disabled"
    assert "Fn::ImportValue" in made["SubnetId"]
    assert len(made["SecurityGroupIds"]) == 1


def test_what_cannot_be_changed_gives_the_instance_another_name_and_nothing_else_does(tmp_path: Path) -> None:
    plain = name_of(variant(tmp_path / "0"))
    other: list[dict[str, Any]] = [{"network": "vpc-only"}, {"platform": "notebook-al2-v3"}]
    replaced = [name_of(variant(tmp_path / f"a{number}", **one)) for number, one in enumerate(other)]
    assert len({plain, *replaced}) == 3
    same: dict[str, Any] = {
        "instance": "ml.t3.large", "volume_gb": 6, "idle_minutes": 90, "stop_at": "19:30", "timezone": "Europe/Berlin"
    }  # fmt: skip
    assert name_of(variant(tmp_path / "b", **same)) == plain


def test_what_notes_the_state_has_every_setting_of_the_instance(template: Template) -> None:
    settings = {key: value for key, value in instance(template).items() if key not in ("NotebookInstanceName", "Tags")}
    for when in ("Before", "After"):
        state = one(template, f"Custom::SandcastleNotebook{when}")
        assert state["Settings"] == settings
        assert state["Name"] == instance(template)["NotebookInstanceName"]
    (before,) = resources(template, "Custom::SandcastleNotebookBefore")
    after = one(template, "Custom::SandcastleNotebookAfter")
    assert after["State"] == {"Fn::GetAtt": [before, "State"]}
    assert after["Noted"] == {"Fn::GetAtt": [before, "Noted"]}


def test_another_script_or_idle_time_is_another_configuration(tmp_path: Path, template: Template) -> None:
    kind = "AWS::SageMaker::NotebookInstanceLifecycleConfig"
    both = (template, variant(tmp_path, idle_minutes=90))
    named = [one(each, kind)["NotebookInstanceLifecycleConfigName"] for each in both]
    assert len(set(named)) == 2
    (config,) = resources(template, kind)
    assert instance(template)["LifecycleConfigName"] == {"Fn::GetAtt": [config, "NotebookInstanceLifecycleConfigName"]}


def script(synthesis: Synthesis) -> str:
    for _, template, lookup in lookups(synthesis):
        for config in resources(template, "AWS::SageMaker::NotebookInstanceLifecycleConfig").values():
            (hook,) = config["Properties"]["OnStart"]
            text: str = resolve(hook["Content"]["Fn::Base64"], lookup)
            return text
    raise AssertionError("no script")


def test_the_script_fits_is_whole_and_names_a_tutorial_of_each_workload(local: Synthesis) -> None:
    text = script(local)
    assert len(base64.b64encode(text.encode())) <= LIMIT
    for workload in load_environment("local", ROOT).workloads:
        assert f"{workload.name},cdk-" in text
    for included in ("deliver.py", "autostop.py"):
        assert (ROOT / "assets" / "lifecycle" / included).read_text(encoding="utf-8") in text
    assert "#include" not in text
    assert "export SANDCASTLE_IDLE_MINUTES='60'" in text


def test_a_file_that_is_included_is_part_of_the_script_and_its_digest(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("print(1)\n")
    (tmp_path / "script.sh").write_text("python3 <<'END'\n#include part.py\nEND\n")
    first = LifecycleScript(tmp_path / "script.sh", {})
    assert first.text == "#!/bin/bash\npython3 <<'END'\nprint(1)\nEND\n"
    (tmp_path / "part.py").write_text("print(2)\n")
    assert LifecycleScript(tmp_path / "script.sh", {}).digest != first.digest


def test_the_schedule_stops_exactly_the_instance_at_the_time_in_the_file(tmp_path: Path) -> None:
    template = variant(tmp_path, stop_at="06:05", timezone="Europe/Berlin")
    schedule = one(template, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(5 6 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = schedule["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 900
    joined = target["Input"]["Fn::Join"][1]
    name = instance(template)["NotebookInstanceName"]["Fn::Join"][1]
    assert joined == ['{"NotebookInstanceName": "' + name[0], *name[1:-1], name[-1] + '"}']
    assert schedule["GroupName"] == {"Ref": next(iter(resources(template, "AWS::Scheduler::ScheduleGroup")))}


def test_the_role_reads_exactly_the_tutorials(local: Synthesis) -> None:
    for _, template, lookup in lookups(local):
        for key, role in resources(template, "AWS::IAM::Role").items():
            if role["Properties"].get("Description") == "Notebook instance":
                statements = role_statements(template, key, lookup)
                assets = [
                    resource
                    for statement in statements
                    if "s3:GetObject" in listed(statement["Action"])
                    for resource in listed(statement["Resource"])
                    if ":::cdk-" in resource
                ]
                assert len(assets) == 2 + len(load_environment("local", ROOT).workloads)
                assert not any("*" in resource for resource in assets)
                return
    raise AssertionError("no such role")


def test_no_other_environment_has_an_instance_it_did_not_ask_for(each: Synthesis) -> None:
    asked = load_environment(each.environment, ROOT).notebook is not None
    assert asked is any("-notebook" in stack for stack in each.templates)


def test_outputs(template: Template) -> None:
    keys = {key for key, output in template["Outputs"].items() if "Export" not in output}
    assert keys == {"InstanceTypes", "NotebookName"}
