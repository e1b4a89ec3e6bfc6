"""The order of deletion, read from the templates: whoever must go first depends on what must go later.

The edges are those of a teardown that leaves nothing: writers before what empties their buckets, endpoints before
the role that SageMaker deletes them with, everything that logs before what deletes the logs.
"""

from __future__ import annotations

import json

import pytest

from tests.stacks.graph import dependencies, ids, keeps_its_tools, matching, without_each_dependency
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


def test_an_endpoint_goes_before_the_alarms_that_guard_its_updates(each: Synthesis) -> None:
    """Those of its monitors ring about what it is asked, and guard nothing."""
    for template in each.workloads:
        alarms = resources(template, "AWS::CloudWatch::Alarm").items()
        guards = {key for key, alarm in alarms if alarm["Properties"]["Namespace"] != "Sandcastle/Monitors"}
        for endpoint in resources(template, "AWS::SageMaker::Endpoint"):
            assert guards <= dependencies(template, endpoint)


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


def test_guardrails_come_first_and_go_last_then_the_foundation_and_the_teardown_goes_first(each: Synthesis) -> None:
    manifest = json.loads((each.folder / "manifest.json").read_text())["artifacts"]
    for name in each.templates:
        part = name.removeprefix(f"sandcastle-{each.environment}-")
        stacks = {other for other in manifest[name].get("dependencies", []) if other in each.templates}
        parts = {other.removeprefix(f"sandcastle-{each.environment}-") for other in stacks}
        if part == "teardown":
            everything = {other.removeprefix(f"sandcastle-{each.environment}-") for other in each.templates}
            assert parts >= everything - {"guardrails", "teardown"}
            continue
        assert parts <= {"guardrails", "foundation"}
        assert parts >= {"guardrails": set(), "foundation": {"guardrails"}}.get(part, {"foundation"})


def test_nothing_is_kept_on_purpose(each: Synthesis) -> None:
    for template in each.templates.values():
        for resource in template["Resources"].values():
            assert resource.get("DeletionPolicy", "Delete") == "Delete"
            assert resource.get("UpdateReplacePolicy", "Delete") == "Delete"


USER = r"User.*Role"
STUDIO = [
    # goes first, goes later, why; ids of resources, or patterns of ids
    ("StudioDrain", "DomainProfile.*", "people's apps and spaces block the profiles"),
    ("StudioDrain", "Domain[0-9A-F]{8}", "and the domain"),
    ("StudioDrain", "DomainDelete", "which looks once more, and then deletes the domain"),
    ("DomainProfile.*", "DomainDelete", "a domain with profiles is not deleted"),
    ("DomainDelete", "Domain[0-9A-F]{8}", "CloudFormation keeps the file system, so it must find the domain gone"),
    ("Domain[0-9A-F]{8}", "DomainSweep", "what the domain leaves is there only when it is gone"),
    ("Domain[0-9A-F]{8}", "Domain(JupyterLab|CodeEditor)Config", "a script that a domain refers to is not deleted"),
    ("Domain[0-9A-F]{8}", "DomainStranger", "its role"),
    ("DomainProfile.*", USER, "apps work as the role until they are gone"),
    ("DomainProfile.*", "User.*Studio", "and so with its permissions"),
    ("DomainProfile.*", "EverybodyPolicy", "both of them"),
    ("StudioDrain", "SpendingLimitRelease", "the drain freezes the roles, so the release must come after it"),
    ("DomainDelete", "SpendingLimitRelease", "and while the domain is deleted they stay frozen"),
    ("SpendingLimitAction[0-9A-F]{8}", "SpendingLimitRelease", "a budget could freeze them again"),
    ("SpendingLimitRelease", USER, "a role with a policy attached is not deleted"),
    ("SpendingLimitRelease", "SpendingLimitPolicy", "nor a policy that is attached"),
]
"""Facts on teardown, 2.3: every edge that a janitor's place in the order rests on."""


def goes_first(template: Template, first: str, later: str) -> bool:
    """Say whether everything of the first kind depends on everything of the second, users on what is their own."""
    firsts, laters = matching(template, first), matching(template, later)
    assert firsts
    assert laters
    for one in firsts:
        own = laters
        if "User" in later and "Profile" in first:
            profile = template["Resources"][one]["Properties"]["UserProfileName"]
            own = {key for key in laters if f"User{profile}" in key}
            assert own
        if not own <= dependencies(template, one):
            return False
    return True


@pytest.mark.parametrize(("first", "later", "why"), STUDIO, ids=[f"{one[0]}-{one[1]}" for one in STUDIO])
def test_studio(with_studio: Synthesis, first: str, later: str, why: str) -> None:
    assert goes_first(with_studio.template("studio"), first, later), why


JANITORS = ("StudioDrain", "DomainDelete", "DomainSweep", "SpendingLimitRelease")


@pytest.mark.parametrize("janitor", JANITORS)
def test_every_janitor_of_studio_keeps_what_it_works_with(with_studio: Synthesis, janitor: str) -> None:
    assert keeps_its_tools(with_studio.template("studio"), janitor)


def test_each_dependency_that_is_written_down_is_one_that_these_tests_ask_for(local: Synthesis) -> None:
    """The tables are complete: take any one away, and a line of them is broken."""
    number = 0
    for edge, without in without_each_dependency(local.template("studio")):
        kept = all(goes_first(without, first, later) for first, later, _ in STUDIO)
        assert not (kept and all(keeps_its_tools(without, janitor) for janitor in JANITORS)), edge
        number += 1
    assert number > 10


def test_the_sweep_does_not_need_the_domain_and_outlives_it(with_studio: Synthesis) -> None:
    template = with_studio.template("studio")
    (sweep,) = matching(template, "DomainSweep")
    assert not set(resources(template, "AWS::SageMaker::Domain")) & dependencies(template, sweep)
