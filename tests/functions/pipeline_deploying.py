"""Versions of a package, their models and smoke tests, and the functions that deploy them, for tests."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from pipeline_deploy import Deployment
from pipeline_settings import Settings

from tests.functions.conftest import Context
from tests.functions.pipeline_world import ENDPOINT, PACKAGES, World

SETTINGS = Settings(
    endpoint=ENDPOINT,
    tags={"sandcastle:environment": "test"},
    instance="ml.m5.large",
    instances=2,
    capture_percent=100,
    capture_uri="s3://reports/capture/penguins",
    serving_role="arn:aws:iam::000000000000:role/serving",
    alarms=("errors", "latency"),
)
EXPECTED = [{"prediction": "Adelie", "confidence": 0.98}, {"prediction": "Gentoo", "confidence": 0.9}]


@dataclass
class Objects:
    """S3, as far as it is read."""

    files: dict[str, str] = field(default_factory=dict)
    exceptions: Any = None

    def __post_init__(self) -> None:
        self.exceptions = type("Exceptions", (), {"NoSuchKey": NoSuchKey})

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # AWS's names
        address = f"s3://{Bucket}/{Key}"
        if address not in self.files:
            raise NoSuchKey({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        return {"Body": io.BytesIO(self.files[address].encode())}


class NoSuchKey(ClientError):
    """As boto3's client of S3 has it."""


def package(version: int) -> str:
    """Return the ARN of a version."""
    return f"{PACKAGES}/{version}"


def model(version: int) -> str:
    """Return the name of the model that its first deployment makes."""
    return f"sandcastle-test--penguins-{version}"


def config(version: int) -> str:
    """Return the name of its configuration."""
    return SETTINGS.config_name(version, model(version))


@dataclass
class Stage:
    """A world, and what is deployed in it. ``context`` is what functions get that are called without one."""

    world: World = field(default_factory=World)
    s3: Objects = field(default_factory=Objects)

    def version(self, number: int, answers: str | None = None, name: str = "") -> dict[str, Any]:
        """Register an approved version and make a model of it; return the event that deploys it."""
        self.world.packages.setdefault(package(number), {"ModelApprovalStatus": "Approved"})
        name = name or model(number)
        self.world.models.add(name)
        folder, given = f"s3://data/runs/e{number}/EvaluatePlain", f"s3://data/runs/e{number}/smoke-answers"
        self.s3.files |= {
            f"{folder}/smoke/input.csv": "Biscoe,1\nDream,2\n",
            f"{folder}/smoke/expected.jsonl": "".join(json.dumps(one) + "\n" for one in EXPECTED),
            f"{given}/input.csv.out": json.dumps(EXPECTED) if answers is None else answers,
        }
        return {
            "package": package(number),
            "model": name,
            "folder": folder,
            "answers": given,
            "execution": f"e{number}",
        }

    def deploy(self, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """Do what ``pipeline_deploy.deploy`` does."""
        return Deployment(self.world.client(), event, SETTINGS, context or Context()).begin(self.s3)

    def confirm(self, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """Do what ``pipeline_deploy.confirm`` does."""
        return Deployment(self.world.client(), event, SETTINGS, context or Context()).end()

    def roll_out(self, event: dict[str, Any]) -> dict[str, Any]:
        """Do both, as the pipeline does."""
        self.deploy(event)
        return self.confirm(event)

    @property
    def serving(self) -> str:
        """The configuration that is in service."""
        endpoint = self.world.describe_endpoint(ENDPOINT)
        assert endpoint["EndpointStatus"] == "InService"
        return str(endpoint["EndpointConfigName"])
