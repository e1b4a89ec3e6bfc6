"""A night: warned, stopped, woken; and destroyed while it sleeps, to zero. ``test_environment`` changes what sleeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.lifecycle.busy import Busy
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.environments import FAR
from tests.lifecycle.stand import Stand, stand
from tests.lifecycle.topic import Listener


@pytest.mark.exhaustive
def test_endpoints_sleep_and_wake_and_are_destroyed_asleep(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    start = datetime.fromtimestamp(cloud.admin("clock")["now"], UTC)
    stop, wake = start + timedelta(hours=3), start + timedelta(hours=5)
    night = {"at": f"{stop:%H:%M}", "timezone": "UTC", "endpoints": True, "wake": f"{wake:%H:%M}"}
    people = {"studio": {"users": ["ada"], "idle_minutes": 600}, "notebook": {"stop_at": FAR}}
    workloads = {"bank": {}, "penguins": {"pipeline": True}}
    file = environment_file("night", nightly_stop=night, workloads=workloads, **people)
    place = stand(cloud, file).up()
    (topic,) = [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]]
    listener = Listener(cloud, topic)

    runs = _everything_runs(cloud)
    by_hand = Busy(cloud, "night", "anything").endpoint("endpoint")
    deployed = _as_a_pipeline_deploys(cloud, place)

    def pass_until(moment: datetime) -> None:
        cloud.advance(moment.timestamp() - cloud.admin("clock")["now"])

    def subject(text: str) -> Callable[[], bool]:
        return lambda: any(text in one for one in listener.subjects())

    def endpoints() -> list[str]:
        return [one["EndpointStatus"] for one in cloud.client("sagemaker").list_endpoints()["Endpoints"]]

    pass_until(stop - timedelta(minutes=9))
    cloud.until(subject(f"what runs is stopped at {stop:%H:%M} UTC"), "the warning")
    assert endpoints() == ["InService"] * 3
    pass_until(stop + timedelta(minutes=1))
    cloud.until(subject("stopped for the night"), "the stop")
    cloud.until(lambda: endpoints() == [] and not runs(), "the end of what ran")
    billed = [arn for arn in cloud.running_meters() if "/lab" not in arn and ":notebook-instance/" not in arn]
    assert billed == []  # but the disks of what can be started again

    assert _watching(cloud, deployed) == ["Stopped"]  # else each hour is billed, to find no endpoint

    cloud.client("sagemaker").delete_endpoint_config(EndpointConfigName=by_hand)  # which a night keeps
    pass_until(wake + timedelta(minutes=1))
    cloud.until(subject("awake again"), "the morning")
    cloud.until(lambda: endpoints() == ["InService"] * 2, "the endpoints of the stacks, and of their pipelines")
    cloud.here("invoke", "bank", "--sample", "1", "--environment", file)
    cloud.here("wake", "--environment", file)  # now that there is something to be watched
    cloud.until(lambda: _watching(cloud, deployed) == ["Scheduled"], "the schedule")

    cloud.here("sleep", "--environment", file)
    cloud.until(lambda: endpoints() == [], "the endpoint's end")
    listener.close()
    place.destroyed_at_once()


def _as_a_pipeline_deploys(cloud: Cloud, place: Stand) -> str:
    """Have an endpoint of the name that the pipelines' stack knows, watched by a schedule; return its name."""
    name = place.outputs["Endpoint"]
    beginning, _, end = name.rpartition("-")
    busy = Busy(cloud, "night", beginning)
    busy.watch(busy.endpoint(end, captured=True), f"{name}-data")
    return name


def _watching(cloud: Cloud, endpoint: str) -> list[str]:
    """Return the states of the schedules that watch an endpoint."""
    listed = cloud.client("sagemaker").list_monitoring_schedules(EndpointName=endpoint)
    return [one["MonitoringScheduleStatus"] for one in listed["MonitoringScheduleSummaries"]]


def _everything_runs(cloud: Cloud) -> Callable[[], list[str]]:
    """Have an app of Ada's, the notebook instance and a scaled endpoint; return what says which instances run."""
    sagemaker = cloud.client("sagemaker")
    domain = sagemaker.list_domains()["Domains"][0]["DomainId"]
    where = {"DomainId": domain, "SpaceName": "lab"}
    sagemaker.create_space(
        **where,
        OwnershipSettings={"OwnerUserProfileName": "ada"},
        SpaceSharingSettings={"SharingType": "Private"},
        SpaceSettings={"AppType": "JupyterLab"},
    )
    cloud.until(lambda: sagemaker.describe_space(**where)["Status"] == "InService", "the space")
    sagemaker.create_app(
        **where, AppType="JupyterLab", AppName="default", ResourceSpec={"InstanceType": "ml.t3.medium"}
    )
    (endpoint,) = [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]
    cloud.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{endpoint}/variant/main",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
    )

    def runs() -> list[str]:
        apps = [one["AppType"] for one in sagemaker.list_apps()["Apps"] if one["Status"] == "InService"]
        instances = sagemaker.list_notebook_instances(StatusEquals="InService")["NotebookInstances"]
        return apps + [one["NotebookInstanceName"] for one in instances]

    cloud.until(lambda: len(runs()) == 2, "an app and the notebook instance")
    return runs
