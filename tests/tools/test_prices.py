"""The price table is refreshed from answers of the Price List API, as AWS gives them."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from operations.tools import prices
from sandcastle.config import catalogue

REGION = "eu-west-1"


def product(
    service: str, usage: str, *bands: tuple[str, str, str], family: str = "ML Instance", unit: str = "Hrs"
) -> str:
    """Return one text of ``PriceList``: product, terms, version and date (AWS Price List API, GetProducts)."""
    sku = f"{zlib.crc32(usage.encode()):016X}"
    term = f"{sku}.JRTCKXETXF"
    dimensions = {
        f"{term}.{number}": {
            "unit": unit,
            "beginRange": begin,
            "endRange": end,
            "description": f"${usd} per {unit}",
            "appliesTo": [],
            "rateCode": f"{term}.{number}",
            "pricePerUnit": {"USD": usd},
        }
        for number, (begin, end, usd) in enumerate(bands)
    }
    offer = {
        "priceDimensions": dimensions,
        "sku": sku,
        "effectiveDate": "2026-11-01T00:00:00Z",
        "offerTermCode": "JRTCKXETXF",
        "termAttributes": {},
    }
    attributes = {
        "regionCode": REGION,
        "servicecode": service,
        "locationType": "AWS Region",
        "location": "EU (Ireland)",
        "usagetype": usage,
        "operation": "RunInstance",
    }
    return json.dumps(
        {
            "product": {"productFamily": family, "attributes": attributes, "sku": sku},
            "serviceCode": service,
            "terms": {"OnDemand": {term: offer}},
            "version": "20261101000000",
            "publicationDate": "2026-12-01T21:59:46Z",
        }
    )


def flat(usd: str) -> tuple[str, str, str]:
    """Return the one band of a price without steps."""
    return "0", "Inf", usd


SAGEMAKER = [
    [
        product("AmazonSageMaker", "EU-Host:ml.m5.large", flat("0.1280000000")),
        product("AmazonSageMaker", "EU-Train:ml.m5.large", flat("0.1280000000")),
        product("AmazonSageMaker", "EU-Tsform:ml.m5.large", flat("0.1290000000")),
        product("AmazonSageMaker", "EU-Host:ml.unheard.large", flat("9.0000000000")),
    ],
    [
        product("AmazonSageMaker", "EU-Studio:JupyterLab-ml.t3.medium", flat("0.0550000000")),
        product("AmazonSageMaker", "EU-TrSpt:ml.m5.large", flat("0.0400000000")),
        product("AmazonSageMaker", "EU-Notebk:VolumeUsage.gp2", flat("0.1540000000"), family="Storage", unit="GB-Mo"),
    ],
]
OTHERS = {
    "EU-Lambda-GB-Second-ARM": ("AWSLambda", [("0", "7500000000", "0.0000133334"), ("7500000000", "Inf", "0.00001")]),
    "EU-TimedStorage-ByteHrs": ("AmazonS3", [("0", "51200", "0.0230000000"), ("51200", "Inf", "0.0220000000")]),
    "EU-StateTransition": ("AmazonStates", [("0", "4000", "0.0000000000"), ("4000", "Inf", "0.0000250000")]),
    "CW:AlarmMonitorUsage": ("AmazonCloudWatch", [("0", "Inf", "0.1000000000")]),
}


def answering() -> Any:
    """Return a client that answers as AWS would, in the order in which it is asked."""
    client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)

    def answer(service: str, usage: str | None, texts: list[str], token: str = "", following: str = "") -> None:
        match = [("regionCode", REGION), *([("usagetype", usage)] if usage else [])]
        asked: dict[str, Any] = {
            "ServiceCode": service,
            "FormatVersion": "aws_v1",
            "Filters": [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in match],
        }
        said: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": texts}
        stubber.add_response(
            "get_products",
            said | ({"NextToken": following} if following else {}),
            asked | ({"NextToken": token} if token else {}),
        )

    answer("AmazonSageMaker", None, SAGEMAKER[0], following="more")
    answer("AmazonSageMaker", None, SAGEMAKER[1], token="more")
    for item in prices.ITEMS.values():
        if item.service == "AmazonSageMaker":
            continue
        for usage in (f"EU-{item.usage}", item.usage):
            service, bands = OTHERS.get(usage, ("", []))
            there = service == item.service
            answer(item.service, usage, [product(service, usage, *bands)] if there else [])
            if there:
                break
    stubber.activate()
    return client


def test_what_aws_answers_replaces_rows_and_everything_else_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "prices.json"
    file.write_bytes(prices.TARGET.read_bytes())
    before = json.loads(file.read_text())
    assert prices.main(["--region", REGION], answering(), file) == 0
    said = capsys.readouterr().out
    assert "no answer for: " in said
    assert "kms key" in said
    monkeypatch.setattr(catalogue, "_read", lambda _: json.loads(file.read_text()))
    for use, instance, usd in (
        ("hosting", "ml.m5.large", 0.128),
        ("training", "ml.m5.large", 0.128),
        ("transform", "ml.m5.large", 0.129),
        ("studio", "ml.t3.medium", 0.055),
    ):
        price = catalogue.instance_price(use, instance, REGION)  # type: ignore[arg-type]  # the uses are literals
        assert price is not None, (use, instance)
        assert (price.usd, price.confidence) == (usd, "high")
        assert "published 2026-12-01" in price.source
    for item, usd in (
        ("notebook storage", 0.154),
        ("lambda compute arm", 1.33334e-05),
        ("s3 standard", 0.023),
        ("step functions standard", 0.025),
        ("alarm", 0.1),
    ):
        price = catalogue.item_price(item, REGION)
        assert price is not None, item
        assert price.usd == pytest.approx(usd)
    assert catalogue.item_price("kms key", REGION) is None  # AWS gave no answer: none is made up
    assert catalogue.instance_price("hosting", "ml.unheard.large", REGION) is None  # nobody asked for it
    spot = catalogue.instance_price("processing", "ml.m5.xlarge", REGION)
    assert spot is not None  # the row of the bill stays
    assert "bill" in spot.source
    after = json.loads(file.read_text())
    assert after["date"] == "2026-12-01"
    assert [row for row in after["instances"] if row["region"] == "us-east-1"] == [
        row for row in before["instances"] if row["region"] == "us-east-1"
    ]
    keys = [(row["instance"], row["region"], use) for row in after["instances"] for use in row["uses"]]
    assert len(keys) == len(set(keys))


def test_without_credentials_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    stubber.add_client_error("get_products", "UnrecognizedClientException", "The security token is invalid", 400)
    stubber.activate()
    file = tmp_path / "prices.json"
    file.write_bytes(prices.TARGET.read_bytes())
    assert prices.main(["--region", REGION], client, file) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert file.read_bytes() == prices.TARGET.read_bytes()


def test_the_committed_table_is_written_as_the_tool_writes_it() -> None:
    assert prices.text(json.loads(prices.TARGET.read_text())) == prices.TARGET.read_text()


@pytest.mark.parametrize("broken", [{}, {"product": {}}, {"product": {"attributes": {"usagetype": "x"}}, "terms": {}}])
def test_a_product_that_says_no_price_is_passed_over(broken: dict[str, Any]) -> None:
    assert prices.offered(broken) is None
