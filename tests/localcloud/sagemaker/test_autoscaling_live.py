"""Scaling for real: requests make metrics, metrics ring alarms, alarms move the instance count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.sagemaker.test_autoscaling import TRACKING, Live

pytestmark = pytest.mark.localcloud

Until = Callable[[Callable[[], bool]], None]


class Scaled(Live):
    """An endpoint whose variant scales, under requests that come by the virtual minute."""

    def __init__(self, localcloud: Any, endpoint: str, until: Until) -> None:
        super().__init__(localcloud, endpoint)
        self.runtime = localcloud.client("sagemaker-runtime")
        self._until = until

    def track(self, target: float, **members: Any) -> None:
        configuration = {**TRACKING, "TargetValue": target, "ScaleInCooldown": 0, "ScaleOutCooldown": 0, **members}
        self.put("track", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=configuration)

    def minute(self, requests: int = 0, minutes: int = 1) -> None:
        """One after the other, so many requests in each, and what follows from them."""
        for _ in range(minutes):
            for _ in range(requests):
                self.runtime.invoke_endpoint(EndpointName=self.endpoint, Body=b"1,2", ContentType="text/csv")
            self.localcloud.admin("POST", "clock", {"advance_seconds": 60})

    def start_of_a_minute(self) -> None:
        now = self.localcloud.admin("GET", "clock")["now"]
        self.localcloud.admin("POST", "clock", {"advance_seconds": 66 - now % 60})

    def settled(self) -> int:
        """The instance count once no update is on its way, nor an activity that begins one."""
        self._until(lambda: self._describe()["EndpointStatus"] == "InService" and not self._active())
        [variant] = self._describe()["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"]
        return int(variant["CurrentInstanceCount"])

    def billed(self) -> list[float]:
        readings = self.localcloud.admin("GET", "meter")["readings"]
        return [line["quantity"] for line in readings if line["running"] and f"/{self.endpoint}/" in line["arn"]]

    def least(self, metric: str, since: float) -> float | None:
        """The smallest value of a metric of the endpoint since a moment (epoch seconds); None without any."""
        found = self.localcloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": self.endpoint}],
            StartTime=since,
            EndTime=since + 86400,
            Period=60,
            Statistics=["Minimum"],
        )
        return min((point["Minimum"] for point in found["Datapoints"]), default=None)

    def activities(self) -> list[tuple[str, str, str]]:
        """Status, description and cause, the newest first."""
        found = self.api.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=self.resource)
        return [(one["StatusCode"], one["Description"], one["Cause"]) for one in found["ScalingActivities"]]

    def _active(self) -> bool:
        return any(status == "InProgress" for status, _, _ in self.activities())

    def _describe(self) -> dict[str, Any]:
        return dict(self.sm.describe_endpoint(EndpointName=self.endpoint))


@pytest.fixture
def scaled(localcloud: Any, hosted: Callable[..., str], until: Until) -> Iterator[Scaled]:
    made = Scaled(localcloud, hosted(), until)
    made.start_of_a_minute()
    yield made
    with suppress(ClientError):
        made.sm.delete_endpoint(EndpointName=made.endpoint)


def test_target_tracking_scales_out_by_the_metric_and_in_when_nobody_asks(scaled: Scaled) -> None:
    scaled.register(MinCapacity=1, MaxCapacity=3)
    scaled.track(10)
    scaled.minute(requests=25, minutes=2)
    assert (scaled.settled(), scaled.activities()) == (1, [])  # two of three minutes
    scaled.minute(requests=25)
    scaled._until(lambda: bool(scaled.activities()))
    assert scaled.settled() == 3
    assert scaled.billed() == [3]
    [(status, description, cause)] = scaled.activities()
    assert (status, description) == ("Successful", "Setting desired instance count to 3.")
    assert "AlarmHigh" in cause and cause.endswith("in state ALARM triggered policy track")

    scaled.minute(minutes=13)
    assert scaled.settled() == 3
    scaled.minute(minutes=7)
    scaled._until(lambda: len(scaled.activities()) == 2)
    assert scaled.settled() == 1
    assert scaled.billed() == [1]
    assert "AlarmLow" in scaled.activities()[0][2]


def test_bounds_suspension_and_cooldown(scaled: Scaled) -> None:
    scaled.register(MinCapacity=2, MaxCapacity=4)
    assert scaled.settled() == 2
    [(status, _, cause)] = scaled.activities()
    assert (status, cause) == ("Successful", "minimum capacity was set to 2")
    scaled.track(5, ScaleOutCooldown=3600)
    scaled.start_of_a_minute()
    scaled.register(SuspendedState={"DynamicScalingOutSuspended": True})
    scaled.minute(requests=15, minutes=4)
    assert scaled.settled() == 2
    scaled.register(MinCapacity=2, SuspendedState={"DynamicScalingOutSuspended": False})
    scaled.minute(requests=15)
    scaled._until(lambda: len(scaled.activities()) == 2)
    assert scaled.settled() == 3  # 2 instances at 7.5 for each of 5
    scaled.start_of_a_minute()
    scaled.minute(requests=18, minutes=4)  # still too much for three, but they are to take effect first
    assert (scaled.settled(), len(scaled.activities())) == (3, 2)
    scaled.minute(requests=60, minutes=4)  # a larger step than the last may be taken at once
    scaled._until(lambda: len(scaled.activities()) == 3)
    assert scaled.settled() == 4


def test_an_asynchronous_endpoint_scales_from_zero_and_back(
    localcloud: Any, hosted: Callable[..., str], until: Until, trained_model: str
) -> None:
    """The two policies that AWS documents: async-inference-autoscale."""
    output = {"OutputConfig": {"S3OutputPath": f"s3://{trained_model}/async"}}
    scaled = Scaled(localcloud, hosted(AsyncInferenceConfig=output), until)
    scaled.sm.update_endpoint_weights_and_capacities(
        EndpointName=scaled.endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": 0}],
    )
    assert (scaled.settled(), scaled.billed()) == (0, [])
    scaled.register(MinCapacity=0, MaxCapacity=2)
    dimensions = [{"Name": "EndpointName", "Value": scaled.endpoint}]
    metric = {
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Namespace": "AWS/SageMaker",
        "Dimensions": dimensions,
        "Statistic": "Average",
    }
    tracking = {
        "TargetValue": 5.0,
        "CustomizedMetricSpecification": metric,
        "ScaleInCooldown": 60,
        "ScaleOutCooldown": 60,
    }
    scaled.put("backlog", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking)
    steps = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Average",
        "Cooldown": 60,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }
    wake = scaled.put("wake", PolicyType="StepScaling", StepScalingPolicyConfiguration=steps)["PolicyARN"]
    localcloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{scaled.endpoint}-backlog-without-capacity",
        MetricName="HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        AlarmActions=[wake],
    )
    s3 = localcloud.client("s3")
    s3.put_object(Bucket=trained_model, Key="ask.csv", Body=b"1,2\n")
    asked_at = localcloud.admin("GET", "clock")["now"]
    asked = scaled.runtime.invoke_endpoint_async(
        EndpointName=scaled.endpoint, InputLocation=f"s3://{trained_model}/ask.csv", ContentType="text/csv"
    )
    # nobody moves the clock: a request that waits for an instance makes time jump until it is there
    until(lambda: bool(scaled.activities()))
    assert scaled.settled() == 1
    assert scaled.activities()[-1][2].endswith("triggered policy wake")
    key = asked["OutputLocation"].removeprefix(f"s3://{trained_model}/")
    until(lambda: "Contents" in s3.list_objects_v2(Bucket=trained_model, Prefix=key))
    # the request leaves the backlog in a real moment of its own, after its answer is there
    until(lambda: scaled.least("ApproximateBacklogSizePerInstance", since=asked_at) == 0)
    scaled.minute(minutes=25)
    until(lambda: len(scaled.activities()) > 1)
    assert (scaled.settled(), scaled.billed(), len(scaled.activities())) == (0, [], 2)
    assert scaled.activities()[0][2].endswith("triggered policy backlog")
    scaled.sm.delete_endpoint(EndpointName=scaled.endpoint)
