"""The two ways of a request, over one socket: the short one of invocations, and the long one of everything else."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

pytestmark = pytest.mark.localcloud

PATH = "/endpoints/nobody/invocations"
NOT_FOUND = {"message": "Endpoint nobody of account 000000000000 not found."}


def port(localcloud: Any) -> int:
    return urlsplit(localcloud.endpoint).port or 0


@pytest.fixture
def connection(localcloud: Any) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", port(localcloud), timeout=30)
    yield made
    made.close()


def signed(localcloud: Any, keys: Credentials, path: str = PATH, body: bytes = b"1,2") -> dict[str, str]:
    request = AWSRequest("POST", f"{localcloud.endpoint}{path}", {"Content-Type": "text/csv"}, body)
    SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def ask(
    connection: http.client.HTTPConnection, headers: dict[str, str], path: str = PATH, body: Any = b"1,2"
) -> tuple[int, dict[str, str], Any]:
    connection.request("POST", path, body, headers)
    reply = connection.getresponse()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}, json.loads(reply.read())


@pytest.fixture(scope="module")
def root() -> Credentials:
    return Credentials("test", "test")


@pytest.fixture(scope="module")
def user(localcloud: Any) -> Credentials:
    """Somebody who may invoke one endpoint, which is not there."""
    iam = localcloud.client("iam")
    iam.create_user(UserName="front")
    resource = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/nobody"
    may = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="front", PolicyName="may", PolicyDocument=document)
    made = iam.create_access_key(UserName="front")["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def test_requests_of_both_ways_share_a_connection(
    localcloud: Any, connection: http.client.HTTPConnection, root: Credentials
) -> None:
    for _ in range(2):
        status, headers, document = ask(connection, signed(localcloud, root))
        assert (status, document, headers["x-amzn-errortype"]) == (400, NOT_FOUND, "ValidationError")
        assert headers["x-amzn-requestid"]
    # neither an invocation nor without its bytes when the connection changes hands
    connection.request("GET", "/_localcloud/health")
    assert json.load(connection.getresponse())["status"] == "running"
    assert ask(connection, signed(localcloud, root))[2] == NOT_FOUND


@pytest.mark.parametrize(
    "unusual", [{"path": f"{PATH}?a=1"}, {"body": iter([b"1,", b"2"])}], ids=["query string", "chunked body"]
)
def test_the_long_way_gives_the_same_answer(
    localcloud: Any, connection: http.client.HTTPConnection, root: Credentials, unusual: dict[str, Any]
) -> None:
    status, headers, document = ask(connection, signed(localcloud, root), **unusual)
    assert (status, document, headers["x-amzn-errortype"]) == (400, NOT_FOUND, "ValidationError")


def test_a_request_that_arrives_in_pieces(localcloud: Any, root: Credentials) -> None:
    headers = signed(localcloud, root)
    lines = [f"POST {PATH} HTTP/1.1", "Host: localhost", "Content-Length: 3", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + b"1,2"
    with socket.create_connection(("127.0.0.1", port(localcloud)), timeout=30) as raw:
        for part in (whole[:1], whole[1:20], whole[20:-2], whole[-2:]):
            raw.sendall(part)
        reply = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert reply.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(reply.partition(b"\r\n\r\n")[2]) == NOT_FOUND


def test_the_short_way_authenticates_and_authorises(
    localcloud: Any, connection: http.client.HTTPConnection, user: Credentials
) -> None:
    assert ask(connection, signed(localcloud, user))[2] == NOT_FOUND
    status, _headers, document = ask(connection, signed(localcloud, user), body=b"3,4")
    assert status == 403
    assert "signature" in json.dumps(document)
    other = PATH.replace("nobody", "somebody")
    short, long = (ask(connection, signed(localcloud, user, path), path) for path in (other, f"{other}?a=1"))
    assert short[0] == long[0] == 403
    assert short[2] == long[2]
    assert "is not authorized to perform: sagemaker:InvokeEndpoint" in json.dumps(short[2])
    unsigned = [ask(connection, {"Content-Type": "text/csv"}, path) for path in (PATH, f"{PATH}?a=1")]
    assert unsigned[0][0] == unsigned[1][0] == 403
    assert unsigned[0][2] == unsigned[1][2]
    calls = [call for call in localcloud.admin("GET", "calls") if call["principal"].endswith("user/front")]
    assert {(call["action"], call["decision"]) for call in calls} == {
        ("sagemaker:InvokeEndpoint", "allowed"),
        ("sagemaker:InvokeEndpoint", "denied"),
    }


def test_fault_rules_reach_invocations(
    localcloud: Any, connection: http.client.HTTPConnection, root: Credentials
) -> None:
    assert ask(connection, signed(localcloud, root))[2] == NOT_FOUND
    rule = {"service": "sagemaker", "operation": "InvokeEndpoint", "effect": "throttle", "times": 1}
    localcloud.admin("POST", "faults", {"rules": [rule]})
    try:
        assert ask(connection, signed(localcloud, root))[1]["x-amzn-errortype"].startswith("Throttling")
    finally:
        localcloud.admin("POST", "faults", {"rules": []})


def test_what_is_remembered_of_a_role_holds_as_long_as_its_policies(
    localcloud: Any, connection: http.client.HTTPConnection
) -> None:
    iam, keys = localcloud.client("iam"), role_keys(localcloud)

    def status() -> int:
        return ask(connection, signed(localcloud, keys))[0]

    assert [status(), status()] == [403, 403]
    iam.put_role_policy(RoleName="front", PolicyName="may", PolicyDocument=invoking("Allow"))
    assert [status(), status()] == [400, 400]  # admitted: there is no such endpoint
    assert ask(connection, signed(localcloud, keys), body=b"3,4")[0] == 403, "every signature is checked"
    forbidden = iam.create_policy(PolicyName="front", PolicyDocument=invoking("Deny"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="front", PolicyArn=forbidden)
    assert status() == 403
    iam.create_policy_version(
        PolicyArn=forbidden, PolicyDocument=invoking("Deny", "sagemaker:CreateApp"), SetAsDefault=True
    )
    assert status() == 400
    iam.put_role_permissions_boundary(RoleName="front", PermissionsBoundary=forbidden)
    assert status() == 403, "a boundary that allows nothing"
    iam.delete_role_permissions_boundary(RoleName="front")
    assert status() == 400
    elsewhere = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    iam.put_role_policy(RoleName="front", PolicyName="may", PolicyDocument=invoking("Allow", **elsewhere))
    assert [status(), status()] == [403, 403]
    here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    iam.put_role_policy(RoleName="front", PolicyName="may", PolicyDocument=invoking("Allow", **here))
    assert [status(), status()] == [400, 400]
    calls = [call for call in localcloud.admin("GET", "calls") if call["role"] == "front"]
    assert {call["decision"]: call["count"] for call in calls} == {"allowed": 6, "denied": 6}


def invoking(effect: str, action: str = "sagemaker:InvokeEndpoint", **conditions: Any) -> str:
    resource = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/nobody"
    statement = {"Effect": effect, "Action": action, "Resource": resource, "Condition": conditions}
    statement = {name: value for name, value in statement.items() if value}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role_keys(localcloud: Any) -> Credentials:
    """Those of a session of a role without permissions."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = localcloud.client("iam").create_role(RoleName="front", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    keys = localcloud.client("sts").assume_role(RoleArn=made, RoleSessionName="front")["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
