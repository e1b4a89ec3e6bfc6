"""Studio's people at work, each under their own role; what they may not; and that a destroy leaves nothing of it."""

from __future__ import annotations

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.people import INSTANCE, PRIVATE, Person, denied, in_service, output, people_only, script_said
from tests.lifecycle.promises import try_all
from tests.lifecycle.stand import stand

ENVIRONMENT = "studio"


@pytest.fixture(scope="module")
def settings() -> str:
    return people_only(ENVIRONMENT)


@pytest.fixture(scope="module")
def domain(cloud: Cloud, settings: str) -> str:
    """The id of the deployed domain."""
    stand(cloud, settings).up()
    return output(cloud, ENVIRONMENT, "studio", "DomainId")


@pytest.fixture(scope="module")
def ada(cloud: Cloud, domain: str) -> Person:
    return Person(cloud, ENVIRONMENT, domain, "ada")


@pytest.fixture(scope="module")
def grace(cloud: Cloud, domain: str) -> Person:
    return Person(cloud, ENVIRONMENT, domain, "grace")


@pytest.fixture(scope="module")
def bucket(cloud: Cloud, domain: str) -> str:
    return output(cloud, ENVIRONMENT, "foundation", "DataBucket")


@pytest.mark.parametrize("kind", ["JupyterLab", "CodeEditor"])
def test_an_app_starts_with_the_tutorials_and_the_tags_of_its_user(cloud: Cloud, ada: Person, kind: str) -> None:
    app = ada.open_app(f"ada-{kind.lower()}", kind)
    said = cloud.until(lambda: script_said(cloud, ada.domain, f"ada-{kind.lower()}", kind), "what the script says")
    assert "sandcastle: tutorial ." in said
    assert "new files in ~/tutorials" in said
    assert "not complete" not in said
    tags = {one["Key"]: one["Value"] for one in cloud.client("sagemaker").list_tags(ResourceArn=app["AppArn"])["Tags"]}
    assert (tags["sandcastle:environment"], tags["sandcastle:user"]) == (ENVIRONMENT, "ada")


def test_a_second_start_leaves_the_users_files_as_they_are(cloud: Cloud, ada: Person) -> None:
    sagemaker = ada.client()
    app = {"DomainId": ada.domain, "SpaceName": "ada-jupyterlab", "AppType": "JupyterLab", "AppName": "default"}
    sagemaker.delete_app(**app)
    cloud.until(lambda: sagemaker.describe_app(**app)["Status"] == "Deleted", "the app's end")
    sagemaker.create_app(**app, ResourceSpec={"InstanceType": INSTANCE})
    cloud.until(lambda: in_service(sagemaker.describe_app(**app)), "the app")
    assert "sandcastle: 0 new files in ~/tutorials" in script_said(cloud, ada.domain, "ada-jupyterlab")


def test_nobody_works_in_anothers_name_or_on_another_instance(ada: Person) -> None:
    sagemaker, space = ada.client(), {"DomainId": ada.domain, "SpaceName": "other"}
    owner = {"OwnershipSettings": {"OwnerUserProfileName": "grace"}}
    assert denied(sagemaker.create_space, **space, **owner, SpaceSharingSettings=PRIVATE)
    own = {"OwnershipSettings": {"OwnerUserProfileName": "ada"}}
    assert denied(sagemaker.create_space, **space, **own, SpaceSharingSettings={"SharingType": "Shared"})
    app = {"DomainId": ada.domain, "SpaceName": "ada-jupyterlab", "AppType": "JupyterLab", "AppName": "second"}
    assert denied(sagemaker.create_app, **app, ResourceSpec={"InstanceType": "ml.m5.4xlarge"})
    assert denied(sagemaker.create_user_profile, DomainId=ada.domain, UserProfileName="another")
    assert denied(sagemaker.delete_domain, DomainId=ada.domain)


def test_nobody_deletes_anothers_app_or_space(ada: Person, grace: Person) -> None:
    grace.open_app("grace-lab")
    sagemaker, where = ada.client(), {"DomainId": ada.domain, "SpaceName": "grace-lab"}
    assert denied(sagemaker.delete_app, **where, AppType="JupyterLab", AppName="default")
    assert denied(sagemaker.delete_space, **where)


def test_files_are_each_users_own(ada: Person, grace: Person, bucket: str) -> None:
    mine, hers = ada.client("s3"), grace.client("s3")
    mine.put_object(Bucket=bucket, Key="users/ada/notes.txt", Body=b"mine")
    hers.put_object(Bucket=bucket, Key="users/grace/notes.txt", Body=b"hers")
    assert mine.get_object(Bucket=bucket, Key="users/ada/notes.txt")["Body"].read() == b"mine"
    assert [one["Key"] for one in mine.list_objects_v2(Bucket=bucket, Prefix="users/ada/")["Contents"]] == [
        "users/ada/notes.txt"
    ]
    assert denied(mine.get_object, Bucket=bucket, Key="users/grace/notes.txt")
    assert denied(mine.put_object, Bucket=bucket, Key="users/grace/notes.txt", Body=b"")
    assert denied(mine.list_objects_v2, Bucket=bucket, Prefix="users/grace/")
    assert denied(mine.list_objects_v2, Bucket=bucket)
    mine.delete_object(Bucket=bucket, Key="users/ada/notes.txt")


def test_a_user_sees_what_there_is_and_gives_back_a_space(cloud: Cloud, ada: Person) -> None:
    sagemaker = ada.client()
    assert {one["SpaceName"] for one in sagemaker.list_spaces()["Spaces"]} >= {"ada-jupyterlab", "grace-lab"}
    assert sagemaker.describe_domain(DomainId=ada.domain)["Status"] == "InService"
    assert len(sagemaker.list_apps()["Apps"]) >= 3
    for lists in (
        sagemaker.list_training_jobs,
        sagemaker.list_processing_jobs,
        sagemaker.list_transform_jobs,
        sagemaker.list_hyper_parameter_tuning_jobs,
        sagemaker.list_models,
        sagemaker.list_endpoint_configs,
    ):
        lists()
    space = {"DomainId": ada.domain, "SpaceName": "ada-codeeditor"}
    app = {**space, "AppType": "CodeEditor", "AppName": "default"}
    sagemaker.delete_app(**app)
    cloud.until(lambda: sagemaker.describe_app(**app)["Status"] == "Deleted", "the app's end")
    sagemaker.update_space(**space, SpaceDisplayName="about to go")
    cloud.until(lambda: sagemaker.describe_space(**space)["Status"] == "InService", "the changed space")
    sagemaker.delete_space(**space)


def test_every_promise_holds_for_the_roles_that_were_made(cloud: Cloud, domain: str) -> None:
    tried = try_all(cloud, ENVIRONMENT)
    broken = [str(one) for one in tried if one.decided is not one.promise.allowed]
    assert broken == [], "\n".join(broken)
    real = [one for one in tried if one.happened is not None]
    assert [str(one) for one in real if one.happened is not one.promise.allowed] == []
    assert {one.promise.allowed for one in real} == {True, False}


def made_in_the_console(cloud: Cloud, domain: str) -> None:
    """A profile, a space of its own and an app in it, that no template knows."""
    sagemaker = cloud.client("sagemaker")
    profile = {"DomainId": domain, "UserProfileName": "by-hand"}
    sagemaker.create_user_profile(**profile)
    cloud.until(lambda: sagemaker.describe_user_profile(**profile)["Status"] == "InService", "the profile")
    space = {"DomainId": domain, "SpaceName": "by-hand"}
    sagemaker.create_space(
        **space,
        OwnershipSettings={"OwnerUserProfileName": "by-hand"},
        SpaceSharingSettings=PRIVATE,
        SpaceSettings={"AppType": "JupyterLab"},
    )
    cloud.until(lambda: sagemaker.describe_space(**space)["Status"] == "InService", "the space")
    sagemaker.create_app(
        **space, AppType="JupyterLab", AppName="default", ResourceSpec={"InstanceType": INSTANCE}
    )  # and leaves it Pending


def test_plain_cdk_destroy_reaches_zero_with_people_at_work(
    cloud: Cloud, domain: str, ada: Person, settings: str
) -> None:
    made_in_the_console(cloud, domain)
    stand(cloud, settings).cdk_destroy()
    cloud.assert_nothing_left(settings)
    assert cloud.client("efs").describe_file_systems()["FileSystems"] == []
