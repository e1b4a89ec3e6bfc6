"""An environment in another region is found, and nothing of it is removed from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from operations import cli
from operations import target as targets
from operations.console import Console
from operations.destroy import destroy
from operations.errors import UsageError
from operations.regions import home_of, other_regions
from operations.target import Target

pytestmark = pytest.mark.localcloud

ENVIRONMENT = "abroad"
TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
TAG = [{"Key": "sandcastle:environment", "Value": ENVIRONMENT}]


@pytest.fixture
def abroad(target: Target) -> Iterator[Target]:
    """The environment's stack in Ireland, and a bucket of it, which every region sees."""
    there = replace(target, region="eu-west-1")
    client = there.client("cloudformation")
    client.create_stack(StackName=f"sandcastle-{ENVIRONMENT}-foundation", TemplateBody=TEMPLATE, Tags=TAG)
    client.get_waiter("stack_create_complete").wait(
        StackName=f"sandcastle-{ENVIRONMENT}-foundation", WaiterConfig={"Delay": 1}
    )
    s3 = target.client("s3")
    s3.create_bucket(Bucket="data-abroad")
    s3.put_bucket_tagging(Bucket="data-abroad", Tagging={"TagSet": TAG})
    yield there
    destroy(there, ENVIRONMENT, Console(as_json=True), file=None)


def test_it_is_found_where_it_is(target: Target, abroad: Target) -> None:
    assert other_regions(target, ENVIRONMENT) == ["eu-west-1"]
    assert home_of(target, ENVIRONMENT).region == "eu-west-1"
    assert home_of(abroad, ENVIRONMENT) == abroad


def test_destroying_from_the_wrong_region_removes_nothing(target: Target, abroad: Target) -> None:
    with pytest.raises(UsageError, match="eu-west-1"):
        destroy(target, ENVIRONMENT, Console(as_json=True), file=None)
    assert "data-abroad" in [bucket["Name"] for bucket in target.client("s3").list_buckets()["Buckets"]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    """The command's local target is the test's localcloud."""
    endpoint = target.settings["AWS_ENDPOINT_URL"]
    monkeypatch.setattr(targets, "localcloud", lambda *_: {"endpoint": endpoint})


@pytest.mark.usefixtures("command")
def test_a_mistake_elsewhere_in_the_file_does_not_change_the_region(
    abroad: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"{ENVIRONMENT}.yaml"
    file.write_text(f"name: {ENVIRONMENT}\nregion: eu-west-1\nregoin: x\n", encoding="utf-8")
    assert cli.main(["destroy", "--environment", str(file)]) == 0
    assert "is gone" in capsys.readouterr().out
    assert "data-abroad" not in [bucket["Name"] for bucket in abroad.client("s3").list_buckets()["Buckets"]]


@pytest.mark.usefixtures("command")
def test_without_its_file_it_is_destroyed_where_it_is(abroad: Target, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["destroy", "--environment", ENVIRONMENT]) == 0
    assert "is gone" in capsys.readouterr().out


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("what", ["destroy", "status", "audit"])
def test_a_typo_is_no_success(what: str, abroad: Target, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([what, "--environment", "lcoal"]) == 2
    assert "local" in capsys.readouterr().err
