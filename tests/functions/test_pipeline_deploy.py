"""A version comes into service, or the endpoint stays as it is: whatever the model does and whoever else deploys."""

from __future__ import annotations

import json
import os
from typing import Any

import pipeline_deploy
import pytest
from botocore.exceptions import ClientError
from pipeline_deploy import DeploymentError
from pipeline_settings import version_of_config, version_of_package

from tests.functions.conftest import Context
from tests.functions.pipeline_deploying import EXPECTED, SETTINGS, Stage, config, model, package
from tests.functions.pipeline_world import ENDPOINT, refusal

pytestmark = pytest.mark.usefixtures("pauses")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_first_version_makes_configuration_and_endpoint(stage: Stage) -> None:
    event = stage.version(1)
    assert stage.roll_out(event) == {"endpoint": ENDPOINT, "version": 1}
    assert stage.serving == config(1)
    (found,) = stage.world.configs.values()
    assert found["ProductionVariants"] == [
        {
            "VariantName": "main",
            "ModelName": event["model"],
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 2,
            "InitialVariantWeight": 1.0,
        }
    ]
    assert found["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    assert found["DataCaptureConfig"]["DestinationS3Uri"] == "s3://reports/capture/penguins"
    assert stage.world.changes() == ["CreateEndpointConfig", "CreateEndpoint", "AddTags", "AddTags"]


def test_the_next_version_takes_over_watched_by_the_alarms(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    stage.world.calls.clear()
    assert stage.roll_out(stage.version(2)) == {"endpoint": ENDPOINT, "version": 2}
    assert stage.serving == config(2)
    policy = stage.world.deployment["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 180}
    alarms = stage.world.deployment["AutoRollbackConfiguration"]["Alarms"]
    assert alarms == [{"AlarmName": "errors"}, {"AlarmName": "latency"}]
    assert stage.world.changes() == ["CreateEndpointConfig", "AddTags", "UpdateEndpoint", "AddTags", "AddTags"]


def test_a_version_that_is_in_service_is_left_alone(stage: Stage) -> None:
    event = stage.version(1)
    stage.roll_out(event)
    before = len(stage.world.changes())
    assert stage.roll_out(event) == {"endpoint": ENDPOINT, "version": 1}
    assert set(stage.world.changes()[before:]) == {"AddTags"}


def test_the_one_before_is_kept_and_those_before_it_are_deleted(stage: Stage) -> None:
    for number in range(1, 5):
        stage.roll_out(stage.version(number))
    assert sorted(stage.world.configs) == [config(3), config(4)]
    assert sorted(stage.world.models) == [model(3), model(4)]
    stage.roll_out(stage.version(3))
    assert stage.serving == config(3)
    assert sorted(stage.world.configs) == [config(3), config(4)]


def test_a_version_that_is_approved_again_while_it_serves_changes_nothing_and_leaves_nothing(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    before = len(stage.world.made)
    assert stage.roll_out(stage.version(1, name="again")) == {"endpoint": ENDPOINT, "version": 1}
    assert stage.serving == config(1)
    assert stage.world.made[before:] == []
    assert stage.world.models == {model(1)}


def test_a_version_that_served_before_comes_back_with_a_model_of_its_own(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    stage.roll_out(stage.version(2))
    stage.roll_out(stage.version(1, name="again"))
    assert stage.serving == SETTINGS.config_name(1, "again")
    assert stage.world.models == {"again", model(2)}
    assert sorted(stage.world.configs) == sorted([stage.serving, config(2)])


def test_a_model_that_somebody_deleted_is_named(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    event = stage.version(2)
    stage.world.models.remove(event["model"])
    with pytest.raises(ClientError, match=f'Could not find model "{event["model"]}"'):
        stage.deploy(event)
    assert stage.serving == config(1)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (json.dumps([EXPECTED[0], {"prediction": "Adelie", "confidence": 0.9}]), r"row 2 of 2 \(Dream,2\): expected"),
        (json.dumps(EXPECTED[:1]), "2 rows were asked about, 2 answers expected, 1 given"),
        ("", "2 answers expected, 0 given"),
        (json.dumps([EXPECTED[0], {"prediction": "Gentoo", "confidence": 0.95}]), '"confidence": 0.95'),
    ],
)
def test_a_model_that_answers_wrongly_never_reaches_the_endpoint(stage: Stage, answers: str, says: str) -> None:
    stage.roll_out(stage.version(1))
    before = len(stage.world.changes())
    event = stage.version(2, answers)
    with pytest.raises(DeploymentError, match=f"version 2 is not deployed, it failed its smoke test: .*{says}"):
        stage.deploy(event)
    assert stage.world.changes()[before:] == ["DeleteModel"], "of the model that nobody will use"
    assert stage.serving == config(1)
    with pytest.raises(DeploymentError, match="failed its smoke test"):
        stage.deploy(event)


def test_answers_that_nobody_gave_are_wrong(stage: Stage) -> None:
    event = stage.version(1)
    del stage.s3.files[f"{event['answers']}/input.csv.out"]
    with pytest.raises(DeploymentError, match=r"input.csv.out does not exist: the smoke test has no answers"):
        stage.deploy(event)
    assert not stage.world.endpoints


def test_numbers_may_differ_by_a_thousandth(stage: Stage) -> None:
    event = stage.version(1, json.dumps([EXPECTED[0] | {"confidence": 0.9809}, EXPECTED[1]]))
    assert stage.roll_out(event)["version"] == 1


def test_a_version_that_was_rejected_meanwhile_is_not_deployed(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    event = stage.version(2)
    stage.world.packages[package(2)]["ModelApprovalStatus"] = "Rejected"
    with pytest.raises(DeploymentError, match="version 2 is not deployed: it is Rejected"):
        stage.deploy(event)
    assert stage.serving == config(1)
    assert config(2) not in stage.world.configs


def test_a_container_that_does_not_start_leaves_the_running_one_in_service(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    event = stage.version(2)
    stage.world.broken.add(event["model"])
    says = "version 2 did not come into service, .* serves version 1 as before: The container of .* health check"
    with pytest.raises(DeploymentError, match=says):
        stage.deploy(event)
    assert stage.serving == config(1)
    with pytest.raises(DeploymentError, match=says):
        stage.confirm(event)
    stage.roll_out(stage.version(3))
    assert sorted(stage.world.configs) == [config(1), config(2), config(3)], "somebody may be about to use it"
    stage.world.seconds += 3600
    stage.roll_out(stage.version(4))
    assert sorted(stage.world.configs) == [config(3), config(4)], "what never was in service goes with the next one"
    assert event["model"] not in stage.world.models


def test_a_first_endpoint_that_fails_is_deleted_and_the_next_version_makes_one(stage: Stage) -> None:
    event = stage.version(1)
    stage.world.broken.add(event["model"])
    with pytest.raises(DeploymentError, match=r"version 1 did not start: .*health check.* The endpoint, which was the"):
        stage.deploy(event)
    assert stage.world.endpoints[ENDPOINT]["EndpointStatus"] == "Deleting"
    assert stage.roll_out(stage.version(2))["version"] == 2


def test_a_failed_endpoint_that_is_found_is_replaced(stage: Stage) -> None:
    event = stage.version(1)
    stage.world.endpoints[ENDPOINT] = {"EndpointStatus": "Failed", "EndpointConfigName": config(1)}
    assert stage.roll_out(event)["version"] == 1


def busy(stage: Stage, looks: int) -> None:
    stage.world.looks = looks


def test_an_update_that_takes_longer_is_confirmed_by_the_next_step(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    busy(stage, 4)
    event = stage.version(2)
    assert stage.deploy(event, Context([40_000, 40_000, 1_000])) == {"endpoint": ENDPOINT, "version": 2}
    assert stage.world.endpoints[ENDPOINT]["EndpointStatus"] == "Updating"
    with pytest.raises(DeploymentError, match=r"still Updating version 2 .*--retry.: it may yet come into service"):
        stage.confirm(event, Context([1_000]))
    assert stage.confirm(event)["version"] == 2
    assert stage.serving == config(2)


def test_somebody_elses_update_is_waited_for_and_not_fought(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    other = stage.version(2)
    stage.deploy(other, Context([1_000]))
    event = stage.version(3)
    busy(stage, 3)
    with pytest.raises(
        DeploymentError, match=r"version 3 is not deployed: .* is Updating version 2 .* somebody else began"
    ):
        stage.deploy(event, Context([1_000]))
    assert stage.world.changes().count("UpdateEndpoint") == 1
    stage.deploy(event)
    assert stage.serving == config(3)
    assert stage.confirm(other) == {"endpoint": ENDPOINT, "version": 2}, "it was in service until version 3 was"
    assert stage.confirm(event)["version"] == 3
    assert sorted(stage.world.configs) == [config(2), config(3)]


def test_the_platforms_own_update_is_waited_for(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    stage.world.endpoints[ENDPOINT] |= {"EndpointStatus": "SystemUpdating", "left": 2}
    assert stage.roll_out(stage.version(2))["version"] == 2


def test_an_endpoint_that_is_deleted_meanwhile_is_named(stage: Stage) -> None:
    event = stage.version(1)
    stage.deploy(event)
    stage.world.endpoints.clear()
    with pytest.raises(DeploymentError, match="is gone: somebody deleted it while version 1 was deployed"):
        stage.confirm(event)


def test_an_endpoint_that_sleeps_is_made_again(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    stage.world.endpoints.clear()
    assert stage.roll_out(stage.version(2))["version"] == 2
    assert sorted(stage.world.configs) == [config(1), config(2)]


def test_an_endpoint_whose_last_update_left_it_torn_is_updated(stage: Stage) -> None:
    stage.roll_out(stage.version(1))
    stage.world.endpoints[ENDPOINT]["EndpointStatus"] = "UpdateRollbackFailed"
    assert stage.roll_out(stage.version(2))["version"] == 2


@pytest.mark.parametrize("status", ["InService", "OutOfService"])
def test_what_sagemaker_refuses_is_not_hidden(stage: Stage, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    stage.roll_out(stage.version(1))
    stage.world.endpoints[ENDPOINT]["EndpointStatus"] = status

    def refuse(**_: Any) -> None:
        raise refusal("UpdateEndpoint", "The account-level service limit is 2 Instances", "ResourceLimitExceeded")

    monkeypatch.setattr(stage.world, "update_endpoint", refuse)
    with pytest.raises(ClientError, match="service limit is 2 Instances"):
        stage.deploy(stage.version(2))


def test_names_carry_version_and_settings() -> None:
    name = SETTINGS.config_name(12, "model")
    assert name.startswith(f"{ENDPOINT}-12-")
    assert len(name) <= 63
    assert version_of_config(name) == 12
    assert version_of_config("somebody-elses") is None
    assert version_of_package(package(12)) == 12
    with pytest.raises(ValueError, match="is not the ARN of a version"):
        version_of_package("arn:aws:sagemaker:us-east-1:000000000000:model-package/name")


def test_entry_points_read_their_variables(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    variables = {
        "ENDPOINT": ENDPOINT,
        "TAGS": json.dumps(SETTINGS.tags),
        "INSTANCE": "ml.m5.large",
        "INSTANCES": "2",
        "CAPTURE_PERCENT": "100",
        "CAPTURE_URI": SETTINGS.capture_uri,
        "SERVING_ROLE": SETTINGS.serving_role,
        "ALARMS": '["errors", "latency"]',
    }
    monkeypatch.setattr(os, "environ", variables)
    found = {"sagemaker": stage.world.client(), "s3": stage.s3}
    monkeypatch.setattr(pipeline_deploy, "client", found.__getitem__)
    event = stage.version(1)
    assert pipeline_deploy.deploy(event, Context()) == pipeline_deploy.confirm(event, Context())
    assert stage.serving == config(1)
