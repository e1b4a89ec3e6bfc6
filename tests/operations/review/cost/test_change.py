"""What changes do to the bill, line by line; and templates that make no sense, which are priced or named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.review.cost import difference, estimate
from operations.review.cost.kinds import _FREE, _HANDLERS
from tests.operations.review.cost.apps import HOURS, app, endpoint, one, resource


def test_another_instance_type_is_one_line_with_both_sides() -> None:
    found = difference(app(main=endpoint()), app(main=endpoint(InstanceType="ml.m5.2xlarge")))
    (change,) = found.lines
    assert change.words == "endpoint, 1 x ml.m5.2xlarge: $83.95 → $336.53 (730 h of each)"
    assert found.delta == pytest.approx((0.461 - 0.115) * HOURS)
    assert (found.monthly_before, found.monthly_after) == (pytest.approx(83.95), pytest.approx(336.53))
    assert found.unpriced == ()


def test_what_is_new_or_gone_is_told_and_what_stays_is_not() -> None:
    nat = {"Nat": resource("AWS::EC2::NatGateway")}
    found = difference(app(main=endpoint()), app(main=endpoint() | nat))
    assert [one.words.split(" (")[0] for one in found.lines] == [
        "NAT gateway: new, $32.85",
        "data through NAT gateways: new, $0.45",
    ]
    back = difference(app(main=endpoint() | nat), app(main=endpoint()))
    assert back.delta == pytest.approx(-found.delta)
    assert difference(app(main=endpoint()), app(main=endpoint())).lines == ()


def test_a_type_without_a_price_is_named_and_counts_as_nothing() -> None:
    found = difference(app(main=endpoint()), app(main=endpoint(InstanceType="ml.p5.48xlarge")))
    assert found.unpriced == ("endpoint, 1 x ml.p5.48xlarge",)
    assert found.lines[0].delta is None
    assert "$83.95 → no price (no price for ml.p5.48xlarge hosting in us-east-1)" in found.lines[0].words


def test_a_change_of_what_a_destroy_leaves_is_told() -> None:
    kept = one("AWS::S3::Bucket")
    kept.stacks["one"].template["Resources"]["It"]["DeletionPolicy"] = "Retain"  # type: ignore[index]  # our own dict
    (change,) = difference(one("AWS::S3::Bucket"), kept).lines
    assert change.delta == 0.0
    assert change.after is not None
    assert change.after.retained


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "InstanceType", "ProductionVariants", "Environment",
                 "Variables", "MONITOR_INSTANCE", "INSTANCE", "INSTANCES", "ENDPOINT", "Request", "Steps", "Arguments",
                 "ProcessingResources", "ClusterConfig", "TrainingJobDefinition", "ResourceConfig", "Target", "Input"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)  # fmt: skip
_KEYS = [
    "EndpointConfigName", "ProductionVariants", "InstanceType", "VolumeSizeInGB", "Tags", "Request", "Environment",
    "MonitoringScheduleConfig", "ScheduleExpression", "Target", "UserSettings", "DomainId", "SubnetIds", "Metrics",
    "PipelineDefinition", "MemorySize", "Architectures", "Period", "ResourceId", "BudgetName", "VpcEndpointType",
    "ServiceName", "VolumeType", "Size", "Handler", "ExpiresAfterMinutes", "UserProfileName", "StateMachineType",
]  # fmt: skip


_TYPES = [
    *sorted(_HANDLERS), "Custom::SandcastleDataset", "Custom::SandcastleExpiry", "AWS::SageMaker::EndpointConfig",
    "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::Budgets::BudgetsAction", "AWS::Logs::LogGroup", "AWS::X::Y",
]  # fmt: skip
_RESOURCE = st.fixed_dictionaries(
    {
        "Type": st.sampled_from(_TYPES),
        "Properties": st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=4) | _JSON,
    }
)


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), _RESOURCE, max_size=3))
def test_nothing_in_a_template_breaks_an_estimate(resources: dict[str, Any]) -> None:
    assembly = app(main=resources)
    found = estimate(assembly)
    assert difference(assembly, assembly).lines == ()
    for it in found.lines:
        assert it.monthly is not None or it.assumption, it


def test_a_type_is_reckoned_or_free_and_not_both() -> None:
    assert not _FREE & _HANDLERS.keys()
