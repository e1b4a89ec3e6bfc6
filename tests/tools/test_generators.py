"""Committed data is what the tools make of their sources: a few rows are made again and compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operations.tools import image_map, instance_catalogue, request_shapes
from sandcastle.config import catalogue

REGIONS = ["us-east-1", "eu-west-1", "cn-north-1", "ap-southeast-7"]


def test_image_map_rows_are_what_the_sdk_says() -> None:
    committed = json.loads(image_map.TARGET.read_text())
    made = image_map.lookup(REGIONS)
    for region in REGIONS:
        assert committed["regions"].get(region) == made.get(region)
    assert committed["images"] == image_map.IMAGES


def test_image_map_has_every_image_in_every_region_it_names() -> None:
    for region in catalogue.regions():
        for key in catalogue.images():
            uri = catalogue.image_uri(key, region)
            if uri is None and key in image_map.OPTIONAL:
                continue
            assert uri is not None
            assert f".dkr.ecr.{region}.amazonaws.com" in uri


@pytest.mark.exhaustive  # reads every schema of every region
def test_instance_catalogue_is_what_its_sources_say() -> None:
    committed = json.loads(instance_catalogue.TARGET.read_text())
    made = instance_catalogue.build()
    assert committed["uses"] == made["uses"]


def test_request_shapes_are_those_of_botocore() -> None:
    """What pipelines are checked against is what the pinned SDK for Python sends."""
    assert request_shapes.TARGET.read_text(encoding="utf-8") == request_shapes.text()


@pytest.mark.parametrize(
    ("use", "instance", "offered"),
    [
        ("hosting", "ml.m5.large", True),
        ("hosting", "ml.t3.medium", False),
        ("processing", "ml.t3.medium", True),
        ("processing", "ml.c5.large", False),
        ("training", "ml.m5.large", True),
        ("training", "ml.nothing.large", False),
        ("studio", "ml.t3.medium", True),
        ("studio", "ml.t2.medium", False),
        ("notebook", "ml.t3.medium", True),
        ("notebook", "ml.p6-b300.48xlarge", False),
    ],
)
def test_instance_catalogue_knows_uses_apart(use: Any, instance: str, offered: bool) -> None:
    assert (instance in catalogue.instance_types(use, "us-east-1")) is offered


def test_prices_name_date_source_and_confidence() -> None:
    table = json.loads((instance_catalogue.TARGET.parent / "prices.json").read_text())
    assert table["date"]
    for row in [*table["instances"], *table["items"]]:
        assert row["confidence"] in {"high", "medium", "low"}
        assert row["source"]
        assert row["usd"] >= 0
    keys = [(use, row["instance"], row["region"]) for row in table["instances"] for use in row["uses"]]
    assert len(keys) == len(set(keys))


def test_unknown_price_is_none_and_never_another_regions() -> None:
    price = catalogue.instance_price("hosting", "ml.m5.large", "us-east-1")
    assert price is not None
    assert price.usd == 0.115
    assert catalogue.instance_price("hosting", "ml.m5.large", "eu-west-1") is None
    assert catalogue.instance_price("transform", "ml.m5.large", "us-east-1") is None
