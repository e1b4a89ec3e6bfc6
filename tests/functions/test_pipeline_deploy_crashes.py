"""A deployment that dies at any call, whose reply is lost, or that meets another: nothing is made twice or lost."""

from __future__ import annotations

import pytest
from pipeline_deploy import DeploymentError
from pipeline_endpoint import SERVED

from tests.functions.pipeline_deploying import SETTINGS, Stage, config
from tests.functions.pipeline_world import ENDPOINT, Crash

pytestmark = pytest.mark.usefixtures("pauses")


def crashes(calls: int) -> list[tuple[int, bool]]:
    """Every call, and whether the function dies before or after it takes effect."""
    return [(number, before) for number in range(1, calls + 1) for before in (True, False)]


def calls_of(numbers: int) -> int:
    """Return how many calls a version's deployment makes after so many others."""
    stage = Stage()
    for number in range(1, numbers):
        stage.roll_out(stage.version(number))
    stage.world.calls.clear()
    stage.roll_out(stage.version(numbers))
    return len(stage.world.calls)


def die() -> None:
    raise Crash


@pytest.mark.parametrize("versions", [1, 2, 4])
def test_a_deployment_that_dies_at_any_call_goes_on_where_it_ended(versions: int) -> None:
    """The step is run again, as a retry of the execution does; nothing is made twice and nothing is left behind."""
    whole = Stage()
    for number in range(1, versions + 1):
        whole.roll_out(whole.version(number))
    tried = 0
    for at_call, before in crashes(calls_of(versions)):
        stage = Stage()
        for number in range(1, versions):
            stage.roll_out(stage.version(number))
        world = stage.world
        world.calls.clear()
        world.effects.clear()
        world.at_call, world.before, world.event = at_call, before, die
        event = stage.version(versions)
        for step in (stage.deploy, stage.confirm):
            try:
                step(event)
            except Crash:
                tried += 1
                step(event)
        assert stage.serving == whole.serving, (at_call, before)
        assert sorted(world.configs) == sorted(whole.world.configs), (at_call, before)
        assert world.models == whole.world.models, (at_call, before)
        assert len(world.made) == 2, (at_call, before, world.made)
    assert tried == len(crashes(calls_of(versions)))


@pytest.mark.parametrize("versions", [1, 4])
def test_a_call_whose_answer_is_lost_is_made_again_and_harms_nothing(versions: int) -> None:
    for lost in range(1, calls_of(versions) + 1):
        stage = Stage()
        for number in range(1, versions):
            stage.roll_out(stage.version(number))
        stage.world.calls.clear()
        stage.world.effects.clear()
        stage.world.lost = lost
        assert stage.roll_out(stage.version(versions)) == {"endpoint": ENDPOINT, "version": versions}, lost
        assert stage.serving == config(versions)
        assert len(stage.world.made) == 2, lost


def test_a_failed_deployment_that_dies_at_any_call_fails_with_its_reason_and_harms_nothing() -> None:
    for at_call, before in crashes(30):
        stage = Stage()
        stage.roll_out(stage.version(1))
        stage.world.calls.clear()
        stage.world.at_call, stage.world.before, stage.world.event = at_call, before, die
        event = stage.version(2)
        stage.world.broken.add(event["model"])
        try:
            with pytest.raises(DeploymentError):
                stage.deploy(event)
        except Crash:
            with pytest.raises(DeploymentError, match=r"did not come into service.*health check"):
                stage.deploy(event)
        assert stage.serving == config(1)


@pytest.mark.parametrize("first", [True, False])
def test_two_executions_at_once_come_into_service_one_after_the_other(first: bool) -> None:
    """The second begins and ends its step while the first makes any of its calls."""
    for at_call, before in crashes(calls_of(1 if first else 2)):
        stage = Stage()
        if not first:
            stage.roll_out(stage.version(1))
        stage.world.calls.clear()
        one, other = stage.version(2), stage.version(3)
        stage.world.at_call, stage.world.before = at_call, before
        stage.world.event = lambda stage=stage, other=other: stage.deploy(other)
        assert stage.roll_out(one) == {"endpoint": ENDPOINT, "version": 2}
        assert stage.confirm(other) == {"endpoint": ENDPOINT, "version": 3}
        assert stage.serving in (config(2), config(3)), (at_call, before)
        served = [name for name in stage.world.configs if stage.world.tags.get(arn(stage, name), {}).get(SERVED)]
        assert config(2) in served and config(3) in served, (at_call, before)
        assert stage.world.made.count("UpdateEndpoint") + stage.world.made.count("CreateEndpoint") == 2 + (not first)


def test_a_version_that_goes_back_into_service_while_another_one_tidies_up_keeps_its_model() -> None:
    """Version 3 comes, and would delete what version 1 left, while version 1 is deployed again."""
    for at_call, before in crashes(calls_of(3)):
        stage = Stage()
        stage.roll_out(stage.version(1))
        stage.roll_out(stage.version(2))
        stage.world.calls.clear()
        one, other = stage.version(3), stage.version(1, name="again")
        stage.world.at_call, stage.world.before = at_call, before
        stage.world.event = lambda stage=stage, other=other: stage.deploy(other)
        stage.roll_out(one)
        stage.confirm(other)
        assert stage.serving in (SETTINGS.config_name(1, "again"), config(3)), (at_call, before)
        models = [found["ProductionVariants"][0]["ModelName"] for found in stage.world.configs.values()]
        assert stage.serving in stage.world.configs, (at_call, before)
        assert set(models) <= stage.world.models, (at_call, before)


def arn(stage: Stage, name: str) -> str:
    return str(stage.world.configs[name]["EndpointConfigArn"])
