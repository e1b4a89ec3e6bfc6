"""What a person reads about an environment: who is in Studio, what the notebook does, what it costs by the hour."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operations.audit import take_inventory
from operations.audit.finding import Owner
from operations.console import Console
from operations.errors import UsageError
from operations.people import enter
from operations.status import status
from operations.sweep import sweep
from operations.target import Target
from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Workshop, wait_for
from tests.operations.furniture import Furniture

pytestmark = pytest.mark.localcloud


def stack(target: Target, environment: str, outputs: dict[str, str]) -> None:
    client = target.client("cloudformation")
    template: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    template["Outputs"] = {key: {"Value": value} for key, value in outputs.items()}
    name = client.create_stack(
        StackName=f"sandcastle-{environment}-studio", TemplateBody=json.dumps(template),
        Tags=[{"Key": "sandcastle:environment", "Value": environment}],
    )["StackId"]  # fmt: skip
    wait_for(
        lambda: client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"],
        lambda found: found == "CREATE_COMPLETE",
    )


def test_who_works_what_runs_and_what_it_costs(
    target: Target, server: Localcloud, capsys: pytest.CaptureFixture[str]
) -> None:
    house = Furniture(target, server, "busy")
    house.storage()
    house.network()
    house.workshop = Workshop("left-by-busy", live.role(server, "jobs-of-busy"))
    house.notebook()
    house.studio()
    stack(target, "busy", {"DomainId": house.domain, "Users": "ada grace"})
    said = status(target, "busy", Console())
    assert said["studio"] == {"ada": ["JupyterLab InService, ml.t3.medium, in space lab"], "grace": []}
    assert said["notebooks"] == {"notebook-of-busy": "InService"}
    assert said["life"] is None
    hourly = said["hourly_usd"]
    assert hourly[f"app {house.domain}/lab/JupyterLab/default"] == pytest.approx(0.05)
    assert hourly["notebook instance notebook-of-busy"] == pytest.approx(0.05 + 5 * 0.14 / 730)
    out = capsys.readouterr().out
    assert "never expires" in out
    assert "Studio user grace: nothing runs" in out
    link = enter(target, "busy", "ada", Console(as_json=True))
    assert link["url"].startswith("https://")
    with pytest.raises(UsageError, match="Did you mean grace"):
        enter(target, "busy", "grce", Console(as_json=True))
    owner = Owner("busy", target.account, target.region)
    assert [
        one.refused for one in sweep(target, take_inventory(target, owner), Console(as_json=True)) if one.refused
    ] == []


def test_nothing_deployed_is_no_error(target: Target) -> None:
    assert status(target, "never-was", Console(as_json=True))["stacks"] == []
