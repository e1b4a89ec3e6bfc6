"""Two environments in one account whose names differ by one letter: destroying one leaves the other as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lifecycle.conftest import Cloud, running_localcloud
from tests.lifecycle.environments import written
from tests.lifecycle.matrix import people
from tests.lifecycle.matrix.account import contents
from tests.lifecycle.matrix.situation import WHOLE
from tests.lifecycle.stand import Stand, stand

ONE, OTHER = "twin", "twin-a"
"""The hardest pair: one's name is the beginning of the other's, up to where other parts of a name begin."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_localcloud(tmp_path_factory, LOCALCLOUD_SETTLE_MS="20") as running:
        yield running


def furnish(place: Stand) -> None:
    """Give the environment everything that a person makes at run time, under names that begin with its own."""
    name = place.environment
    people.space(place, f"{name}-notes")
    people.app(place, SpaceName=f"{name}-notes")
    people.endpoint(place, f"{name}-endpoint")
    people.processing(place, f"{name}-processing")
    place.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=f"{name}-models", Tags=people.tag_list(place)
    )


def state(cloud: Cloud) -> str:
    """Return all that is in the account and all that is billed, as text."""
    found = {kind: sorted(names) for kind, names in contents(cloud).items()}
    billed = [
        {key: line[key] for key in ("arn", "kind", "quantity", "rate_key", "tags", "unit")}
        for line in cloud.admin("meter")["readings"]
        if line["running"]
    ]
    sagemaker = cloud.client("sagemaker")
    described = {
        "stacks": cloud.client("cloudformation").describe_stacks()["Stacks"],
        "domains": [_answer(sagemaker.describe_domain(DomainId=name)) for name in found["domain"]],
        "endpoints": [_answer(sagemaker.describe_endpoint(EndpointName=name)) for name in found["endpoint"]],
    }
    billed.sort(key=lambda line: line["arn"])
    return json.dumps(
        {"contents": found, "billed": billed, "described": described}, indent=1, sort_keys=True, default=_plain
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(("gone", "stays"), [(ONE, OTHER), (OTHER, ONE)])
def test_the_twin_is_the_same_byte_for_byte(gone: str, stays: str, cloud: Cloud) -> None:
    cloud.reset()
    twin = stand(cloud, written(stays, **WHOLE))
    twin.deploy()
    furnish(twin)
    before = state(cloud)
    other = stand(cloud, written(gone, **WHOLE))
    other.deploy()
    furnish(other)
    assert state(cloud) != before
    report = other.destroy()
    assert report["clean"] is True
    assert state(cloud) == before
    twin.destroy()
    assert cloud.running_meters() == []


def _answer(reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply without what only tells of the request."""
    return {key: value for key, value in reply.items() if key != "ResponseMetadata"}


def _plain(value: Any) -> str:
    return str(value)
