"""Whose a thing is: by name, by tag, by the domain that launched it, never by half a name; and which stacks hold it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from ours import Ours, counted

from tests.functions.conftest import Scripted

DOMAIN = "arn:aws:sagemaker:us-east-1:000000000000:domain/d-ours"
OTHER_DOMAIN = "arn:aws:sagemaker:us-east-1:000000000000:domain/d-other"


def arn(name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:model/{name}"


def models(sagemaker: Scripted, **tags: dict[str, str] | None) -> None:
    """Have SageMaker list these models and say their tags; None for those that nobody is to ask about."""
    listed = [
        {"ModelName": name.replace("_", "-"), "ModelArn": arn(name.replace("_", "-")), "CreationTime": 0}
        for name in tags
    ]
    sagemaker.reply("list_models", {}, {"Models": listed})
    for name, pairs in tags.items():
        if pairs is not None:
            answer = {"Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]}
            sagemaker.reply("list_tags", {"ResourceArn": arn(name.replace("_", "-"))}, answer)


def found(ours: Ours) -> list[str]:
    return [one["ModelName"] for one in ours.listed("list_models", "Models", "ModelName", "ModelArn")]


def test_a_name_of_the_environment_is_enough_and_a_neighbours_alike_is_not(sagemaker: Scripted) -> None:
    models(sagemaker, sandcastle_a__x=None, sandcastle_ab__x={}, sandcastle_a_b__x={}, sandcastle_a_x={})
    assert found(Ours(sagemaker.client, "a")) == ["sandcastle-a--x"]


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        ({"sandcastle:environment": "a"}, True),
        ({"sandcastle:environment": "a-b"}, False),
        ({"sagemaker:domain-arn": DOMAIN}, True),
        ({"sagemaker:domain-arn": OTHER_DOMAIN}, False),
        ({"sagemaker:domain-arn": DOMAIN, "sandcastle:environment": "b"}, False),
        ({}, False),
    ],
)
def test_tags_decide(sagemaker: Scripted, tags: dict[str, str], ours: bool) -> None:
    models(sagemaker, anything=tags)
    assert found(Ours(sagemaker.client, "a", DOMAIN)) == (["anything"] if ours else [])


def test_without_a_studio_nothing_belongs_to_its_domain(sagemaker: Scripted) -> None:
    models(sagemaker, anything={"sagemaker:domain-arn": ""})
    assert found(Ours(sagemaker.client, "a")) == []


def test_tags_are_asked_for_once_and_what_is_gone_has_none(sagemaker: Scripted) -> None:
    ours = Ours(sagemaker.client, "a")
    models(sagemaker, mine={"sandcastle:environment": "a"})
    assert found(ours) == ["mine"]
    models(sagemaker, mine=None, gone=None)
    sagemaker.refuse("list_tags", "ValidationException")
    assert found(ours) == ["mine"]


def test_stacks_hold_by_arn_or_by_name_in_any_case() -> None:
    ours = Ours(None, "a", in_stacks=lambda: {arn("Model-1"), "Pipeline-1", "models"})
    assert ours.from_a_stack(arn("model-1"))
    assert ours.from_a_stack("arn:aws:sagemaker:us-east-1:000000000000:pipeline/pipeline-1")
    assert not ours.from_a_stack(arn("model-2"))


def test_a_refusal_is_told_and_only_one_of_another_kind_is_kept(sagemaker: Scripted) -> None:
    ours = Ours(sagemaker.client, "a")
    sagemaker.refuse("delete_model", "ValidationException", "not now")
    assert ours.ask(sagemaker.client.delete_model, ModelName="m") == "not now"
    assert ours.refused is None
    sagemaker.refuse("delete_model", "AccessDeniedException", "may not")
    assert ours.ask(sagemaker.client.delete_model, ModelName="m") == "may not"
    assert isinstance(ours.refused, ClientError)
    sagemaker.reply("delete_model", {"ModelName": "m"})
    assert ours.ask(sagemaker.client.delete_model, ModelName="m") == ""


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["a"], "1 job (a)"),
        (["b", "a"], "2 jobs (a, b)"),
        (["d", "c", "b", "a"], "4 jobs (a, b, c, ...)"),
    ],
)
def test_what_is_left_in_words(names: list[str], words: str) -> None:
    assert counted("job", names) == words
    refused: Any = counted("job", names, "no")
    assert refused == (f"{words}: no" if words else "")
