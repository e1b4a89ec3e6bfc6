"""The Studio stack: what the domain starts with and when it stops, who may enter, and what a file may change."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandcastle.config import load_environment
from sandcastle.config.loader import workload_names
from sandcastle.lifecycle_script import LIMIT, LifecycleScript, ScriptError
from sandcastle.template import resolve
from tests.cfn_lint_data import DATA
from tests.lifecycle.environments import written
from tests.stacks.statements import inline_statements, listed, lookups, role_statements
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, Template, resources, synthesise

CHANGES: dict[str, Any] = {
    "network": "vpc-only",
    "idle_minutes": 90,
    "instances": ["ml.m5.large", "ml.t3.medium"],
    "storage_gb": 6,
    "max_storage_gb": 50,
    "home_efs": True,
}
"""Another value for every setting of Studio but its users."""


@pytest.fixture
def template(with_studio: Synthesis) -> Template:
    return with_studio.template("studio")


def one(template: Template, kind: str) -> dict[str, Any]:
    (found,) = resources(template, kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def variant(folder: Path, **settings: Any) -> Synthesis:
    """Return local.yaml with other settings of Studio."""
    (folder / "environments").mkdir()
    (folder / "assets").symlink_to(ROOT / "assets")
    document = yaml.safe_load((ROOT / "environments" / "local.yaml").read_text(encoding="utf-8"))
    document["studio"] |= settings
    document["monthly_budget_usd"] = 1000
    (folder / "environments" / "local.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return synthesise("local", folder)


@cache
def create_only(kind: str) -> set[str]:
    """Return the properties that replace a resource of the type, by their path in CloudFormation's schema."""
    folder = DATA / "schemas"
    name = json.loads((folder / "providers" / "us-east-1.json").read_text())[kind]
    schema = json.loads((folder / "resources" / f"{name}.json").read_text())
    found = [*schema["createOnlyProperties"], *schema.get("conditionalCreateOnlyProperties", [])]
    return {path.removeprefix("/properties/") for path in found}


def at(properties: Any, path: str) -> Any:
    for part in path.split("/"):
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties


def test_the_domain_is_what_the_file_says(with_studio: Synthesis) -> None:
    studio = load_environment(with_studio.environment, ROOT).studio
    assert studio
    domain = one(with_studio.template("studio"), "AWS::SageMaker::Domain")
    assert domain["AuthMode"] == "IAM"
    public = {"public": "PublicInternetOnly", "vpc-only": "VpcOnly"}
    assert domain["AppNetworkAccessType"] == public[studio.network]
    assert domain["HomeEfsFileSystemCreation"] == ("Enabled" if studio.home_efs else "Disabled")
    assert domain["TagPropagation"] == "ENABLED"
    assert len(domain["SubnetIds"]) == 2
    settings = domain["DefaultUserSettings"]
    assert settings["SpaceStorageSettings"]["DefaultEbsStorageSettings"] == {
        "DefaultEbsVolumeSizeInGb": studio.storage_gb,
        "MaximumEbsVolumeSizeInGb": studio.max_storage_gb,
    }
    for app in ("JupyterLab", "CodeEditor"):
        own = settings[f"{app}AppSettings"]
        assert own["DefaultResourceSpec"]["InstanceType"] == studio.instances[0]
        assert own["AppLifecycleManagement"]["IdleSettings"] == {
            "LifecycleManagement": "ENABLED",
            "IdleTimeoutInMinutes": studio.idle_minutes,
            "MinIdleTimeoutInMinutes": 60,
            "MaxIdleTimeoutInMinutes": studio.idle_minutes,
        }


def test_every_app_starts_with_the_script_for_its_type(template: Template) -> None:
    settings = one(template, "AWS::SageMaker::Domain")["DefaultUserSettings"]
    configs = resources(template, "AWS::SageMaker::StudioLifecycleConfig")
    assert {config["Properties"]["StudioLifecycleConfigAppType"] for config in configs.values()} == {
        "JupyterLab",
        "CodeEditor",
    }
    for name, config in configs.items():
        own = settings[f"{config['Properties']['StudioLifecycleConfigAppType']}AppSettings"]
        arn = {"Fn::GetAtt": [name, "StudioLifecycleConfigArn"]}
        assert own["LifecycleConfigArns"] == [arn]
        assert own["DefaultResourceSpec"]["LifecycleConfigArn"] == arn


def test_everyone_of_the_file_has_a_profile_with_a_role_and_a_tag_of_their_own(with_studio: Synthesis) -> None:
    studio = load_environment(with_studio.environment, ROOT).studio
    assert studio
    template = with_studio.template("studio")
    profiles = [one["Properties"] for one in resources(template, "AWS::SageMaker::UserProfile").values()]
    assert sorted(one["UserProfileName"] for one in profiles) == sorted(user.name for user in studio.users)
    roles = {json.dumps(one["UserSettings"]["ExecutionRole"]) for one in profiles}
    assert len(roles) == len(profiles)
    for profile in profiles:
        assert {"Key": "sandcastle:user", "Value": profile["UserProfileName"]} in profile["Tags"]
        role = template["Resources"][profile["UserSettings"]["ExecutionRole"]["Fn::GetAtt"][0]]["Properties"]
        assert role["Description"] == f"Studio user {profile['UserProfileName']}"


def test_whoever_is_not_in_the_file_may_do_nothing(template: Template) -> None:
    domain = one(template, "AWS::SageMaker::Domain")
    stranger = domain["DefaultUserSettings"]["ExecutionRole"]["Fn::GetAtt"][0]
    (policy,) = template["Resources"][stranger]["Properties"]["Policies"]
    assert [one["Action"] for one in policy["PolicyDocument"]["Statement"]] == [["sts:GetCallerIdentity"]]
    assert "DefaultSpaceSettings" not in domain  # so nobody makes a shared space


def test_no_setting_replaces_the_domain_or_a_profile(tmp_path: Path, local: Synthesis) -> None:
    """Whoever has an app open keeps it when the file changes; so nothing that a file changes is create-only."""
    before, after = local.template("studio"), variant(tmp_path, **CHANGES).template("studio")
    for kind in ("AWS::SageMaker::Domain", "AWS::SageMaker::UserProfile"):
        assert create_only(kind)
        assert set(resources(before, kind)) == set(resources(after, kind))
        for name, old in resources(before, kind).items():
            new = resources(after, kind)[name]
            for path in create_only(kind):
                assert at(new["Properties"], path) == at(old["Properties"], path), f"{kind} {path}"
    assert one(before, "AWS::SageMaker::Domain") != one(after, "AWS::SageMaker::Domain")


def test_a_user_more_or_less_leaves_the_others_and_the_domain_as_they_are(tmp_path: Path, local: Synthesis) -> None:
    before, after = local.template("studio"), variant(tmp_path, users=["ada", "alan"]).template("studio")
    assert resources(before, "AWS::SageMaker::Domain") == resources(after, "AWS::SageMaker::Domain")
    kept = {key for key in before["Resources"] if "ada" in key} & set(after["Resources"])
    assert len(kept) == 3
    assert not any("grace" in key for key in after["Resources"])


def test_another_script_gets_another_name(tmp_path: Path) -> None:
    """A lifecycle configuration cannot be changed, and two of one name cannot be there at once."""
    file = tmp_path / "script.sh"
    file.write_text("echo one\n")
    first = LifecycleScript(file, {"NAME": "a"})
    assert LifecycleScript(file, {"NAME": "b"}).digest != first.digest
    file.write_text("echo two\n")
    assert LifecycleScript(file, {"NAME": "a"}).digest != first.digest


def test_a_script_that_sagemaker_would_not_take_is_refused_with_its_size(tmp_path: Path) -> None:
    file = tmp_path / "long.sh"
    file.write_text("#" * (LIMIT * 3 // 4 - 12))
    LifecycleScript(file, {})
    file.write_text("#" * (LIMIT * 3 // 4))
    with pytest.raises(ScriptError, match=r"long.sh: 164\d\d characters in base64 .* takes 16384"):
        LifecycleScript(file, {})


@pytest.mark.parametrize(("name", "value"), [("NAME", "it's"), ("NAME", "$(rm x)"), ("na me", "x"), ("NAME", "`x`")])
def test_a_setting_cannot_break_out_of_its_quotes(tmp_path: Path, name: str, value: str) -> None:
    file = tmp_path / "script.sh"
    file.write_text("")
    with pytest.raises(ScriptError, match="not plain text"):
        LifecycleScript(file, {name: value})


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_scripts_fit_and_name_a_tutorial_of_each_workload(name: str) -> None:
    synthesis = synthesise(name)
    for _, template, lookup in lookups(synthesis):
        for config in resources(template, "AWS::SageMaker::StudioLifecycleConfig").values():
            text = resolve(config["Properties"]["StudioLifecycleConfigContent"]["Fn::Base64"], lookup)
            assert len(base64.b64encode(text.encode())) <= LIMIT
            for workload in load_environment(name, ROOT).workloads:
                assert f"{workload.name},cdk-" in text.replace("'", "")


def test_a_user_reads_the_tutorials_of_own_workloads_and_no_other_asset(with_studio: Synthesis) -> None:
    studio = load_environment(with_studio.environment, ROOT).studio
    assert studio
    for _, template, lookup in lookups(with_studio):
        for name, role in resources(template, "AWS::IAM::Role").items():
            description = role["Properties"].get("Description", "")
            if not description.startswith("Studio user "):
                continue
            user = next(one for one in studio.users if one.name == description.removeprefix("Studio user "))
            found = [
                resource
                for statement in role_statements(template, name, lookup)
                if "s3:GetObject" in listed(statement["Action"])
                for resource in listed(statement["Resource"])
                if ":::cdk-" in resource
            ]
            assert len(found) == 2 + len(user.workloads)  # its workloads', the shared code's and everyone's
            assert not any("*" in resource for resource in found)


def test_policies_are_within_iams_limits_with_all_workloads_and_the_longest_names() -> None:
    """10,240 characters in a role, 6,144 in a managed policy, without spaces (IAM quotas)."""
    asked = {name: {} for name in workload_names(ROOT)}
    longest = 28 - max(map(len, asked))
    people = {"studio": {"users": ["p" * 20]}, "notebook": {}}
    found = synthesise(written("e" * longest, workloads=asked, **people, monthly_budget_usd=5000))
    for _, template, lookup in lookups(found):
        for policy in resources(template, "AWS::IAM::ManagedPolicy").values():
            document = resolve(policy["Properties"]["PolicyDocument"], lookup)
            assert len(json.dumps(document, separators=(",", ":"))) < 6_144 * 0.9
        for name in resources(template, "AWS::IAM::Role"):
            inline = inline_statements(template, name, lookup)
            assert (
                len(json.dumps(inline, separators=(",", ":"))) < 10_240 * 0.97
            )  # what stands here for the name of a bucket is shorter than the name


def test_the_largest_class_fits_into_a_template_and_a_stack(tmp_path: Path) -> None:
    """1,000,000 bytes and 500 resources (CloudFormation quotas), with room for more workloads than these two."""
    users = [f"student-number-{first}{second}-x" for first in "abcdefg" for second in "hijklmnop"][:40]
    synthesis = variant(tmp_path, users=users)
    file = synthesis.folder / "sandcastle-local-studio.template.json"
    assert file.stat().st_size < 800_000
    assert len(synthesis.template("studio")["Resources"]) < 500


def test_outputs(template: Template) -> None:
    keys = {key for key, output in template["Outputs"].items() if "Export" not in output}
    assert keys == {"DomainId", "DomainName", "DomainUrl", "InstanceTypes", "Users"}
