"""Emptying a Studio domain: what goes in which order, what is waited for, what is a neighbour's, and who is frozen."""

from __future__ import annotations

from typing import Any

import pytest
import studio_drain
from botocore.exceptions import ClientError
from studio_contents import drain

from tests.functions.conftest import CloudFormation, Context, Scripted

DOMAIN = "d-ours"
LIST = {"DomainIdEquals": DOMAIN, "MaxResults": 100}
POLICY = "arn:aws:iam::000000000000:policy/limit"


def app(status: str = "InService", space: str | None = "lab", **more: Any) -> dict[str, Any]:
    holder = {"SpaceName": space} if space else {"UserProfileName": "ada"}
    return {"DomainId": DOMAIN, "AppType": "JupyterLab", "AppName": "default", "Status": status, **holder, **more}


def space(name: str, status: str = "InService") -> dict[str, Any]:
    return {"DomainId": DOMAIN, "SpaceName": name, "Status": status}


def profile(name: str, status: str = "InService") -> dict[str, Any]:
    return {"DomainId": DOMAIN, "UserProfileName": name, "Status": status}


class Domain:
    """What SageMaker is to answer about the domain, list by list."""

    def __init__(self, sagemaker: Scripted) -> None:
        self.sagemaker = sagemaker

    def apps(self, *pages: list[dict[str, Any]]) -> None:
        self._list("list_apps", "Apps", *(pages or ([],)))

    def spaces(self, *pages: list[dict[str, Any]]) -> None:
        self._list("list_spaces", "Spaces", *(pages or ([],)))

    def profiles(self, *pages: list[dict[str, Any]]) -> None:
        self._list("list_user_profiles", "UserProfiles", *(pages or ([],)))

    def _list(self, operation: str, name: str, *pages: list[dict[str, Any]]) -> None:
        for number, page in enumerate(pages):
            more = {"NextToken": f"page-{number + 1}"} if number + 1 < len(pages) else {}
            request = {**LIST, **({"NextToken": f"page-{number}"} if number else {})}
            self.sagemaker.reply(operation, request, {name: page, **more})


@pytest.fixture
def domain(sagemaker: Scripted) -> Domain:
    return Domain(sagemaker)


def delete_app(**holder: str) -> dict[str, Any]:
    return {"DomainId": DOMAIN, "AppType": "JupyterLab", "AppName": "default", **holder}


def test_apps_go_by_space_or_by_profile_from_every_page(domain: Domain, sagemaker: Scripted) -> None:
    domain.apps([app()], [app(space=None)])
    sagemaker.reply("delete_app", delete_app(SpaceName="lab"))
    sagemaker.reply("delete_app", delete_app(UserProfileName="ada"))
    domain.spaces([space("lab")])
    domain.profiles()
    assert drain(sagemaker.client, DOMAIN, ()) == "2 apps, 1 space"


def test_what_is_on_its_way_is_waited_for_and_what_is_gone_is_not(domain: Domain, sagemaker: Scripted) -> None:
    domain.apps([app("Pending"), app("Deleting", space="b"), app("Deleted", space="c"), app("Failed", space="d")])
    domain.spaces([space("lab"), space("b"), space("c", "Deleting"), space("d")])
    sagemaker.reply("delete_space", {"DomainId": DOMAIN, "SpaceName": "d"})  # a failed app is in nobody's way
    domain.profiles()
    assert drain(sagemaker.client, DOMAIN, ()) == "2 apps, 4 spaces"


def test_spaces_that_failed_go_too_and_then_profiles_that_no_template_knows(
    domain: Domain, sagemaker: Scripted
) -> None:
    domain.apps()
    domain.spaces([space("a", "Failed"), space("b", "Delete_Failed")])
    for name in ("a", "b"):
        sagemaker.reply("delete_space", {"DomainId": DOMAIN, "SpaceName": name})
    domain.profiles([profile("ada"), profile("by-hand")])
    sagemaker.refuse("delete_user_profile", "ResourceInUse")  # its space is not gone yet
    assert drain(sagemaker.client, DOMAIN, ["ada"]) == "2 spaces, 1 user profile"


def test_a_domain_with_nothing_but_the_templates_profiles_is_empty(domain: Domain, sagemaker: Scripted) -> None:
    domain.apps([app("Deleted")])
    domain.spaces()
    domain.profiles([profile("ada"), profile("grace")])
    assert drain(sagemaker.client, DOMAIN, ["ada", "grace"]) == ""


def test_a_domain_that_is_gone_is_empty(sagemaker: Scripted) -> None:
    sagemaker.refuse("list_apps", "ResourceNotFound")
    assert drain(sagemaker.client, DOMAIN, ()) == ""


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ValidationException", "App [x] has already been deleted"),
        ("ValidationException", "App [x] previously failed and was automatically deleted."),
        ("ResourceNotFound", "no such app"),
        ("ResourceInUse", "somebody works on it"),
    ],
)
def test_an_app_that_goes_at_the_same_time_is_no_failure(
    domain: Domain, sagemaker: Scripted, code: str, text: str
) -> None:
    domain.apps([app()])
    sagemaker.refuse("delete_app", code, text)
    domain.spaces()
    domain.profiles()
    assert drain(sagemaker.client, DOMAIN, ()) == "1 app"


def test_another_validation_error_is_a_failure(domain: Domain, sagemaker: Scripted) -> None:
    domain.apps([app()])
    sagemaker.refuse("delete_app", "ValidationException", "App name is too long")
    with pytest.raises(ClientError, match="too long"):
        drain(sagemaker.client, DOMAIN, ())


def test_roles_are_frozen_once_and_one_that_is_gone_is_done(iam: Scripted) -> None:
    freeze = studio_drain.freezer(iam.client, POLICY, ["grace", "ada"])
    iam.reply("attach_role_policy", {"RoleName": "ada", "PolicyArn": POLICY})
    iam.refuse("attach_role_policy", "NoSuchEntity")
    assert freeze() == ""
    assert freeze() == ""


def test_a_role_that_cannot_be_frozen_is_tried_again_and_holds_up_nobody(
    iam: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    freeze = studio_drain.freezer(iam.client, POLICY, ["ada", "grace"])
    iam.refuse("attach_role_policy", "AccessDenied", "not yet")
    iam.reply("attach_role_policy", {"RoleName": "grace", "PolicyArn": POLICY})
    assert freeze() == "ada"
    assert "ada is not frozen: AccessDenied not yet" in capsys.readouterr().out
    iam.reply("attach_role_policy", {"RoleName": "ada", "PolicyArn": POLICY})
    assert freeze() == ""


@pytest.mark.usefixtures("pauses")
def test_the_function_freezes_before_it_drains_and_answers_when_all_is_gone(
    domain: Domain,
    sagemaker: Scripted,
    iam: Scripted,
    cloudformation: CloudFormation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []
    for scripted in (sagemaker, iam):
        scripted.client.meta.events.register("provide-client-params", lambda model, **_: order.append(model.name))
    found = {"sagemaker": sagemaker.client, "iam": iam.client}
    monkeypatch.setattr(studio_drain, "client", lambda service: found[service])
    iam.reply("attach_role_policy", {"RoleName": "ada", "PolicyArn": POLICY})
    domain.apps([app()])
    sagemaker.reply("delete_app", delete_app(SpaceName="lab"))
    for spaces in ([space("lab")], []):
        domain.spaces(spaces)
        domain.profiles([profile("ada")])
        if spaces:
            domain.apps([app("Deleted")])
    event = cloudformation.event(
        "Delete", DomainId=DOMAIN, Profiles=["ada"], PolicyArn=POLICY, Roles=["ada"], WaitSeconds="3300"
    )
    studio_drain.handler(event, Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]
    assert order[0] == "AttachRolePolicy"


def test_creating_it_touches_nothing(
    sagemaker: Scripted, iam: Scripted, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"sagemaker": sagemaker.client, "iam": iam.client}
    monkeypatch.setattr(studio_drain, "client", lambda service: found[service])
    event = cloudformation.event(
        "Create", DomainId=DOMAIN, Profiles=["ada"], PolicyArn=POLICY, Roles=["ada"], WaitSeconds="3300"
    )
    studio_drain.handler(event, Context())
    assert [one["Status"] for one in cloudformation.answers] == ["SUCCESS"]
