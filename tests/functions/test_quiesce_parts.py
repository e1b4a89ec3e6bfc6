"""What brings an environment to rest, part by part: what is stopped, what is waited for, what stacks keep."""

from __future__ import annotations

from quiesce_endpoints import delete_endpoints, delete_parts, endpoints_of
from quiesce_jobs import give_up_warm_pools, stop_jobs
from quiesce_registry import empty_registry

from tests.functions.conftest import Scripted
from tests.functions.quiescing import WHEN, P, arn, ours

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
