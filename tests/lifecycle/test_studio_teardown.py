"""Studio's teardown when people do not keep out of its way: late apps, a domain deleted by hand with its files kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lifecycle.conftest import Cloud
from tests.lifecycle.people import INSTANCE, PRIVATE, Person, in_service, output, people_only
from tests.lifecycle.stand import Stand, stand

ENVIRONMENT = "late"


@pytest.fixture
def place(cloud: Cloud) -> Stand:
    """The environment, deployed."""
    return stand(cloud, people_only(ENVIRONMENT)).up()


@pytest.fixture
def held(cloud: Cloud) -> Iterator[None]:
    """The first call of the janitor that deletes the domain takes a while."""
    call = {"service": "sagemaker", "operation": "DescribeDomain", "principal": "DomainDelete"}
    cloud.post("faults", {"rules": [{**call, "effect": "delay", "seconds": 15, "times": 1}]})
    yield
    cloud.post("faults", {})


@pytest.mark.usefixtures("held")
def test_whoever_opens_an_app_between_drain_and_deletion_is_drained_too(cloud: Cloud, place: Stand) -> None:
    domain = output(cloud, ENVIRONMENT, "studio", "DomainId")
    destroy = cloud.start("destroy", "--environment", ENVIRONMENT, "--json")
    cloud.until(lambda: cloud.admin("faults")["rules"][0]["applied"], "the janitor's first call")
    sagemaker = cloud.client("sagemaker")
    profile, space = {"UserProfileName": "late"}, {"SpaceName": "late"}
    where = {"DomainId": domain}
    sagemaker.create_user_profile(**where, **profile)
    cloud.until(lambda: sagemaker.describe_user_profile(**where, **profile)["Status"] == "InService", "the profile")
    sagemaker.create_space(
        **where,
        **space,
        OwnershipSettings={"OwnerUserProfileName": "late"},
        SpaceSharingSettings=PRIVATE,
        SpaceSettings={"AppType": "JupyterLab"},
    )
    cloud.until(lambda: sagemaker.describe_space(**where, **space)["Status"] == "InService", "the space")
    app = {**where, **space, "AppType": "JupyterLab", "AppName": "default"}
    sagemaker.create_app(**app, ResourceSpec={"InstanceType": INSTANCE})
    cloud.until(lambda: in_service(sagemaker.describe_app(**app)), "the app")
    out, err = destroy.communicate(timeout=600)
    assert destroy.returncode == 0, err
    report = json.loads(out)
    assert (report["clean"], report["swept"]) == (True, [])
    cloud.assert_nothing_left(place.file)


@pytest.mark.exhaustive
def test_what_a_domain_deleted_by_hand_left_in_the_network_is_removed(cloud: Cloud, place: Stand) -> None:
    """Its files were kept, as they are when nobody says otherwise, and with them the way into the network."""
    domain = output(cloud, ENVIRONMENT, "studio", "DomainId")
    Person(cloud, ENVIRONMENT, domain, "ada").open_app("ada-lab")
    sagemaker, where = cloud.client("sagemaker"), {"DomainId": domain}
    app = {**where, "SpaceName": "ada-lab", "AppType": "JupyterLab", "AppName": "default"}
    sagemaker.delete_app(**app)
    cloud.until(lambda: sagemaker.describe_app(**app)["Status"] == "Deleted", "the app's end")
    sagemaker.delete_space(**where, SpaceName="ada-lab")
    cloud.until(lambda: not sagemaker.list_spaces()["Spaces"], "the space's end")
    for name in ("ada", "grace"):
        sagemaker.delete_user_profile(**where, UserProfileName=name)
    cloud.until(lambda: not sagemaker.list_user_profiles()["UserProfiles"], "the profiles' end")
    sagemaker.delete_domain(**where)
    cloud.until(lambda: not sagemaker.list_domains()["Domains"], "the domain's end")
    assert len(cloud.client("efs").describe_file_systems()["FileSystems"]) == 1
    place.cdk_destroy()
    cloud.assert_nothing_left(place.file)
    assert cloud.client("efs").describe_file_systems()["FileSystems"] == []
    groups = cloud.client("ec2").describe_security_groups()["SecurityGroups"]
    assert not [group for group in groups if domain in group["GroupName"]]
