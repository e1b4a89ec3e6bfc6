"""Refreshes ``constructs/sandcastle/prices.json`` from AWS's price list, where there are credentials.

``python -m operations.tools.prices --region eu-west-1`` asks the Price List API (permission ``pricing:GetProducts``,
which reveals nothing of an account) for what the table has rows of: SageMaker's instance types for each use, and the
items below. A row that AWS answers replaces the one that was there. One that it does not answer stays, with its own
source.

What a product is for stands in its usage type, ``USE1-Host:ml.m5.large``: the attribute with the instance type is often
empty. Before it stands a sign of the region, which is read from SageMaker's own products.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.tools.instance_catalogue import TARGET as _CATALOGUE

TARGET = _CATALOGUE.parent / "prices.json"
API_REGION = "us-east-1"
"""Where the Price List API is; the region that prices are for is a filter."""

SAGEMAKER = "AmazonSageMaker"

_USES = {
    "Host:": "hosting",
    "Notebk:": "notebook",
    "Processing:": "processing",
    "Studio:JupyterLab-": "studio",
    "Train:": "training",
    "Tsform:": "transform",
}
"""What stands before the instance type in a usage type, and the use that it means."""

_INSTANCE = re.compile(rf"({'|'.join(_USES)})(ml\.[a-z0-9.-]+)")
_SIGN = re.compile(r"([A-Z]{2,4}\d?-)?(?=Host:ml\.)")


@dataclass(frozen=True)
class Item:
    """Where the price of an item is: a service and a usage type; ``factor`` of AWS's units make one of the table's."""

    service: str
    usage: str
    factor: float = 1


ITEMS = {
    "endpoint storage": Item(SAGEMAKER, "Host:VolumeUsage.gp2"),
    "notebook storage": Item(SAGEMAKER, "Notebk:VolumeUsage.gp2"),
    "processing storage": Item(SAGEMAKER, "Processing:VolumeUsage.gp2"),
    "training storage": Item(SAGEMAKER, "Train:VolumeUsage.gp2"),
    "studio space storage": Item(SAGEMAKER, "Studio:VolumeUsage.gp3"),
    "ebs gp2": Item("AmazonEC2", "EBS:VolumeUsage.gp2"),
    "ebs gp3": Item("AmazonEC2", "EBS:VolumeUsage.gp3"),
    "nat gateway": Item("AmazonEC2", "NatGateway-Hours"),
    "nat gateway data": Item("AmazonEC2", "NatGateway-Bytes"),
    "interface endpoint": Item("AmazonVPC", "VpcEndpoint-Hours"),
    "interface endpoint data": Item("AmazonVPC", "VpcEndpoint-Bytes"),
    "public ipv4": Item("AmazonVPC", "PublicIPv4:InUseAddress"),
    "efs standard": Item("AmazonEFS", "TimedStorage-ByteHrs"),
    "s3 standard": Item("AmazonS3", "TimedStorage-ByteHrs"),
    "kms key": Item("awskms", "KMS-Keys"),
    "kms requests": Item("awskms", "KMS-Requests", 10_000),
    "alarm": Item("AmazonCloudWatch", "CW:AlarmMonitorUsage"),
    "high-resolution alarm": Item("AmazonCloudWatch", "CW:HighResAlarmMonitorUsage"),
    "custom metric": Item("AmazonCloudWatch", "CW:MetricMonitorUsage"),
    "log ingestion": Item("AmazonCloudWatch", "DataProcessing-Bytes"),
    "log storage": Item("AmazonCloudWatch", "TimedStorage-ByteHrs"),
    "step functions standard": Item("AmazonStates", "StateTransition", 1_000),
    "lambda compute x86": Item("AWSLambda", "Lambda-GB-Second"),
    "lambda compute arm": Item("AWSLambda", "Lambda-GB-Second-ARM"),
    "lambda requests": Item("AWSLambda", "Request", 1_000_000),
}
"""Items of the table that a usage type names. Those that are missing here (dashboards, serverless inference, budgets,
topics) stay as they are written."""


@dataclass(frozen=True)
class Offered:
    """A product's usage type, what the first unit costs that is not free, and when AWS published it."""

    usage: str
    usd: float
    published: str


def offered(document: Mapping[str, Any]) -> Offered | None:
    """Return what a product of the price list costs on demand, in US dollars; None when it says nothing of that.

    Steps of a price are bands: the first that is not free counts, as an environment stays below the second.
    """
    usage = document.get("product", {}).get("attributes", {}).get("usagetype", "")
    bands = [
        (float(band.get("beginRange", 0)), float(band["pricePerUnit"]["USD"]))
        for term in document.get("terms", {}).get("OnDemand", {}).values()
        for band in term.get("priceDimensions", {}).values()
        if "USD" in band.get("pricePerUnit", {})
    ]
    billed = sorted(band for band in bands if band[1] > 0)
    published = str(document.get("publicationDate", ""))[:10]
    return Offered(usage, billed[0][1], published) if usage and billed else None


def products(client: Any, service: str, region: str, usage: str | None = None) -> Iterator[Offered]:
    """Yield what a service offers in a region, or the products of one usage type. Raises ClientError."""
    filters = {"regionCode": region, **({"usagetype": usage} if usage else {})}
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=service,
        FormatVersion="aws_v1",
        Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()],
    )
    for page in pages:
        for text in page["PriceList"]:
            if found := offered(json.loads(text) if isinstance(text, str) else text):
                yield found


def refreshed(client: Any, table: Mapping[str, Any], region: str, instances: Iterable[str]) -> dict[str, Any]:
    """Return the table with what AWS says of a region, and under ``missing`` the items that it says nothing of."""
    wanted, prices = set(instances), dict[tuple[str, str], Offered]()
    everything = list(products(client, SAGEMAKER, region))
    sign = next((match[1] or "" for one in everything if (match := _SIGN.match(one.usage))), "")
    for one in everything:
        match = _INSTANCE.fullmatch(one.usage.removeprefix(sign))
        if match and match[2] in wanted:
            prices[match[2], _USES[match[1]]] = one
    by_usage = {one.usage.removeprefix(sign): one for one in everything}
    items = dict[str, Offered]()
    for name, item in ITEMS.items():
        found = by_usage.get(item.usage) if item.service == SAGEMAKER else _asked(client, item, region, sign)
        if found:
            items[name] = found
    dates = [one.published for one in (*prices.values(), *items.values())]
    return {
        **table,
        "date": max([*dates, table["date"]]),
        "instances": [*_instances(prices, region), *_others(table["instances"], region, prices)],
        "items": _items(table["items"], region, items),
        "missing": sorted(ITEMS.keys() - items.keys()),
    }


def _asked(client: Any, item: Item, region: str, sign: str) -> Offered | None:
    """Ask for one usage type; in the first region many have no sign before them."""
    for usage in dict.fromkeys((f"{sign}{item.usage}", item.usage)):
        if found := next(products(client, item.service, region, usage), None):
            return found
    return None


def _instances(prices: Mapping[tuple[str, str], Offered], region: str) -> Iterator[dict[str, Any]]:
    """Yield rows, one for all uses of a type that cost the same."""
    same: dict[tuple[str, float], list[str]] = {}
    for (instance, use), one in sorted(prices.items()):
        same.setdefault((instance, one.usd), []).append(use)
    for (instance, usd), uses in same.items():
        source = _source(prices[instance, uses[0]])
        yield {"instance": instance, "region": region, "uses": uses, "usd": usd, "confidence": "high", "source": source}


def _others(
    rows: Sequence[Mapping[str, Any]], region: str, prices: Mapping[tuple[str, str], Offered]
) -> Iterator[dict[str, Any]]:
    """Yield the rows that stay, without the uses that AWS has answered."""
    for row in rows:
        uses = [use for use in row["uses"] if row["region"] != region or (row["instance"], use) not in prices]
        if uses:
            yield {**row, "uses": uses}


def _items(rows: Sequence[Mapping[str, Any]], region: str, found: Mapping[str, Offered]) -> list[dict[str, Any]]:
    """Return all rows of items: those that stay, those that AWS has answered, and new ones at the end."""
    units = {row["item"]: row["unit"] for row in rows}
    made = {
        name: {
            "item": name, "region": region, "unit": units[name], "usd": round(one.usd * ITEMS[name].factor, 10),
            "confidence": "high", "source": _source(one),
        }
        for name, one in found.items()
        if name in units
    }  # fmt: skip
    kept = [made.pop(row["item"], row) if row["region"] == region else row for row in rows]
    return [dict(row) for row in (*kept, *made.values())]


def _source(one: Offered) -> str:
    return f"AWS Price List API, {one.usage}, published {one.published}"


def text(table: Mapping[str, Any]) -> str:
    """Return the file's content: one row a line, so that a change is seen line by line."""
    parts = [f" {json.dumps(key)}: {json.dumps(table[key])}" for key in ("about", "date")]
    for key in ("instances", "items"):
        rows = ",\n".join(f"  {json.dumps(row)}" for row in table[key])
        parts.append(f' "{key}": [\n{rows}\n ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(arguments: Sequence[str] | None = None, client: Any = None, target: Path = TARGET) -> int:
    """Rewrite the table and say what AWS had no answer for; 1 when AWS cannot be asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--region", action="append", required=True, help="a region; may be given more than once")
    parser.add_argument("--instance", action="append", default=[], help="a type that the table has not yet")
    options = parser.parse_args(arguments)
    table = json.loads(target.read_text(encoding="utf-8"))
    instances = {row["instance"] for row in table["instances"]} | set(options.instance)
    try:
        if client is None:
            import boto3

            client = boto3.client("pricing", region_name=API_REGION)
        for region in options.region:
            table = refreshed(client, table, region, instances)
            known = sum(1 for row in table["instances"] if row["region"] == region)
            print(f"{region}: {known} rows of instances; no answer for: {', '.join(table['missing']) or 'nothing'}")
    except (BotoCoreError, ClientError) as error:
        print(f"AWS's price list cannot be asked, nothing was written: {error}", file=sys.stderr)
        return 1
    target.write_text(text(table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
