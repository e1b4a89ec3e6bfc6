"""The order of deletion, read from the templates: whoever must go first depends on what must go later.

The edges are those of a teardown that leaves nothing: writers before what empties their buckets, endpoints before
the role that SageMaker deletes them with, everything that logs before what deletes the logs.
"""

from __future__ import annotations

import json

import pytest

from tests.stacks.graph import dependencies
from tests.synthesis import Synthesis, Template, resources

WORKLOAD = [
    # goes first, goes later
    ("AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"),
    ("AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model"),
    ("AWS::SageMaker::Model", "Custom::SandcastleTrainedModel"),
    ("Custom::SandcastleTrainedModel", "Custom::SandcastleDataset"),
    ("AWS::SageMaker::Endpoint", "Custom::SandcastleJobLogs"),
    ("Custom::SandcastleTrainedModel", "Custom::SandcastleJobLogs"),
    ("Custom::SandcastleDataset", "Custom::SandcastleJobLogs"),
    ("Custom::SandcastleDataset", "AWS::StepFunctions::StateMachine"),
]


@pytest.mark.parametrize(("first", "later"), WORKLOAD)
def test_workload(each: Synthesis, first: str, later: str) -> None:
    for template in each.workloads:
        for one in resources(template, first):
            assert set(resources(template, later)) <= dependencies(template, one)


def ids(template: Template, kind: str, part: str) -> set[str]:
    found = {key for key in resources(template, kind) if part in key}
    assert found, f"no {kind} with {part} in its id"
    return found


def test_each_job_and_the_endpoint_keep_their_role_until_they_are_gone(each: Synthesis) -> None:
    for template in each.workloads:
        (endpoint,) = resources(template, "AWS::SageMaker::Endpoint")
        assert ids(template, "AWS::IAM::Role", "HostedModelRole") <= dependencies(template, endpoint)
        for kind, part in (("Dataset", "DatasetRole"), ("TrainedModel", "TrainedModelRole")):
            (job,) = resources(template, f"Custom::Sandcastle{kind}")
            assert ids(template, "AWS::IAM::Role", part) <= dependencies(template, job)


def test_roles_that_log_go_before_what_they_logged_is_swept(each: Synthesis) -> None:
    """Late lines of a deleted endpoint would bring its log group back: a deleted role writes none."""
    for template in each.workloads:
        (janitor,) = resources(template, "Custom::SandcastleJobLogs")
        for part in ("HostedModelRole", "DatasetRole", "TrainedModelRole"):
            (role,) = ids(template, "AWS::IAM::Role", part)
            assert janitor in dependencies(template, role)


def test_the_janitor_of_the_logs_keeps_its_own_role(each: Synthesis) -> None:
    for template in each.workloads:
        (janitor,) = resources(template, "Custom::SandcastleJobLogs")
        assert ids(template, "AWS::IAM::Role", "JobLogs") <= dependencies(template, janitor)


def test_nothing_waits_for_itself(each: Synthesis) -> None:
    for template in each.templates.values():
        for resource in template["Resources"]:
            assert resource not in dependencies(template, resource)


def test_jobs_keep_every_function_and_permission_that_stops_them(each: Synthesis) -> None:
    for template in each.workloads:
        (job,) = resources(template, "Custom::SandcastleDataset")
        before = dependencies(template, job)
        for kind in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Logs::LogGroup"):
            assert ids(template, kind, "Jobs") <= before


def test_role_permissions_are_part_of_the_role_or_waited_for(each: Synthesis) -> None:
    for template in each.templates.values():
        attached = resources(template, "AWS::IAM::Policy")
        for role_user in resources(template, "AWS::SageMaker::*"):
            roles = {one for one in dependencies(template, role_user) if "HostedModelRole" in one}
            for policy in attached.values():
                assert not {role["Ref"] for role in policy["Properties"]["Roles"]} & roles


def test_bucket_policy_goes_then_the_contents_then_the_bucket(each: Synthesis) -> None:
    template = each.template("foundation")
    emptied = {
        one["Properties"]["Bucket"]["Ref"]: key
        for key, one in resources(template, "Custom::SandcastleBucketContents").items()
    }
    assert set(emptied) == set(resources(template, "AWS::S3::Bucket"))
    for key, policy in resources(template, "AWS::S3::BucketPolicy").items():
        bucket = policy["Properties"]["Bucket"]["Ref"]
        assert emptied[bucket] in dependencies(template, key)
        assert bucket in dependencies(template, emptied[bucket])


def test_emptying_keeps_its_function_and_permissions(each: Synthesis) -> None:
    template = each.template("foundation")
    for key, contents in resources(template, "Custom::SandcastleBucketContents").items():
        before = dependencies(template, key)
        bucket = contents["Properties"]["Bucket"]["Ref"]
        assert ids(template, "AWS::Lambda::Function", "Janitor") <= before
        assert ids(template, "AWS::Logs::LogGroup", "Janitor") <= before
        own = [
            policy
            for policy, one in resources(template, "AWS::IAM::Policy").items()
            if {"Fn::GetAtt": [bucket, "Arn"]} in one["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]
        ]
        assert len(own) == 1
        assert own[0] in before


def test_access_logs_may_be_delivered_from_the_beginning_and_are_emptied_when_no_logged_bucket_is_left(
    each: Synthesis,
) -> None:
    template = each.template("foundation")
    buckets = resources(template, "AWS::S3::Bucket")
    logged = {key for key, one in buckets.items() if "LoggingConfiguration" in one["Properties"]}
    (log_bucket,) = set(buckets) - logged
    (contents,) = (
        key
        for key, one in resources(template, "Custom::SandcastleBucketContents").items()
        if one["Properties"]["Bucket"] == {"Ref": log_bucket}
    )
    (policy,) = (
        key
        for key, one in resources(template, "AWS::S3::BucketPolicy").items()
        if one["Properties"]["Bucket"] == {"Ref": log_bucket}
    )
    for bucket in logged:
        assert {contents, policy} <= dependencies(template, bucket)  # the policy: S3 may deliver from the beginning


def test_functions_log_groups_outlive_them_and_roles_cannot_bring_them_back(each: Synthesis) -> None:
    for template in each.templates.values():
        for key, function in resources(template, "AWS::Lambda::Function").items():
            group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
            assert group in dependencies(template, key)


def test_guardrails_come_first_and_go_last_then_the_foundation(each: Synthesis) -> None:
    manifest = json.loads((each.folder / "manifest.json").read_text())["artifacts"]
    for name in each.templates:
        part = name.removeprefix(f"sandcastle-{each.environment}-")
        stacks = {other for other in manifest[name].get("dependencies", []) if other in each.templates}
        parts = {other.removeprefix(f"sandcastle-{each.environment}-") for other in stacks}
        assert parts <= {"guardrails", "foundation"}
        assert parts >= {"guardrails": set(), "foundation": {"guardrails"}}.get(part, {"foundation"})


def test_nothing_is_kept_on_purpose(each: Synthesis) -> None:
    for template in each.templates.values():
        for resource in template["Resources"].values():
            assert resource.get("DeletionPolicy", "Delete") == "Delete"
            assert resource.get("UpdateReplacePolicy", "Delete") == "Delete"
