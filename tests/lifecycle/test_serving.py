"""Every way to serve, from its first deployment to nothing: what answers while it changes, and what is left of it."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.stand import Stand, stand
from tests.lifecycle.topic import Listener
from tests.synthesis import Template, resources

#: the container advertises this type and cannot write it: every request that names none is answered with 500
BROKEN = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/jsonlines"}


class Endpoint:
    """The endpoint of the workload bank, as who asks it sees it."""

    def __init__(self, place: Stand) -> None:
        self.cloud, self.name = place.cloud, place.outputs["EndpointName"]
        self._place = place
        self.sagemaker, self._runtime = place.client("sagemaker"), place.client("sagemaker-runtime")
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()

    @cached_property
    def row(self) -> bytes:
        """The first row of the test split, without its label."""
        bucket, _, folder = self._place.outputs["DatasetUri"].removeprefix("s3://").partition("/")
        body = self._place.client("s3").get_object(Bucket=bucket, Key=f"{folder}/test/test.csv")["Body"].read()
        first: bytes = body.splitlines()[0].partition(b",")[2]
        return first

    def ask(self) -> str:
        """Return what it answers, or the status of its refusal."""
        try:
            reply = self._runtime.invoke_endpoint(EndpointName=self.name, ContentType="text/csv", Body=self.row)
        except ClientError as error:
            return str(error.response.get("OriginalStatusCode", error))
        text: str = reply["Body"].read().decode().strip()
        return text

    def described(self) -> Any:
        return self.sagemaker.describe_endpoint(EndpointName=self.name)

    @property
    def instances(self) -> int:
        """How many it has, once no update is on its way."""
        self.cloud.until(lambda: self.described()["EndpointStatus"] == "InService", "the endpoint")
        return sum(one.get("CurrentInstanceCount", 0) for one in self.described()["ProductionVariants"])

    def minute(self, requests: int = 0, minutes: int = 1) -> None:
        """Let minutes pass, with so many requests in each."""
        for _ in range(minutes):
            for _ in range(requests):
                self.ask()
            self.cloud.advance(60)

    def start_of_a_minute(self) -> None:
        """Let the next minute begin, and be evaluated."""
        self.cloud.advance(66 - self.cloud.admin("clock")["now"] % 60)

    def __enter__(self) -> Endpoint:
        """Ask all the time, from now on."""
        assert self.row
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _ask_on(self) -> None:
        while not self._over.wait(0.02):
            self.answers[self.ask()] += 1


def _bank(**endpoint: Any) -> dict[str, Any]:
    return {"bank": {"hyperparameters": {"num_round": 20}, "endpoint": endpoint}}


def _retrained(**endpoint: Any) -> dict[str, Any]:
    return {"bank": {"hyperparameters": {"num_round": 20, "eta": 0.9}, "endpoint": endpoint}}


@pytest.mark.exhaustive
def test_retraining_makes_another_model_while_the_old_one_answers(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    place = stand(cloud, environment_file("retrained", workloads=_bank())).up()
    before, endpoint = place.outputs, Endpoint(place)
    old = endpoint.ask()
    with endpoint:
        place = stand(cloud, environment_file("retrained", workloads=_retrained())).up()
        after = place.outputs
    assert before["EndpointName"] == after["EndpointName"]
    for changed in ("Fingerprint", "TrainingJob", "ModelDataUrl", "ModelName", "EndpointConfigName"):
        assert before[changed] != after[changed], changed
    assert set(endpoint.answers) - {old} <= {endpoint.ask()}, endpoint.answers  # the one, then the other, and no error
    models = [one["ModelName"] for one in cloud.client("sagemaker").list_models()["Models"]]
    assert models == [after["ModelName"]]
    place.destroyed_at_once()


CANARY = {"kind": "canary", "percent": 50, "wait_minutes": 3}


@pytest.mark.exhaustive
def test_a_canary_gets_a_part_of_the_requests_before_it_gets_all(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    endpoint_settings: dict[str, Any] = {"instances": 2, "deployment": CANARY}
    place = stand(cloud, environment_file("canary", workloads=_bank(**endpoint_settings))).up()
    endpoint = Endpoint(place)
    old, before = endpoint.ask(), endpoint.described()["EndpointConfigName"]
    with endpoint:
        place = stand(cloud, environment_file("canary", workloads=_retrained(**endpoint_settings))).up()
    new = endpoint.ask()
    assert old != new
    assert set(endpoint.answers) == {old, new}
    assert endpoint.described()["EndpointConfigName"] == place.outputs["EndpointConfigName"] != before
    assert endpoint.described()["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 180,
    }
    place.destroyed_at_once()


def _broken(template: Template) -> Template:
    """Return the template with a model that answers 500."""
    changed = copy.deepcopy(template)
    (model,) = resources(changed, "AWS::SageMaker::Model").values()
    model["Properties"]["PrimaryContainer"]["Environment"] |= BROKEN
    return changed


def test_a_model_that_answers_errors_is_taken_back_by_the_alarm_and_the_old_one_answers(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    workloads = _bank(instances=2, deployment=CANARY)
    place = stand(cloud, environment_file("guarded", workloads=workloads)).up()
    endpoint = Endpoint(place)
    old, config = endpoint.ask(), endpoint.described()["EndpointConfigName"]
    (topic,) = [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]]
    listener = Listener(cloud, topic)
    cloud.post("clock", {"bake_seconds": 0.5})  # a minute of watching is long enough for some requests
    with endpoint:
        status = place.update("workload-bank", _broken)
    cloud.post("clock", {"bake_seconds": 0.25})
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert set(endpoint.answers) == {old, "500"}
    assert endpoint.described()["EndpointConfigName"] == config
    assert {endpoint.ask() for _ in range(10)} == {old}
    events = cloud.client("cloudformation").describe_stack_events(StackName=place.stack("workload-bank"))
    reasons = [one.get("ResourceStatusReason", "") for one in events["StackEvents"]]
    assert any("rolled back" in reason and "Errors" in reason for reason in reasons), reasons
    cloud.until(lambda: any("ALARM" in one and "Errors" in one for one in listener.subjects()), "the alarm's message")
    models = [one["ModelName"] for one in cloud.client("sagemaker").list_models()["Models"]]
    assert models == [place.outputs["ModelName"]]
    listener.close()
    place.destroyed_at_once()


def _targets(cloud: Cloud) -> list[tuple[str, int, int]]:
    """Return the variants that are scaled, between which counts."""
    found = cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    return [
        (one["ResourceId"].rsplit("/", 1)[1], one["MinCapacity"], one["MaxCapacity"])
        for one in found["ScalableTargets"]
    ]


@pytest.mark.exhaustive
def test_instances_follow_the_load_also_after_a_night(cloud: Cloud, environment_file: Callable[..., str]) -> None:
    far = datetime.fromtimestamp(cloud.admin("clock")["now"], UTC) + timedelta(hours=12)
    night = {"at": f"{far:%H:%M}", "endpoints": True, "wake": f"{far + timedelta(hours=1):%H:%M}"}
    settings = {"scaling": {"min": 1, "max": 3, "invocations_per_minute": 10}}
    file = environment_file("scaled", workloads=_bank(**settings), nightly_stop=night)
    place = stand(cloud, file).up()
    endpoint = Endpoint(place)
    assert (endpoint.instances, _targets(cloud)) == (1, [("main", 1, 3)])
    endpoint.start_of_a_minute()
    endpoint.minute(requests=25, minutes=3)
    cloud.until(lambda: endpoint.instances == 3, "more instances")
    endpoint.minute(minutes=22)
    cloud.until(lambda: endpoint.instances == 1, "fewer instances")

    cloud.here("sleep", "--environment", file)
    cloud.until(lambda: not cloud.client("sagemaker").list_endpoints()["Endpoints"], "the endpoint's end")
    assert _targets(cloud) == []  # SageMaker took them away
    cloud.here("wake", "--environment", file)
    assert endpoint.instances == 1
    woken = cloud.here("wake", "--environment", file)["answer"]
    assert woken == [f"woken: scaling of endpoint/{endpoint.name}/variant/main"]
    assert _targets(cloud) == [("main", 1, 3)]
    endpoint.start_of_a_minute()
    endpoint.minute(requests=25, minutes=3)
    cloud.until(lambda: endpoint.instances == 3, "more instances after a night")
    place.destroyed_at_once()


@pytest.mark.exhaustive
def test_asynchronous_down_to_no_instance_and_then_serverless(
    cloud: Cloud, environment_file: Callable[..., str]
) -> None:
    scaling = {"min": 0, "max": 2, "backlog_per_instance": 5}
    place = stand(cloud, environment_file("ways", workloads=_bank(kind="async", scaling=scaling))).up()
    endpoint, outputs = Endpoint(place), place.outputs
    (topic,) = [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]]
    listener = Listener(cloud, topic)
    s3 = cloud.client("s3")
    bucket, _, folder = outputs["AsyncInput"].removeprefix("s3://").partition("/")

    def answered(key: str) -> bytes:
        s3.put_object(Bucket=bucket, Key=f"{folder}/{key}", Body=endpoint.row)
        asked = cloud.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=endpoint.name, InputLocation=f"s3://{bucket}/{folder}/{key}", ContentType="text/csv"
        )
        assert asked["OutputLocation"].startswith(outputs["AsyncOutput"] + "/")
        where = asked["OutputLocation"].removeprefix(f"s3://{bucket}/")
        cloud.until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix=where)["KeyCount"], "the answer")
        body: bytes = s3.get_object(Bucket=bucket, Key=where)["Body"].read()
        return body

    first = answered("one.csv")
    assert 0 <= float(first) <= 1
    cloud.until(lambda: len(listener.subjects()) > 0, "the notification")
    endpoint.minute(minutes=25)
    cloud.until(lambda: endpoint.instances == 0, "rest")
    assert [arn for arn in cloud.running_meters() if ":endpoint/" in arn] == []
    assert answered("two.csv") == first  # an alarm starts the first instance
    listener.close()

    place = stand(cloud, environment_file("ways", workloads=_bank(kind="serverless"))).up()
    serverless = Endpoint(place)
    assert serverless.name.endswith("-serverless")
    assert float(serverless.ask()) == float(first)
    assert [one["EndpointName"] for one in cloud.client("sagemaker").list_endpoints()["Endpoints"]] == [serverless.name]
    assert [arn for arn in cloud.running_meters() if ":endpoint/" in arn] == []
    assert _targets(cloud) == []
    place.destroyed_at_once()
