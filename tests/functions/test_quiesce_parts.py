"""What brings an environment to rest, part by part: what is stopped, what is waited for, what stacks keep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ours import Ours
from quiesce_endpoints import delete_endpoints, delete_parts, endpoints_of
from quiesce_jobs import give_up_warm_pools, stop_jobs
from quiesce_logs import EndpointLogs, delete_job_logs, delete_monitor_logs
from quiesce_pipelines import stop_pipelines
from quiesce_registry import empty_registry
from quiesce_rules import disable_rules
from quiesce_schedules import delete_definitions, jobs_of, stop_schedules

from tests.functions.conftest import Scripted

P = "sandcastle-a--"
T = Ours(None, "a").tuning_prefix
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}"


def ours(sagemaker: Scripted, *held: str) -> Ours:
    return Ours(sagemaker.client, "a", in_stacks=lambda: set(held))


JOBS = (
    ("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJob"),
    ("list_training_jobs", "TrainingJob"),
    ("list_processing_jobs", "ProcessingJob"),
    ("list_transform_jobs", "TransformJob"),
)
TUNING = {
    "Strategy": "Bayesian",
    "TrainingJobStatusCounters": {},
    "ObjectiveStatusCounters": {},
}


def jobs(sagemaker: Scripted, listing: str, stem: str, status: str, *names: str) -> None:
    more = TUNING if stem.startswith("Hyper") else {}
    summaries = [
        {f"{stem}Name": name, f"{stem}Arn": arn("job", name), f"{stem}Status": status, "CreationTime": WHEN, **more}
        for name in names
    ]
    sagemaker.reply(listing, {"StatusEquals": status}, {f"{stem}Summaries": summaries})


def no_jobs(sagemaker: Scripted) -> None:
    for listing, stem in JOBS:
        for status in ("InProgress", "Stopping"):
            jobs(sagemaker, listing, stem, status)


def test_jobs_are_stopped_tuning_first_and_waited_for(sagemaker: Scripted) -> None:
    for listing, stem in JOBS:
        jobs(sagemaker, listing, stem, "InProgress", f"{P}{stem}")
        operation = listing.removeprefix("list_").removesuffix("s")
        sagemaker.reply(f"stop_{operation}", {f"{stem}Name": f"{P}{stem}"})
        jobs(sagemaker, listing, stem, "Stopping", *([f"{P}older"] if stem == "TrainingJob" else []))
    assert stop_jobs(ours(sagemaker)) == [
        f"1 tuning job ({P}HyperParameterTuningJob)",
        f"2 training jobs ({P}TrainingJob, {P}older)",
        f"1 processing job ({P}ProcessingJob)",
        f"1 transform job ({P}TransformJob)",
    ]


def test_a_job_that_ended_in_the_meantime_is_no_failure(sagemaker: Scripted) -> None:
    jobs(sagemaker, *JOBS[0], "InProgress")
    jobs(sagemaker, *JOBS[0], "Stopping")
    jobs(sagemaker, *JOBS[1], "InProgress", f"{P}job")
    text = "The request was rejected because the training job is in status Completed."
    sagemaker.refuse("stop_training_job", "ValidationException", text)
    for listing, stem in JOBS[1:]:
        if stem != "TrainingJob":
            jobs(sagemaker, listing, stem, "InProgress")
        jobs(sagemaker, listing, stem, "Stopping")
    mine = ours(sagemaker)
    assert stop_jobs(mine) == [f"1 training job ({P}job): {text}"]
    assert mine.refused is None


def test_warm_pools_are_given_up(sagemaker: Scripted) -> None:
    job = {
        "TrainingJobName": f"{P}job",
        "TrainingJobArn": arn("training-job", "job"),
        "TrainingJobStatus": "Completed",
        "CreationTime": WHEN,
    }
    sagemaker.reply("list_training_jobs", {"WarmPoolStatusEquals": "Available"}, {"TrainingJobSummaries": [job]})
    request = {"TrainingJobName": f"{P}job", "ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}
    sagemaker.reply("update_training_job", request, {"TrainingJobArn": arn("training-job", "job")})
    assert give_up_warm_pools(ours(sagemaker)) == [f"1 warm pool ({P}job)"]


def pipelines(sagemaker: Scripted, *names: str) -> None:
    listed = [{"PipelineName": f"{P}{name}", "PipelineArn": arn("pipeline", f"{P}{name}")} for name in names]
    sagemaker.reply("list_pipelines", {}, {"PipelineSummaries": listed})


def executions(sagemaker: Scripted, name: str, *statuses: str) -> None:
    summaries = [
        {"PipelineExecutionArn": arn("pipeline", f"{P}{name}/execution/{index:012}"), "PipelineExecutionStatus": status}
        for index, status in enumerate(statuses)
    ]
    request = {"PipelineName": f"{P}{name}"}
    sagemaker.reply("list_pipeline_executions", request, {"PipelineExecutionSummaries": summaries})


def test_executions_are_stopped_before_a_pipeline_is_deleted_and_stacks_keep_theirs(sagemaker: Scripted) -> None:
    pipelines(sagemaker, "busy", "idle", "stack")
    executions(sagemaker, "busy", "Executing", "Stopping", "Succeeded")
    sagemaker.stub.add_response("stop_pipeline_execution", {})
    waiting = {"Callback": {"CallbackToken": "0123456789", "SqsQueueUrl": "queue"}}
    over = {"Callback": {"CallbackToken": "9876543210", "SqsQueueUrl": "queue"}}
    steps = [
        {"StepName": "Job", "StepStatus": "Stopping", "Metadata": {"TrainingJob": {"Arn": arn("training-job", "x")}}},
        {"StepName": "Asked", "StepStatus": "Executing", "Metadata": waiting},
        {"StepName": "Answered", "StepStatus": "Succeeded", "Metadata": over},
    ]
    stopping = {"PipelineExecutionArn": arn("pipeline", f"{P}busy/execution/000000000001")}
    sagemaker.reply("list_pipeline_execution_steps", stopping, {"PipelineExecutionSteps": steps})
    sagemaker.reply(
        "send_pipeline_execution_step_failure",
        {"CallbackToken": "0123456789", "FailureReason": "The environment is being destroyed."},
        {"PipelineExecutionArn": stopping["PipelineExecutionArn"]},
    )
    executions(sagemaker, "idle", "Failed")
    sagemaker.stub.add_response("delete_pipeline", {"PipelineArn": arn("pipeline", "x")})
    executions(sagemaker, "stack")
    left = stop_pipelines(ours(sagemaker, f"{P}stack"))
    assert left == [
        f"2 pipeline executions ({P}busy/000000000000, {P}busy/000000000001)",
        f"1 pipeline ({P}idle)",
    ]


def schedules(sagemaker: Scripted, **statuses: str) -> None:
    listed = [
        {
            "MonitoringScheduleName": f"{P}{name}",
            "MonitoringScheduleArn": arn("monitoring-schedule", name),
            "MonitoringScheduleStatus": status,
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
            "EndpointName": f"{P}{name}-e",
        }
        for name, status in statuses.items()
    ]
    sagemaker.reply("list_monitoring_schedules", {}, {"MonitoringScheduleSummaries": listed})


def runs(sagemaker: Scripted, name: str, *statuses: str) -> None:
    summaries = [
        {
            "MonitoringScheduleName": f"{P}{name}",
            "ScheduledTime": WHEN,
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
            "MonitoringExecutionStatus": status,
            "ProcessingJobArn": arn("processing-job", f"model-monitoring-{index}"),
        }
        for index, status in enumerate(statuses)
    ]
    request = {"MonitoringScheduleName": f"{P}{name}"}
    sagemaker.reply("list_monitoring_executions", request, {"MonitoringExecutionSummaries": summaries})


def test_schedules_are_stopped_then_their_jobs_then_they_are_deleted(sagemaker: Scripted) -> None:
    schedules(sagemaker, pending="Pending", on="Scheduled", running="Stopped", done="Stopped", broken="Failed")
    sagemaker.reply("stop_monitoring_schedule", {"MonitoringScheduleName": f"{P}on"})
    runs(sagemaker, "running", "Completed", "InProgress", "Stopping")
    sagemaker.reply("stop_processing_job", {"ProcessingJobName": "model-monitoring-1"})
    runs(sagemaker, "done", "CompletedWithViolations")
    sagemaker.reply("delete_monitoring_schedule", {"MonitoringScheduleName": f"{P}done"})
    runs(sagemaker, "broken")
    sagemaker.reply("delete_monitoring_schedule", {"MonitoringScheduleName": f"{P}broken"})
    (left,), watched = stop_schedules(ours(sagemaker))
    assert watched == {f"{P}{name}": f"{P}{name}-e" for name in ("pending", "on", "running", "done", "broken")}
    assert left == f"5 monitoring schedules ({P}broken, {P}done, {P}on, ...): 2 of its jobs run"


def test_jobs_of_schedules_are_found_when_the_schedules_are_gone(sagemaker: Scripted) -> None:
    def run(schedule: str, job: str = "") -> dict[str, Any]:
        times = dict.fromkeys(("ScheduledTime", "CreationTime", "LastModifiedTime"), WHEN)
        made = {"ProcessingJobArn": arn("processing-job", job)} if job else {}
        return {"MonitoringScheduleName": schedule, "MonitoringExecutionStatus": "Completed", **times, **made}

    found = [run(f"{P}x", "of-the-name"), run("any", "of-one-seen"), run("sandcastle-ab--x", "another's"), run(f"{P}x")]
    sagemaker.reply("list_monitoring_executions", {"MaxResults": 100}, {"MonitoringExecutionSummaries": found})
    assert jobs_of(ours(sagemaker), {"any"}) == {"of-the-name", "of-one-seen"}


def test_definitions_of_run_time_are_deleted_and_those_of_stacks_are_kept(sagemaker: Scripted) -> None:
    for kind in ("data_quality", "model_quality", "model_bias", "model_explainability"):
        names = [f"{P}made", f"{P}stack"] if kind == "data_quality" else []
        listed = [
            {
                "MonitoringJobDefinitionName": name,
                "MonitoringJobDefinitionArn": arn("data-quality-job-definition", name),
                "CreationTime": WHEN,
                "EndpointName": "e",
            }
            for name in names
        ]
        sagemaker.reply(f"list_{kind}_job_definitions", {}, {"JobDefinitionSummaries": listed})
        if names:
            sagemaker.reply("delete_data_quality_job_definition", {"JobDefinitionName": f"{P}made"})
    held = arn("data-quality-job-definition", f"{P}stack")
    assert delete_definitions(ours(sagemaker, held)) == [f"1 job definition ({P}made)"]


def endpoints(sagemaker: Scripted, **statuses: str) -> None:
    listed = [
        {
            "EndpointName": f"{P}{name}",
            "EndpointArn": arn("endpoint", f"{P}{name}"),
            "EndpointStatus": status,
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
        }
        for name, status in statuses.items()
    ]
    sagemaker.reply("list_endpoints", {}, {"Endpoints": listed})


def components(sagemaker: Scripted, endpoint: str, *names: str) -> None:
    listed = [
        {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn("inference-component", name),
            "EndpointName": f"{P}{endpoint}",
            "EndpointArn": arn("endpoint", endpoint),
            "VariantName": "main",
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
        }
        for name in names
    ]
    request = {"EndpointNameEquals": f"{P}{endpoint}"}
    sagemaker.reply("list_inference_components", request, {"InferenceComponents": listed})


ALARMS = {"wake": "arn-made", "anothers": "arn-another", "mail": "arn:aws:sns:us-east-1:000000000000:topic"}


def policies(autoscaling: Scripted, **of: str) -> None:
    """Have Application Auto Scaling list a policy for each endpoint, of this type."""
    listed = [
        {
            "PolicyARN": f"arn-{endpoint}",
            "PolicyName": "p",
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{P}{endpoint}/variant/main",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "PolicyType": kind,
            "CreationTime": WHEN,
        }
        for endpoint, kind in of.items()
    ]
    autoscaling.reply("describe_scaling_policies", {"ServiceNamespace": "sagemaker"}, {"ScalingPolicies": listed})


def test_alarms_of_tracking_are_left_to_aws(sagemaker: Scripted, autoscaling: Scripted, cloudwatch: Scripted) -> None:
    components(sagemaker, "made")
    policies(autoscaling, made="TargetTrackingScaling")
    sagemaker.reply("delete_endpoint", {"EndpointName": f"{P}made"})
    left = delete_endpoints(ours(sagemaker), {f"{P}made": "InService"}, (), autoscaling.client, cloudwatch.client)
    assert left == [f"1 endpoint ({P}made)"]


def test_an_endpoint_that_a_schedule_watches_waits_for_its_end(
    sagemaker: Scripted, autoscaling: Scripted, cloudwatch: Scripted
) -> None:
    made = {f"{P}watched": "InService", f"{P}free": "InService"}
    components(sagemaker, "free")
    policies(autoscaling)
    sagemaker.reply("delete_endpoint", {"EndpointName": f"{P}free"})
    (left,) = delete_endpoints(ours(sagemaker), made, {f"{P}watched"}, autoscaling.client, cloudwatch.client)
    assert left == f"2 endpoints ({P}free, {P}watched): a monitoring schedule watches it"


def test_rules_of_the_stacks_start_nothing_any_more(sagemaker: Scripted, events: Scripted) -> None:
    mine = ours(sagemaker)
    held = {"rule-b": "AWS::Events::Rule", "function": "AWS::Lambda::Function", "rule-a": "AWS::Events::Rule"}
    events.refuse("disable_rule", "ResourceNotFoundException", request={"Name": "rule-a"})
    events.reply("disable_rule", {"Name": "rule-b"})
    disable_rules(mine, events.client, held)
    assert mine.refused is None
    events.refuse("disable_rule", "AccessDeniedException", request={"Name": "rule-a"})
    disable_rules(mine, events.client, {"rule-a": "AWS::Events::Rule"})
    assert mine.refused is not None


def test_endpoints_of_run_time_go_with_their_alarms_and_those_of_stacks_stay(
    sagemaker: Scripted, autoscaling: Scripted, cloudwatch: Scripted
) -> None:
    mine = ours(sagemaker, arn("endpoint", f"{P}stack"))
    endpoints(sagemaker, made="InService", going="Deleting", shared="InService", stack="InService")
    made, kept = endpoints_of(mine)
    assert (set(made), kept) == ({f"{P}made", f"{P}going", f"{P}shared"}, [f"{P}stack"])
    components(sagemaker, "made")
    policies(autoscaling, made="StepScaling", another="StepScaling")
    alarms = [{"AlarmName": name, "AlarmActions": [action]} for name, action in ALARMS.items()]
    cloudwatch.reply("describe_alarms", {"AlarmTypes": ["MetricAlarm"]}, {"MetricAlarms": alarms})
    cloudwatch.reply("delete_alarms", {"AlarmNames": ["wake"]})
    text = "Cannot update in-progress endpoint"
    sagemaker.refuse("delete_endpoint", "ValidationException", text, {"EndpointName": f"{P}made"})
    components(sagemaker, "shared", "llm")
    sagemaker.reply("delete_inference_component", {"InferenceComponentName": "llm"})
    (left,) = delete_endpoints(mine, made, {"another"}, autoscaling.client, cloudwatch.client)
    assert left == f"3 endpoints ({P}going, {P}made, {P}shared): 1 inference component (llm)"
    assert mine.refused is None


def test_parts_of_endpoints_go_but_those_of_stacks(sagemaker: Scripted) -> None:
    configs = [
        {"EndpointConfigName": name, "EndpointConfigArn": arn("endpoint-config", name), "CreationTime": WHEN}
        for name in (f"{P}made", f"{P}stack")
    ]
    sagemaker.reply("list_endpoint_configs", {}, {"EndpointConfigs": configs})
    sagemaker.reply("delete_endpoint_config", {"EndpointConfigName": f"{P}made"})
    listed = [
        {"ModelName": name, "ModelArn": arn("model", name), "CreationTime": WHEN} for name in (f"{P}made", f"{P}stack")
    ]
    sagemaker.reply("list_models", {}, {"Models": listed})
    sagemaker.reply("delete_model", {"ModelName": f"{P}made"})
    held = (arn("endpoint-config", f"{P}stack"), arn("model", f"{P}stack"))
    left = delete_parts(ours(sagemaker, *held))
    assert left == [f"1 endpoint configuration ({P}made)", f"1 model ({P}made)"]


def test_versions_go_from_every_group_and_groups_of_run_time_when_they_are_empty(sagemaker: Scripted) -> None:
    groups = [
        {
            "ModelPackageGroupName": f"{P}{name}",
            "ModelPackageGroupArn": arn("model-package-group", f"{P}{name}"),
            "CreationTime": WHEN,
            "ModelPackageGroupStatus": "Completed",
        }
        for name in ("full", "empty", "stack")
    ]
    sagemaker.reply("list_model_package_groups", {}, {"ModelPackageGroupSummaryList": groups})

    def versions(name: str, *numbers: int) -> None:
        listed = [
            {
                "ModelPackageArn": arn("model-package", f"{P}{name}/{number}"),
                "CreationTime": WHEN,
                "ModelPackageStatus": "Completed",
            }
            for number in numbers
        ]
        request = {"ModelPackageGroupName": f"{P}{name}"}
        sagemaker.reply("list_model_packages", request, {"ModelPackageSummaryList": listed})

    versions("full", 1)
    sagemaker.reply("delete_model_package", {"ModelPackageName": arn("model-package", f"{P}full/1")})
    versions("empty")
    sagemaker.refuse("delete_model_package_group_policy", "ValidationException", "there is none")
    sagemaker.reply("delete_model_package_group", {"ModelPackageGroupName": f"{P}empty"})
    versions("stack")
    sagemaker.reply("list_model_packages", {"ModelPackageType": "Unversioned"}, {"ModelPackageSummaryList": []})
    left = empty_registry(ours(sagemaker, arn("model-package-group", f"{P}stack")))
    assert left == [f"1 model package ({P}full/1)", f"1 model package group ({P}empty)"]


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
