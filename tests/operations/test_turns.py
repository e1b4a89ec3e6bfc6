"""What a refusal means while something is removed: gone, busy, or no. Texts are AWS's (facts on teardown, 1.30)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.audit.call import Call
from operations.sweep.turns import StillThereError, insist, is_busy, is_gone


def refusal(code: str, text: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, "Delete")


GONE = [
    ("ResourceNotFound", "Domain d-1 does not exist"),
    ("ResourceNotFoundException", ""),
    ("NoSuchEntity", "The role with name r cannot be found."),
    ("NoSuchBucket", ""),
    ("InvalidGroup.NotFound", "The security group 'sg-1' does not exist"),
    ("InvalidNetworkInterfaceID.NotFound", ""),
    ("FileSystemNotFound", ""),
    ("ValidationException", 'Could not find endpoint "arn:aws:sagemaker:us-east-1:1:endpoint/e".'),
    ("ValidationException", 'Could not find model "arn".'),
    ("ValidationException", "RecordNotFound"),
    ("ValidationException", "Requested resource not found."),
    ("ValidationException", "ModelPackageGroup arn does not exist."),
    ("ValidationException", "App has already been deleted"),
    ("ValidationException", "App previously failed and was automatically deleted"),
]
BUSY = [
    ("ResourceInUse", "Unable to delete UserProfile [arn] because App(s) are associated with it."),
    ("ConflictException", ""),
    ("DependencyViolation", "resource sg-1 has a dependent object"),
    ("FileSystemInUse", ""),
    ("DependencyTimeout", ""),
    ("DeleteConflict", "Cannot delete entity, must detach all policies first."),
    ("ResourceLockedException", ""),
    ("ValidationException", 'Cannot update in-progress endpoint "arn".'),
    (
        "ValidationException",
        "Status (InService) not in ([Stopped, Failed]). Unable to transition to (Deleting) for ...",
    ),
    ("ValidationException", "Pipelines with running executions cannot be deleted."),
    ("ValidationException", "Monitoring schedule in status Pending cannot be deleted"),
]
NEITHER = [
    ("AccessDenied", "not authorized"),
    ("AccessDeniedException", "User is not authorized: no policy was found"),
    ("ValidationException", "1 validation error detected: Value 'x' at 'endpointName' failed"),
    ("InvalidParameterValue", "Value (x) for parameter groupId is invalid."),
    ("UnauthorizedOperation", "You are not authorized to perform this operation."),
]


@pytest.mark.parametrize(("code", "text"), GONE)
def test_gone(code: str, text: str) -> None:
    assert is_gone(refusal(code, text))


@pytest.mark.parametrize(("code", "text"), BUSY)
def test_busy(code: str, text: str) -> None:
    assert is_busy(refusal(code, text))
    assert not is_gone(refusal(code, text))


@pytest.mark.parametrize(("code", "text"), NEITHER)
def test_neither(code: str, text: str) -> None:
    assert not is_gone(refusal(code, text))
    assert not is_busy(refusal(code, text))


@dataclass(frozen=True)
class Fast:
    """All of a target that waiting needs."""

    pace: float = 0.0001


def play(*answers: str | ClientError, minutes: float = 100.0) -> int:
    """Insist on something that answers like this, and return how many turns were taken."""
    left = list(answers)

    def turn() -> str:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, ClientError):
            raise now
        return now

    fast: Any = Fast()
    insist(fast, turn, minutes)
    return len(answers) - len(left) + 1


def test_a_turn_is_taken_until_nothing_is_left() -> None:
    assert play("") == 1
    assert play("it is Deleting", refusal("ResourceInUse"), "still", "") == 4
    assert play("it is Deleting", refusal("ResourceNotFound")) == 2


def test_what_is_refused_for_good_is_raised_at_once() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        play("it is InService", refusal("AccessDenied"), "")


def test_what_stays_is_told_when_time_is_up() -> None:
    with pytest.raises(StillThereError, match="still there after 1 minutes: it is Creating"):
        play("it is Creating", minutes=1.0)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            Call("sagemaker", "delete_app", {"DomainId": "d-1", "SpaceName": "a b", "AppName": "default"}, "eu-west-1"),
            "aws sagemaker delete-app --domain-id d-1 --space-name 'a b' --app-name default --region eu-west-1",
        ),
        (
            Call("sagemaker", "delete_domain", {"RetentionPolicy": {"HomeEfsFileSystem": "Delete"}}, "r"),
            "aws sagemaker delete-domain --retention-policy '{\"HomeEfsFileSystem\": \"Delete\"}' --region r",
        ),
        (Call("ec2", "delete_vpc_endpoints", {"VpcEndpointIds": ["v-1", "v-2"]}, "r"),
         "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids v-1 v-2 --region r"),
        (Call("iam", "delete_role", {"RoleName": "r"}, "eu-west-1"), "aws iam delete-role --role-name r"),
    ],
)  # fmt: skip
def test_a_call_as_a_person_types_it(call: Call, line: str) -> None:
    assert call.command() == line
