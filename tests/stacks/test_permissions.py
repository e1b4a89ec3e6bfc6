"""Permissions: every action exists in AWS, none is a wildcard, and functions have what their code calls, no more.

Source of the actions: AWS's service authorization data as cfn-lint ships it (data/AdditionalSpecs/Policies.json).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.cfn_lint_data import DATA
from tests.stacks.calls import actions_of
from tests.stacks.monitored import monitored, piped
from tests.stacks.statements import listed, lookups, role_statements
from tests.synthesis import ENVIRONMENTS, ROOT, Synthesis, resources, synthesise

OPEN_ACTIONS = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudformation:ListStacks",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricData",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogGroups",
    "sagemaker:ListApps",
    "sagemaker:ListDataQualityJobDefinitions",
    "sagemaker:ListDomains",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListInferenceComponents",
    "sagemaker:ListModelBiasJobDefinitions",
    "sagemaker:ListModelExplainabilityJobDefinitions",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModelQualityJobDefinitions",
    "sagemaker:ListModels",
    "sagemaker:ListMonitoringExecutions",
    "sagemaker:ListMonitoringSchedules",
    "sagemaker:ListNotebookInstances",
    "sagemaker:ListPipelines",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListSpaces",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
    "sagemaker:ListUserProfiles",
    "sts:GetCallerIdentity",
    "tag:GetResources",
}
"""Actions that AWS grants on every resource or not at all."""

BOUNDED_OTHERWISE = {"cloudwatch:DescribeAlarms", "cloudwatch:PutMetricData", "sagemaker:ListModelPackages"}
"""PutMetricData knows one resource, a dataset, which is not what jobs write to: their metrics are bounded by namespace.
The other two know one alarm or package, and a list is about many."""


@cache
def service_authorization() -> dict[str, Any]:
    file = DATA / "AdditionalSpecs" / "Policies.json"
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def all_statements(synthesis: Synthesis) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{stack}/{role}", statement)
        for stack, template, lookup in lookups(synthesis)
        for role in resources(template, "AWS::IAM::Role")
        for statement in role_statements(template, role, lookup)
    ]


def test_every_action_exists(each: Synthesis) -> None:
    for where, statement in all_statements(each):
        for action in listed(statement["Action"]):
            service, _, name = action.partition(":")
            assert name.lower() in service_authorization()[service]["Actions"], f"{where}: {action}"


def test_no_action_is_a_wildcard(each: Synthesis) -> None:
    for where, statement in all_statements(each):
        assert not any("*" in action for action in listed(statement["Action"])), where


def test_every_resource_is_given_only_to_actions_that_take_none() -> None:
    seen = set()
    for where, statement in (pair for name in ENVIRONMENTS for pair in all_statements(synthesise(name))):
        if "*" in listed(statement["Resource"]):
            seen |= set(listed(statement["Action"]))
            assert set(listed(statement["Action"])) <= OPEN_ACTIONS, where
    assert seen == OPEN_ACTIONS
    for action in OPEN_ACTIONS - BOUNDED_OTHERWISE:
        service, _, name = action.partition(":")
        assert "Resources" not in service_authorization()[service]["Actions"][name.lower()]


def test_metrics_are_written_to_sagemakers_own_namespaces_and_ours_only(each: Synthesis) -> None:
    for where, statement in all_statements(each):
        if "cloudwatch:PutMetricData" in listed(statement["Action"]):
            namespaces = listed(statement["Condition"]["StringEquals"]["cloudwatch:namespace"])
            if "MonitorAlarm" in where or "MonitoringAlarm" in where:
                assert namespaces == ["Sandcastle/Monitors"]
                continue
            own = ("/aws/sagemaker/", "aws/sagemaker/")  # monitoring's have no slash in front
            assert all(namespace.startswith(own) for namespace in namespaces), where


def test_roles_are_passed_by_name_and_to_one_service(each: Synthesis) -> None:
    passing = [(at, one) for at, one in all_statements(each) if "iam:PassRole" in listed(one["Action"])]
    assert len(passing) >= len(each.workloads)
    for where, statement in passing:
        service = "scheduler.amazonaws.com" if "Expiry" in where else "sagemaker.amazonaws.com"
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": service}}
        assert not any("*" in arn for arn in listed(statement["Resource"]))


def test_sagemaker_takes_roles_for_this_account_only(each: Synthesis) -> None:
    found = 0
    for template in (*each.workloads, *each.pipelines):
        for role in resources(template, "AWS::IAM::Role").values():
            (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if trust["Principal"]["Service"] == "sagemaker.amazonaws.com":
                assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
                found += 1
    monitored = sum(1 for template in each.workloads if "MonitoringEngine" in template["Outputs"])
    assert found == 3 * len(each.workloads) + 2 * monitored + 6 * len(each.pipelines)


def test_policies_of_one_role_do_not_overwrite_each_other(each: Synthesis) -> None:
    for template in each.templates.values():
        names = [
            (role["Ref"], policy["Properties"]["PolicyName"])
            for policy in resources(template, "AWS::IAM::Policy").values()
            for role in policy["Properties"]["Roles"]
        ]
        assert len(names) == len(set(names))


def test_no_function_can_create_a_log_group(each: Synthesis) -> None:
    for _, template, lookup in lookups(each):
        for function in resources(template, "AWS::Lambda::Function").values():
            role = function["Properties"]["Role"]["Fn::GetAtt"][0]
            for statement in role_statements(template, role, lookup):
                assert "logs:CreateLogGroup" not in listed(statement["Action"])


def test_no_role_reaches_what_another_workload_made(each: Synthesis) -> None:
    for template in (*each.workloads, *each.pipelines):
        name = next(iter(resources(template, "Custom::SandcastleJobLogs").values()))["Properties"]["JobPrefix"]
        workload = name.split("--")[1].removesuffix("-")
        lookup = next(lookup for _, other, lookup in lookups(each) if other is template)
        for role in resources(template, "AWS::IAM::Role"):
            for statement in role_statements(template, role, lookup):
                for resource in listed(statement["Resource"]):
                    bucket_object = resource.startswith("arn:aws:s3:::") and "/" in resource
                    if bucket_object and "cdk-" not in resource:
                        key = resource.split("/", 1)[1]
                        for shared in ("capture/", "async/", "monitoring/", "told/"):
                            key = key.removeprefix(shared)
                        assert key.startswith(f"{workload}/")


WRITES_OWN_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
HANDLERS = [
    "batch_monitor_run.handler",
    "bucket_contents.handler",
    "domain_delete.handler",
    "domain_sweep.handler",
    "expiry.handler",
    "expiry_schedule.handler",
    "job_logs.handler",
    "jobs.is_complete",
    "jobs.on_event",
    "monitor_found.handler",
    "monitor_rest.handler",
    "monitor_run.handler",
    "monitor_slack.handler",
    "nightly.handler",
    "notebook_logs.handler",
    "notebook_rest.handler",
    "notebook_state.handler",
    "pipeline_approved.handler",
    "pipeline_deploy.confirm",
    "pipeline_deploy.deploy",
    "pipeline_failed.handler",
    "pipeline_run.handler",
    "pipeline_schedules.handler",
    "pipeline_watched.handler",
    "quiesce.handler",
    "spending_release.handler",
    "studio_drain.handler",
]
CALL_NOTHING = ["pipeline_choose.handler"]
"""Functions that work with what they are given."""

IN_THEIR_NAME = {
    "domain_sweep.handler": {"ec2:DeleteNetworkInterface"},
    "pipeline_deploy.deploy": {"s3:ListBucket"},
}
"""What another service does in the name of whoever calls it: EFS deletes a mount target's interface. S3 says that there
is no such object only to those who may list; to others it says that they may not read it."""


WHERE_TUNED = {
    "jobs.is_complete": {
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:ListHyperParameterTuningJobs",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
    },
    "jobs.on_event": {
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:CreateTrainingJob",  # where nothing is tuned: what is not tuned is trained
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:ListHyperParameterTuningJobs",
        "sagemaker:StopHyperParameterTuningJob",
    },
}
"""What a function calls only for workloads that tune, and may only there; ``test_training`` has such."""


def functions_of_all_environments() -> Iterator[tuple[str, set[str]]]:
    """Yield the handler of every function with the actions that its role may do."""
    for synthesis in (*map(synthesise, ENVIRONMENTS), monitored("portable"), piped()):
        for _, template, lookup in lookups(synthesis):
            for function in resources(template, "AWS::Lambda::Function").values():
                role = function["Properties"]["Role"]["Fn::GetAtt"][0]
                statements = role_statements(template, role, lookup)
                allowed = {action for statement in statements for action in listed(statement["Action"])}
                yield function["Properties"]["Handler"], allowed


@pytest.mark.parametrize("handler", HANDLERS)
def test_function_may_do_what_its_code_calls_and_nothing_else(handler: str) -> None:
    called = actions_of(ROOT / "assets" / "functions", handler)
    assert called
    found = [allowed for name, allowed in functions_of_all_environments() if name == handler]
    assert found
    for allowed in found:
        may = allowed - WRITES_OWN_LOGS - IN_THEIR_NAME.get(handler, set())
        assert called - WHERE_TUNED.get(handler, set()) <= may <= called
        if handler == "jobs.on_event":
            assert len(may & {"sagemaker:CreateTrainingJob", "sagemaker:CreateHyperParameterTuningJob"}) == 1


def test_every_function_is_looked_at() -> None:
    handlers = {name for name, _ in functions_of_all_environments()}
    assert {name for name in handlers if not name.startswith("framework.")} == {*HANDLERS, *CALL_NOTHING}
