"""What the registry's schemas say about the types that reviews are about."""

from __future__ import annotations

import pytest

from operations.review.fate import HOLDS, PASSING
from operations.review.schemas import CDK_SAYS_REPLACED, schema_of


@pytest.mark.parametrize("type_", sorted(CDK_SAYS_REPLACED))
def test_where_sources_are_said_to_disagree_they_do(type_: str) -> None:
    """Tags replace none of these by the registry; should it ever say so, there is nothing to disagree about."""
    schema = schema_of(type_)
    assert schema.known
    assert schema.tag_property == "Tags"
    assert ("Tags",) not in schema.create_only


@pytest.mark.parametrize("type_", sorted({*HOLDS, *PASSING}))
def test_types_that_hold_something_are_types(type_: str) -> None:
    """A misspelt type would be data that nobody sees lost. What AWS has ended is in the list for who still has it."""
    ended = {"AWS::QLDB::Ledger", "AWS::CodeCommit::Repository"}
    assert schema_of(type_).known or type_ in ended


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::SageMaker::EndpointConfig", "EndpointConfigName"),
        ("AWS::SageMaker::NotebookInstance", "NotebookInstanceName"),
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::EC2::SecurityGroup", "GroupName"),
        ("AWS::Scheduler::ScheduleGroup", "Name"),
        ("AWS::EC2::VPC", None),
    ],
)
def test_name_that_no_two_can_have(type_: str, name: str | None) -> None:
    assert schema_of(type_).name_property(type_) == name


def test_types_that_nobody_knows_are_said_to_be_unknown() -> None:
    assert not schema_of("AWS::Future::Store").known
    assert schema_of("Custom::Anything").known
