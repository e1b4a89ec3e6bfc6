"""Statements refuse what a least-privilege policy must not hold, when they are made."""

from __future__ import annotations

import pytest

from sandcastle.permissions import pull_image
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import Statement


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*"])
def test_wildcard_action_is_refused(action: str) -> None:
    with pytest.raises(ValueError, match="wildcard action"):
        Statement([action], ["arn:aws:s3:::b"])


@pytest.mark.parametrize("resource", ["*", "arn:aws:s3:::b/*"])
def test_wildcard_resource_needs_a_reason(resource: str) -> None:
    with pytest.raises(ValueError, match="written reason"):
        Statement(["s3:GetObject"], [resource])
    assert Statement(["s3:GetObject"], [resource], reason="because").to_json()["Resource"] == [resource]


def test_image_permissions_name_the_images_own_repository() -> None:
    pull, log_in = pull_image("683313688378.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0")
    assert pull.resources[0].endswith(":ecr:eu-west-1:683313688378:repository/sagemaker-xgboost")
    assert log_in.actions == ["ecr:GetAuthorizationToken"]
    with pytest.raises(ValueError, match=r"not the URI of an image in Amazon ECR"):
        pull_image("docker.io/library/python:3.13")


def test_promises_survive_the_way_through_a_template() -> None:
    both = [may("iam:PassRole", "r", iam__PassedToService="sagemaker.amazonaws.com"), may_not("s3:GetObject", "*")]
    assert [Promise.from_metadata(one.to_metadata()) for one in both] == both
    assert both[0].context == {"iam:PassedToService": "sagemaker.amazonaws.com"}
