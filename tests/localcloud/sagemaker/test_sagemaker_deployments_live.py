"""A deployment with real containers, real requests and a real alarm: a model that answers 5xx is taken back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.core.stacks import Stack
from tests.localcloud.sagemaker.conftest import XGBOOST

pytestmark = pytest.mark.localcloud

#: the container advertises this type and cannot write it: every request that names none is answered with 500
BROKEN = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/jsonlines"}


class Traffic:
    """Somebody who asks all the time; what was answered, and by which kind of error not."""

    def __init__(self, runtime: Any, endpoint: str) -> None:
        self._runtime = runtime
        self._endpoint = endpoint
        self._stop = threading.Event()
        self.answers: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _ask(self) -> None:
        while not self._stop.wait(0.01):
            try:
                self._runtime.invoke_endpoint(EndpointName=self._endpoint, Body=b"1,2", ContentType="text/csv")
                self.answers["200"] += 1
            except ClientError as error:
                self.answers[str(error.response.get("OriginalStatusCode", error))] += 1


@pytest.fixture
def slow_bakes(localcloud: Any) -> Iterator[None]:
    """Each virtual minute of a bake lasts long enough to send something."""
    localcloud.admin("POST", "clock", {"bake_seconds": 0.5})
    yield
    localcloud.admin("POST", "clock", {"bake_seconds": 0.25})


@pytest.fixture
def role(make_role: Callable[..., str]) -> str:
    actions = ["s3:GetObject", "s3:ListBucket", "ecr:BatchGetImage", "logs:*", "cloudwatch:DescribeAlarms"]
    return make_role((actions, ["*"]))


def resources(trained: dict[str, Any], role: str, name: str, environment: dict[str, str]) -> dict[str, Any]:
    """What `hosted` constructs make: model, configuration, endpoint with a canary and an alarm on its errors."""
    container = {"Image": XGBOOST, "ModelDataUrl": trained["PrimaryContainer"]["ModelDataUrl"]}
    variant = {"VariantName": "main", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    deployment = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
                "WaitIntervalInSeconds": 240,
            },
            "TerminationWaitInSeconds": 60,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "Errors"}}]},
    }
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": role,
                "PrimaryContainer": {**container, "Environment": environment},
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [{**variant, "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}],
            },
        },
        "Errors": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": f"{name}-errors",
                "Namespace": "AWS/SageMaker",
                "MetricName": "Invocation5XXErrors",
                "Dimensions": [
                    {"Name": "EndpointName", "Value": name},
                    {"Name": "VariantName", "Value": "main"},
                ],
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0.01,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": name,
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                "DeploymentConfig": deployment,
            },
        },
    }


def test_a_model_that_answers_5xx_is_rolled_back_by_its_alarm(
    localcloud: Any, sm: Any, runtime: Any, trained_model: str, role: str, unique: str, slow_bakes: None
) -> None:
    name = f"guarded-{unique}"
    trained = sm.describe_model(ModelName=trained_model)
    stack = Stack(localcloud, name)
    assert stack.create(resources(trained, role, name, {})) == "CREATE_COMPLETE", stack.reasons()
    serving = sm.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    seen: list[tuple[str, str]] = []
    failure = ""
    with Traffic(runtime, name) as traffic:
        stack.update(resources(trained, role, name, BROKEN), wait=False)
        deadline = time.monotonic() + 60
        while stack.status() != "UPDATE_ROLLBACK_COMPLETE":
            assert time.monotonic() < deadline, (stack.status(), seen)
            found = sm.describe_endpoint(EndpointName=name)
            [variant] = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [{}])
            stage = variant.get("VariantStatus", [{}])[0].get("Status", "")
            if (found["EndpointStatus"], stage) not in seen:
                seen.append((found["EndpointStatus"], stage))
            failure = found.get("FailureReason", failure)
            time.sleep(0.02)
        after = Counter(traffic.answers)
        time.sleep(0.2)
    for state in (("Updating", "Creating"), ("Updating", "Baking"), ("RollingBack", "Deleting")):
        assert state in seen
    assert f"{name}-errors" in failure
    assert failure in stack.reasons()
    # the canary answered some with 500; nobody was left without an answer, and now all get the old model's
    assert set(traffic.answers) == {"200", "500"}
    assert traffic.answers["500"] == after["500"] and traffic.answers["200"] > after["200"]
    end = sm.describe_endpoint(EndpointName=name)
    assert (end["EndpointStatus"], end["EndpointConfigName"]) == ("InService", serving)
    running = [line for line in localcloud.admin("GET", "meter")["readings"] if line["running"] and name in line["arn"]]
    assert [line["quantity"] for line in running] == [1]
    assert stack.delete() == "DELETE_COMPLETE"


@pytest.mark.exhaustive
def test_a_model_that_is_well_gets_all_the_traffic(
    localcloud: Any, sm: Any, runtime: Any, trained_model: str, role: str, unique: str
) -> None:
    name = f"guarded-{unique}"
    trained = sm.describe_model(ModelName=trained_model)
    stack = Stack(localcloud, name)
    assert stack.create(resources(trained, role, name, {})) == "CREATE_COMPLETE", stack.reasons()
    first = sm.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    with Traffic(runtime, name) as traffic:
        assert stack.update(resources(trained, role, name, {"ANOTHER": "one"})) == "UPDATE_COMPLETE", stack.reasons()
    assert set(traffic.answers) == {"200"}
    end = sm.describe_endpoint(EndpointName=name)
    assert end["EndpointConfigName"] != first and "FailureReason" not in end
    assert stack.delete() == "DELETE_COMPLETE"
