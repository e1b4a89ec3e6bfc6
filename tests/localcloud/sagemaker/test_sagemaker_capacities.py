"""UpdateEndpointWeightsAndCapacities, on a clock that moves only when told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.quotas import instances
from tests.localcloud.sagemaker.scripted_backend import SCOPE, World
from tests.localcloud.sagemaker.test_sagemaker_invocations import deploy

ARN = SCOPE.arn("endpoint", "live")


@pytest.fixture
def two(world: World) -> World:
    """Endpoint `live` with variants v0 and v1 of one instance each."""
    deploy(world, weights=(1, 1))
    return world


def ask(world: World, *wanted: dict[str, Any]) -> None:
    world.call("UpdateEndpointWeightsAndCapacities", EndpointName="live", DesiredWeightsAndCapacities=list(wanted))


def describe(world: World) -> dict[str, Any]:
    return world.call("DescribeEndpoint", EndpointName="live")


def numbers(world: World) -> dict[str, tuple[float, float, int, int]]:
    """Variant -> current and desired weight, current and desired instance count."""
    names = ("CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount")
    return {v["VariantName"]: tuple(v[name] for name in names) for v in describe(world)["ProductionVariants"]}


def settle(world: World, seconds: float) -> None:
    world.clock.advance(seconds)
    world.wait_until(lambda: describe(world)["EndpointStatus"] == "InService")


def test_weights_shift_the_traffic(two: World) -> None:
    ask(two, {"VariantName": "v0", "DesiredWeight": 3.0}, {"VariantName": "v1", "DesiredWeight": 1.0})
    assert describe(two)["EndpointStatus"] == "Updating"
    assert numbers(two) == {"v0": (1.0, 3.0, 1, 1), "v1": (1.0, 1.0, 1, 1)}
    assert two.refusal("DeleteEndpoint", EndpointName="live").message.startswith("Cannot update in-progress")
    settle(two, durations.ENDPOINT_WEIGHTS)
    assert numbers(two) == {"v0": (3.0, 3.0, 1, 1), "v1": (1.0, 1.0, 1, 1)}
    found = Counter(two.invoke("live")[1]["x-Amzn-Invoked-Production-Variant"] for _ in range(200))
    assert abs(found["v0"] - 150) <= 4


def test_more_instances_are_processes_that_take_their_part(two: World) -> None:
    before = len(two.backend.servers)
    ask(two, {"VariantName": "v0", "DesiredInstanceCount": 3})
    two.wait_until(lambda: len(two.backend.servers) == before + 2)
    assert numbers(two)["v0"] == (1.0, 1.0, 1, 3)
    for _ in range(10):
        two.invoke("live", x_amzn_sagemaker_target_variant="v0")
    assert not any(server.headers for server in two.backend.servers[before:])  # not before the update is over
    settle(two, durations.ENDPOINT_CAPACITY)
    assert numbers(two)["v0"] == (1.0, 1.0, 3, 3)
    for _ in range(9):
        two.invoke("live", x_amzn_sagemaker_target_variant="v0")
    assert [len(server.headers) for server in two.backend.servers[before:]] == [3, 3]
    running = {line["arn"].removeprefix(ARN): line["quantity"] for line in two.meter.snapshot() if line["running"]}
    assert running == {"/v0": 3, "/v1": 1}
    two.service.runtime.flush()
    two.backend.metrics.clear()
    two.invoke("live", x_amzn_sagemaker_target_variant="v0")
    two.service.runtime.flush()
    [per_instance, _] = [datum.value for datum in two.backend.metrics if datum.name == "InvocationsPerInstance"]
    assert per_instance == pytest.approx(1 / 3)


def test_fewer_instances_end_processes(two: World) -> None:
    ask(two, {"VariantName": "v0", "DesiredInstanceCount": 3})
    settle(two, durations.ENDPOINT_CAPACITY)
    two.wait_until(lambda: len(two.backend.servers) == 4)
    ask(two, {"VariantName": "v0", "DesiredInstanceCount": 1})
    settle(two, durations.ENDPOINT_CAPACITY)
    two.wait_until(lambda: sum(server.stopped.is_set() for server in two.backend.servers) == 2)
    assert two.invoke("live", x_amzn_sagemaker_target_variant="v0")[0] == 200
    assert [line["quantity"] for line in two.meter.snapshot() if line["running"]] == [1, 1]


def test_instances_that_do_not_come_up_change_nothing(two: World) -> None:
    two.backend.start_failure = "did not pass the ping health check"
    ask(two, {"VariantName": "v0", "DesiredInstanceCount": 2, "DesiredWeight": 5.0})
    settle(two, durations.ENDPOINT_CAPACITY)
    assert numbers(two)["v0"] == (1.0, 1.0, 1, 1)
    assert describe(two)["FailureReason"] == "did not pass the ping health check"


def test_what_is_refused(two: World) -> None:
    for wanted, words in (
        ({"VariantName": "no", "DesiredWeight": 1.0}, 'Could not find variant "no"'),
        ({"VariantName": "v0", "DesiredInstanceCount": 0}, "must be at least 1"),
    ):
        error = two.refusal(
            "UpdateEndpointWeightsAndCapacities", EndpointName="live", DesiredWeightsAndCapacities=[wanted]
        )
        assert (error.code, words in error.message) == ("ValidationException", True)
    two.quotas.set({instances("ml.m5.large", "endpoint"): 3})
    error = two.refusal(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="live",
        DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": 3}],
    )
    assert error.code == "ResourceLimitExceeded"
    assert describe(two)["EndpointStatus"] == "InService"
    ask(two, {"VariantName": "v0", "DesiredInstanceCount": 2})


def test_retained_numbers_are_those_of_the_moment(two: World) -> None:
    ask(two, {"VariantName": "v0", "DesiredInstanceCount": 2, "DesiredWeight": 4.0})
    settle(two, durations.ENDPOINT_CAPACITY)
    two.call("UpdateEndpoint", EndpointName="live", EndpointConfigName="c", RetainAllVariantProperties=True)
    record: Any = two.service.core.store.by_arn(ARN)
    two.wait_until(lambda: record.rollout.ready)
    settle(two, durations.ENDPOINT_UPDATE)
    assert numbers(two)["v0"] == (4.0, 4.0, 2, 2)
