"""List operations: pages, filters, order. The same code serves every kind, so models stand for all."""

from __future__ import annotations

from itertools import chain

import pytest

from localcloud.sagemaker.ports import Scope
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, SCOPE, START, World


@pytest.fixture
def models(world: World) -> World:
    """Twenty-five models, a minute apart: m-00 (oldest) to m-24."""
    for number in range(25):
        create(world, f"m-{number:02d}")
        world.clock.advance(60)
    return world


def create(world: World, name: str, scope: Scope = SCOPE) -> None:
    world.call("CreateModel", scope, ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)


def names(world: World, **members: object) -> list[str]:
    return [model["ModelName"] for model in world.call("ListModels", **members)["Models"]]


def test_ten_a_page_newest_first(models: World) -> None:
    assert names(models) == [f"m-{n:02d}" for n in range(24, 14, -1)]


def test_pages_follow_each_other_to_the_end(models: World) -> None:
    token, seen = {}, []
    while True:
        reply = models.call("ListModels", MaxResults=7, SortBy="Name", SortOrder="Ascending", **token)
        seen.append([model["ModelName"] for model in reply["Models"]])
        if "NextToken" not in reply:
            break
        token = {"NextToken": reply["NextToken"]}
    assert [len(page) for page in seen] == [7, 7, 7, 4]
    assert list(chain.from_iterable(seen)) == [f"m-{n:02d}" for n in range(25)]


def test_a_full_last_page_has_no_token(models: World) -> None:
    assert "NextToken" not in models.call("ListModels", MaxResults=25)


def test_a_token_survives_what_came_and_went(models: World) -> None:
    first = models.call("ListModels", MaxResults=10)
    models.call("DeleteModel", ModelName="m-15")  # the one that the token stands on
    create(models, "m-25")
    second = models.call("ListModels", MaxResults=10, NextToken=first["NextToken"])
    assert [model["ModelName"] for model in second["Models"]] == [f"m-{n:02d}" for n in range(14, 4, -1)]


def test_a_token_answers_its_own_question_only(models: World) -> None:
    token = models.call("ListModels")["NextToken"]
    assert models.refusal("ListModels", NextToken=token, NameContains="1").code == "ValidationException"
    assert models.refusal("ListModels", NextToken="nonsense").message == "The pagination token is invalid."


def test_filters(models: World) -> None:
    assert names(models, NameContains="M-1", MaxResults=100) == [f"m-{n}" for n in range(19, 9, -1)]
    assert names(models, CreationTimeAfter=START + 22 * 60) == ["m-24", "m-23"]
    assert names(models, CreationTimeBefore=START + 60, SortOrder="Ascending") == ["m-00"]
    assert names(models, CreationTimeBefore="2027-01-15T08:01:00Z") == ["m-00"]


def test_an_account_and_region_see_their_own(models: World) -> None:
    elsewhere = Scope(SCOPE.account, "us-west-2")
    create(models, "there", elsewhere)
    assert [m["ModelName"] for m in models.call("ListModels", elsewhere)["Models"]] == ["there"]
    assert "there" not in names(models, MaxResults=100)


def test_summaries_have_the_members_of_the_service(models: World) -> None:
    assert models.call("ListModels", MaxResults=1)["Models"] == [
        {
            "ModelName": "m-24",
            "ModelArn": f"arn:aws:sagemaker:{SCOPE.region}:{SCOPE.account}:model/m-24",
            "CreationTime": START + 24 * 60,
        }
    ]
