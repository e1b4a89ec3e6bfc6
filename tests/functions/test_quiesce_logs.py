"""Logs at rest: they go when nobody is left who could write them, and nobody else's."""

from __future__ import annotations

from quiesce_logs import EndpointLogs, delete_job_logs, delete_monitor_logs

from tests.functions.conftest import Scripted
from tests.functions.quiescing import P, T, arn


def groups_with_the_prefix(logs: Scripted, *names: str) -> None:
    listed = [{"logGroupName": f"/aws/sagemaker/Endpoints/{name}"} for name in names]
    request = {"logGroupNamePrefix": f"/aws/sagemaker/Endpoints/{P}"}
    logs.reply("describe_log_groups", request, {"logGroups": listed})


def test_logs_of_endpoints_go_until_no_line_can_come_any_more(logs: Scripted, pauses: list[float]) -> None:
    endpoint_logs = EndpointLogs(logs.client, P, 30.0)
    endpoint_logs.saw(["any-name"])
    groups_with_the_prefix(logs, f"{P}earlier", f"{P}stack")
    group = {"logGroupName": "/aws/sagemaker/Endpoints/any-name"}
    logs.refuse("delete_log_group", "ResourceNotFoundException", request=group)
    logs.reply("delete_log_group", {"logGroupName": f"/aws/sagemaker/Endpoints/{P}earlier"})
    assert endpoint_logs.delete([f"{P}stack"]) == ["last lines of any-name"]
    pauses.append(31.0)
    groups_with_the_prefix(logs)
    logs.reply("delete_log_group", group)
    assert endpoint_logs.delete([]) == []


def test_logs_of_jobs_go_by_prefix_and_by_tag(logs: Scripted, tagging: Scripted) -> None:
    tagging.reply(
        "get_resources",
        {
            "TagFilters": [{"Key": "sandcastle:environment", "Values": ["a"]}],
            "ResourceTypeFilters": ["sagemaker:training-job", "sagemaker:processing-job", "sagemaker:transform-job"],
        },
        {
            "ResourceTagMappingList": [
                {"ResourceARN": arn("training-job", "any")},
                {"ResourceARN": arn("training-job", P)},
                {"ResourceARN": arn("training-job", f"{T}8f52-01234567-5f0c2-01-001-0f0444b1")},
            ]
        },
    )
    for group, beginnings in (("Training", ["any/", P, T]), ("Processing", [P, T]), ("Transform", [P, T])):
        for beginning in beginnings:
            name = f"/aws/sagemaker/{group}Jobs"
            request = {"logGroupName": name, "logStreamNamePrefix": beginning}
            if group == "Transform":
                logs.refuse("describe_log_streams", "ResourceNotFoundException", request=request)
                continue
            logs.reply("describe_log_streams", request, {"logStreams": [{"logStreamName": f"{beginning}1"}]})
            logs.reply("delete_log_stream", {"logGroupName": name, "logStreamName": f"{beginning}1"})
    delete_job_logs(logs.client, tagging.client, (P, T), "a")


def test_logs_of_a_schedules_jobs_go_with_those_of_the_merge_before(logs: Scripted) -> None:
    delete_monitor_logs(logs.client, ["by-hand"])  # not the name of such a job: nothing is asked
    group = "/aws/sagemaker/ProcessingJobs"
    for kind, stems in (
        ("groundtruth-merge-", ["202601010100-b1", "202601010100-other"]),
        ("model-monitoring-", ["202601010100-a1"]),
        ("model-quality-monitoring-", ["202601010100-b1"]),
    ):
        streams = [{"logStreamName": f"{kind}{stem}/algo-1-1"} for stem in stems]
        request = {"logGroupName": group, "logStreamNamePrefix": kind}
        logs.reply("describe_log_streams", request, {"logStreams": streams})
        logs.reply("delete_log_stream", {"logGroupName": group, "logStreamName": f"{kind}{stems[0]}/algo-1-1"})
    delete_monitor_logs(logs.client, ["model-monitoring-202601010100-a1", "model-quality-monitoring-202601010100-b1"])
