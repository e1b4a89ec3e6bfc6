"""What the adapter offers to services, seen through a service made for the test."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from localcloud import launcher, settings
from tests.localcloud.conftest import COMMAND, ROOT, Localcloud
from tests.localcloud.core.stacks import Stack, eventually, role, unique

pytestmark = pytest.mark.localcloud

PROGRAM = Path(__file__).with_name("probe_server.py")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    state = settings.StateDir(tmp_path_factory.mktemp("probe"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = settings.server_environment(state, port)
    command = [str(COMMAND.with_name("python")), str(PROGRAM), str(state.root)]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        running = launcher.Running(process.pid, port)
        eventually(lambda: launcher.healthy(running))
        yield Localcloud(running.endpoint, state.root, process.pid)
        process.terminate()


def ask(
    server: Localcloud, operation: str, request: Any, credentials: dict[str, str] | None = None, path: str = "/"
) -> tuple[int, Any]:
    """One signed call of the probe service."""
    given = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
    headers = {"X-Amz-Target": f"Probe.{operation}"} if path == "/" else {}
    call = AWSRequest("POST", server.endpoint + path, headers=headers, data=json.dumps(request))
    identity = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given.get("SessionToken"))
    SigV4Auth(identity, "probe", "us-east-1").add_auth(call)
    reply = URLLib3Session().send(call.prepare())
    return reply.status_code, json.loads(reply.content)


def job_role(server: Localcloud, *statements: dict[str, Any], service: str = "sagemaker.amazonaws.com") -> str:
    stack = Stack(server, unique("role"))
    assert stack.create({"Role": role(*statements, service=service)}) == "CREATE_COMPLETE"
    return f"arn:aws:iam::000000000000:role/{stack.physical('Role')}"


def test_role_credentials_are_enforced_as_the_role(probe: Localcloud) -> None:
    bucket = unique("job")
    probe.client("s3").create_bucket(Bucket=bucket)
    allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/output/*"}
    arn = job_role(probe, allow)
    status, credentials = ask(probe, "Credentials", {"role": arn, "service": "sagemaker.amazonaws.com"})
    assert status == 200
    s3 = probe.client("s3", credentials)
    s3.put_object(Bucket=bucket, Key="output/model.tar.gz", Body=b"1")
    with pytest.raises(s3.exceptions.ClientError, match="not authorized to perform: s3:PutObject"):
        s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"1")
    name = arn.rpartition("/")[2]
    decisions = {c["decision"] for c in probe.admin("GET", "calls") if c["role"] == name}
    assert decisions == {"allowed", "denied"}


@pytest.mark.parametrize("service", ["lambda.amazonaws.com", "sagemaker.amazonaws.com"])
def test_role_credentials_need_a_role_that_trusts_the_service(probe: Localcloud, service: str) -> None:
    other = {"lambda.amazonaws.com": "sagemaker.amazonaws.com"}.get(service, "lambda.amazonaws.com")
    arn = job_role(probe, service=other)
    status, answer = ask(probe, "Credentials", {"role": arn, "service": service})
    assert status == 400
    assert f"allows principal '{service}' to assume the role" in answer["message"]
    missing = "arn:aws:iam::000000000000:role/nobody"
    assert ask(probe, "Credentials", {"role": missing, "service": service})[0] == 400


def test_authorize_answers_for_the_caller_and_for_given_credentials(probe: Localcloud) -> None:
    target = "arn:aws:iam::000000000000:role/sandcastle-job"
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": target,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    arn = job_role(probe, passing, {"Effect": "Allow", "Action": "probe:Authorize", "Resource": "*"})
    _, credentials = ask(probe, "Credentials", {"role": arn, "service": "sagemaker.amazonaws.com"})
    right = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    question = {"action": "iam:PassRole", "resource": target, "context": right}
    assert ask(probe, "Authorize", question)[1] == {"denied": None}, "root"
    assert ask(probe, "Authorize", question, credentials)[1] == {"denied": None}, "headers of the request"
    assert ask(probe, "Authorize", {**question, "credentials": credentials})[1] == {"denied": None}
    wrong = {**question, "context": {"iam:PassedToService": "lambda.amazonaws.com"}, "credentials": credentials}
    denied = ask(probe, "Authorize", wrong)[1]["denied"]
    assert f"is not authorized to perform: iam:PassRole on resource: {target}" in denied["message"]
    assert arn.rpartition("/")[2] in denied["principal"]


def test_a_service_of_ours_is_guarded_by_iam(probe: Localcloud) -> None:
    arn = job_role(probe)
    _, credentials = ask(probe, "Credentials", {"role": arn, "service": "sagemaker.amazonaws.com"})
    status, answer = ask(probe, "Endpoint", {}, credentials)
    assert status in (400, 403)
    assert "probe:Endpoint" in json.dumps(answer)
    assert ask(probe, "Endpoint", {}) == (200, {"endpoint": probe.endpoint})


def test_in_process_calls_reach_other_services_without_iam(probe: Localcloud) -> None:
    name = unique("group")
    answer = ask(probe, "LogGroup", {"name": name})[1]
    assert answer == {"status": 200, "reply": {}, "account": "000000000000", "region": "us-east-1"}
    assert probe.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert ask(probe, "LogGroup", {"name": name})[1]["status"] == 400


def test_metrics_arrive(probe: Localcloud) -> None:
    ask(probe, "Metric", {"value": 12.5})
    (metric,) = probe.client("cloudwatch").list_metrics(Namespace="Probe")["Metrics"]
    assert metric["Dimensions"] == [{"Name": "Kind", "Value": "test"}]


def test_a_path_pattern_routes_to_the_service(probe: Localcloud) -> None:
    status, answer = ask(probe, "", {}, path="/probes/one?two=3")
    assert (status, answer["path"], answer["query"]) == (200, "/probes/one", {"two": ["3"]})


def test_a_type_of_ours_is_made_updated_replaced_and_deleted(probe: Localcloud) -> None:
    def thing(**properties: Any) -> dict[str, Any]:
        return {"Thing": {"Type": "AWS::Probe::Thing", "Properties": properties}}

    outputs = {"Size": {"Value": {"Fn::GetAtt": ["Thing", "Size"]}}}
    stack = Stack(probe, unique("type"))
    first, second = unique("first"), unique("second")
    assert stack.create(thing(Name=first, Size=1), outputs) == "CREATE_COMPLETE", stack.reasons()
    assert stack.physical("Thing") == first
    assert stack.update(thing(Name=first, Size=2), outputs) == "UPDATE_COMPLETE"
    assert stack.describe()["Outputs"][0]["OutputValue"] == "2"
    assert stack.update(thing(Name=second, Size=2), outputs) == "UPDATE_COMPLETE"
    assert stack.physical("Thing") == second
    assert first in ask(probe, "Deleted", {})[1]
    stack.delete()
    assert second in ask(probe, "Deleted", {})[1]


def test_what_a_failed_create_left_is_deleted_by_the_rollback(probe: Localcloud) -> None:
    stack, name = Stack(probe, unique("half")), unique("left")
    properties = {"Name": name, "Fail": True}
    assert stack.create({"Thing": {"Type": "AWS::Probe::Thing", "Properties": properties}}) == "ROLLBACK_COMPLETE"
    assert "it broke half-way" in stack.reasons()
    assert name in ask(probe, "Deleted", {})[1]


def test_the_contract_names_what_moved() -> None:
    program = (
        "from ministack.services import tagging\n"
        "from localcloud.adapter import contract\n"
        "del tagging._COLLECTORS\n"
        "tagging._json = 3\n"
        "contract.PINNED = '0.0.1'\n"
        "print('\\n'.join(contract.check()))\n"
    )
    done = subprocess.run(
        [str(COMMAND.with_name("python")), "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )
    assert "pinned is 0.0.1" in done.stdout, done.stderr
    assert "tagging._COLLECTORS" in done.stdout
    assert "tagging._json is int, expected function" in done.stdout
