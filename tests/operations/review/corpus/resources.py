"""Resources as such: updated, replaced, renamed, and what only looks like a change."""

from __future__ import annotations

from typing import Any

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import STUDIO, WORK, resource


def _properties(templates: Templates, stack: str, logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = templates[stack]["Resources"][logical_id]["Properties"]
    return found


def _nothing(templates: Templates) -> None:
    pass


def _instance_type(templates: Templates) -> None:
    _properties(templates, WORK, "Config")["ProductionVariants"][0]["InstanceType"] = "ml.m5.xlarge"


def _tag_everything(templates: Templates) -> None:
    for stack in templates.values():
        for one in stack["Resources"].values():
            if "Tags" in one["Properties"]:
                one["Properties"]["Tags"] = [*one["Properties"]["Tags"], {"Key": "team", "Value": "blue"}]


def _domain_tag(templates: Templates) -> None:
    _properties(templates, STUDIO, "Domain")["Tags"] = [{"Key": "team", "Value": "blue"}]


def _tags_in_another_order(templates: Templates) -> None:
    _properties(templates, STUDIO, "Domain")["Tags"].reverse()


def _two_tags(templates: Templates) -> None:
    _properties(templates, STUDIO, "Domain")["Tags"] = [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]


def _domain_setting(templates: Templates) -> None:
    settings = _properties(templates, STUDIO, "Domain")["DefaultUserSettings"]
    settings["StudioWebPortal"] = "DISABLED"


def _notebook_instance(templates: Templates) -> None:
    _properties(templates, STUDIO, "Notebook")["InstanceType"] = "ml.t3.large"


def _lambda_code(templates: Templates) -> None:
    _properties(templates, WORK, "Function")["Code"]["S3Key"] = f"{'b' * 64}.zip"


def _cdk_upgrade(templates: Templates) -> None:
    for stack in templates.values():
        stack["Resources"]["CDKMetadata"] = resource("AWS::CDK::Metadata", Analytics="v2:deflate64:new")
        stack["Parameters"] = {"BootstrapVersion": {"Type": "String", "Default": "/cdk-bootstrap/v2/version"}}
    _properties(templates, WORK, "Function")["Code"]["S3Key"] = f"{'c' * 64}.zip"
    _properties(templates, WORK, "Function")["Runtime"] = "python3.14"


def _promise_added(templates: Templates) -> None:
    templates[WORK]["Resources"]["FunctionLogs"]["Metadata"] = {"about": "the function"}
    templates[WORK]["Resources"]["Endpoint"]["DependsOn"] = ["Schedule"]


def _description(templates: Templates) -> None:
    templates[WORK]["Description"] = "Another text"


def _alarm_added(templates: Templates) -> None:
    templates[WORK]["Resources"]["Alarm"] = resource("AWS::CloudWatch::Alarm", MetricName="Errors", Namespace="Bank")


def _alarm_removed(templates: Templates) -> None:
    del templates[WORK]["Resources"]["Alarm"]


def _renamed_alarm(templates: Templates) -> None:
    templates[WORK]["Resources"]["Errors"] = templates[WORK]["Resources"].pop("Alarm")


def _named_alarm(templates: Templates) -> None:
    _alarm_added(templates)
    _properties(templates, WORK, "Alarm")["AlarmName"] = "bank-errors"


def _endpoint_renamed_in_code(templates: Templates) -> None:
    text = templates[WORK]["Resources"]
    text["Endpoint2"] = text.pop("Endpoint")
    text["Drift"]["Properties"]["DataQualityJobInput"]["EndpointInput"]["EndpointName"] = "demo-bank"
    templates[WORK]["Outputs"]["EndpointName"]["Value"] = "demo-bank"


def _parameter(templates: Templates) -> None:
    templates[WORK]["Parameters"] = {"Weight": {"Type": "Number", "Default": 1}}
    _properties(templates, WORK, "FunctionLogs")["RetentionInDays"] = {"Ref": "Weight"}


def _parameter_changed(templates: Templates) -> None:
    templates[WORK]["Parameters"]["Weight"]["Default"] = 7


PAIRS = (
    Pair("nothing", _nothing, "clean", only=True, silent=("replaced",)),
    Pair(
        "instance type",
        _instance_type,
        "clean",
        acts={"demo-workload/Config": "replace", "demo-workload/Endpoint": "update"},
        only=True,
        says=("ml.m5.large", "ml.m5.xlarge", "because Config is replaced", "rolls"),
    ),
    Pair("tags everywhere", _tag_everything, "clean", acts={"demo-studio/Domain": "tags"}, says=("4 tag-only",)),
    Pair(
        "domain tag", _domain_tag, "clean", acts={"demo-studio/Domain": "tags"}, only=True, says=("sources disagree",)
    ),
    Pair("tags in another order", _tags_in_another_order, "clean", only=True, base=_two_tags),
    Pair("domain setting", _domain_setting, "clean", acts={"demo-studio/Domain": "update"}, only=True),
    Pair(
        "notebook instance type",
        _notebook_instance,
        "clean",
        acts={"demo-studio/Notebook": "update"},
        only=True,
        says=("interrupted",),
    ),
    Pair("Lambda code only", _lambda_code, "clean", acts={"demo-workload/Function": "code"}, only=True),
    Pair("CDK upgrade only", _cdk_upgrade, "clean", acts={"demo-workload/Function": "update"}, only=True),
    Pair("metadata and order only", _promise_added, "clean", acts={"demo-workload/Endpoint": "none"}),
    Pair("description only", _description, "clean", only=True),
    Pair("alarm added", _alarm_added, "clean", acts={"demo-workload/Alarm": "create"}, only=True),
    Pair(
        "alarm removed", _alarm_removed, "clean", acts={"demo-workload/Alarm": "delete"}, only=True, base=_alarm_added
    ),
    Pair(
        "renamed in code", _renamed_alarm, "clean", acts={"demo-workload/Errors": "moved"}, only=True, base=_alarm_added
    ),
    Pair(
        "renamed in code, with a name",
        _renamed_alarm,
        "blocked",
        frozenset({"deploy-fails Errors"}),
        {"demo-workload/Errors": "moved"},
        base=_named_alarm,
        says=("bank-errors",),
    ),
    Pair(
        "endpoint renamed in code",
        _endpoint_renamed_in_code,
        "blocked",
        frozenset({"deploy-fails Endpoint2"}),
        {"demo-workload/Endpoint2": "moved"},
    ),
    Pair(
        "parameter's default",
        _parameter_changed,
        "clean",
        acts={"demo-workload/FunctionLogs": "update"},
        base=_parameter,
    ),
)
