"""Models and endpoints: retrained, rolled, of another kind, watched and not."""

from __future__ import annotations

from typing import Any

from tests.operations.review.corpus.pair import Pair, Templates
from tests.operations.review.corpus.world import GUARD, WORK, att, request, resource, variant


def _resources(templates: Templates) -> dict[str, Any]:
    found: dict[str, Any] = templates[WORK]["Resources"]
    return found


def _retrained(templates: Templates) -> None:
    properties = _resources(templates)["Trained"]["Properties"]
    properties |= {"Fingerprint": "bbbb", "Request": request("ml.m5.xlarge", "bbbb")}


def _data_again(templates: Templates) -> None:
    _resources(templates)["Dataset"]["Properties"]["Fingerprint"] = "eeee"


def _disk_only(templates: Templates) -> None:
    properties = _resources(templates)["Trained"]["Properties"]
    properties["Request"] = request("ml.m5.large")
    properties["JobPrefix"] = "another"


def _serverless(templates: Templates) -> None:
    properties = _resources(templates)["Config"]["Properties"]
    properties["ProductionVariants"] = [variant(ServerlessConfig={"MemorySizeInMB": 2048, "MaxConcurrency": 5})]


def _asynchronous(templates: Templates) -> None:
    _resources(templates)["Config"]["Properties"]["AsyncInferenceConfig"] = {"OutputConfig": {"S3OutputPath": "s3://o"}}


def _unmonitored(templates: Templates) -> None:
    del _resources(templates)["Drift"], _resources(templates)["Schedule"]


def _capture_off(templates: Templates) -> None:
    del _resources(templates)["Config"]["Properties"]["DataCaptureConfig"]


def _capture_all_off(templates: Templates) -> None:
    _unmonitored(templates)
    _capture_off(templates)


def _percent(templates: Templates) -> None:
    _resources(templates)["Config"]["Properties"]["DataCaptureConfig"]["InitialSamplingPercentage"] = 50


def _budget_removed(templates: Templates) -> None:
    del templates[GUARD]["Resources"]["Budget"]


def _second(templates: Templates) -> None:
    _resources(templates)["Second"] = resource(
        "AWS::SageMaker::Endpoint", EndpointConfigName=att("Config", "EndpointConfigName")
    )


def _second_watched(templates: Templates) -> None:
    _second(templates)
    _resources(templates)["Watch"] = resource(
        "AWS::Scheduler::Schedule",
        ScheduleExpression="cron(10 * * * ? *)",
        Target={"Arn": "arn:f", "Input": {"Fn::Sub": '{"endpoint":"${Second.EndpointName}"}'}},
    )


def _schedule_disabled(templates: Templates) -> None:
    _resources(templates)["Watch"]["Properties"]["State"] = "DISABLED"


def _renamed(templates: Templates) -> None:
    _resources(templates)["Endpoint"]["Properties"]["EndpointName"] = "demo-bank-2"


def _gone(templates: Templates) -> None:
    found = _resources(templates)
    del found["Endpoint"], found["Drift"], found["Schedule"], templates[WORK]["Outputs"]["EndpointName"]


def _named_config(templates: Templates) -> None:
    _resources(templates)["Config"]["Properties"]["EndpointConfigName"] = "demo-config"


def _named_config_changed(templates: Templates) -> None:
    _resources(templates)["Config"]["Properties"]["ProductionVariants"][0]["InstanceType"] = "ml.m5.xlarge"


CHAIN = {
    "demo-workload/Model": "replace",
    "demo-workload/Config": "replace",
    "demo-workload/Endpoint": "update",
}

PAIRS = (
    Pair(
        "model retrained",
        _retrained,
        "clean",
        acts={"demo-workload/Trained": "update", **CHAIN},
        says=(
            "trains again: fingerprint aaaa → bbbb",
            "ResourceConfig.InstanceType: ml.m5.large → ml.m5.xlarge",
            "rolls",
        ),
    ),
    Pair(
        "data prepared again",
        _data_again,
        "clean",
        acts={"demo-workload/Dataset": "update"},
        says=("prepares its data",),
    ),
    Pair("job's settings without its result", _disk_only, "clean", acts={"demo-workload/Trained": "update"}, only=True),
    Pair(
        "endpoint kind: serverless",
        _serverless,
        "blocked",
        frozenset({"deploy-fails Endpoint"}),
        {"demo-workload/Config": "replace", "demo-workload/Endpoint": "update"},
    ),
    Pair("endpoint kind: asynchronous", _asynchronous, "clean", acts={"demo-workload/Config": "replace"}),
    Pair(
        "monitor removed",
        _unmonitored,
        "blocked",
        frozenset({"endpoint-unmonitored Endpoint"}),
        {"demo-workload/Schedule": "delete"},
    ),
    Pair(
        "capture off", _capture_off, "blocked", frozenset({"capture-off Endpoint"}), {"demo-workload/Config": "replace"}
    ),
    Pair("capture off, unmonitored before", _capture_off, "look", base=_unmonitored, says=("data capture is off",)),
    Pair("capture and monitor off", _capture_all_off, "blocked", frozenset({"endpoint-unmonitored Endpoint"})),
    Pair("half of requests captured", _percent, "clean", acts={"demo-workload/Endpoint": "update"}),
    Pair("budget removed", _budget_removed, "blocked", frozenset({"endpoint-unbudgeted Endpoint"})),
    Pair("second endpoint, unwatched", _second, "blocked", frozenset({"endpoint-unmonitored Second"})),
    Pair("second endpoint, watched", _second_watched, "clean", acts={"demo-workload/Second": "create"}),
    Pair(
        "schedule disabled",
        _schedule_disabled,
        "blocked",
        frozenset({"endpoint-unmonitored Second"}),
        base=_second_watched,
    ),
    Pair(
        "endpoint gets another name",
        _renamed,
        "clean",
        acts={"demo-workload/Endpoint": "replace"},
        says=("old name",),
    ),
    Pair("endpoint removed", _gone, "look", acts={"demo-workload/Endpoint": "delete"}, says=("output removed",)),
    Pair(
        "named configuration changed",
        _named_config_changed,
        "blocked",
        frozenset({"deploy-fails Config"}),
        {"demo-workload/Config": "replace"},
        base=_named_config,
        says=("demo-config",),
    ),
)
