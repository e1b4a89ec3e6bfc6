"""Functions: how they fail, log and end, and what they see."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tests.localcloud.core.scenarios.registry import scenario
from tests.localcloud.core.stacks import Stack, eventually, function, role, unique

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud


@scenario
def function_errors_name_their_class(server: Localcloud) -> None:
    python = "class JobFailed(Exception): pass\ndef handler(event, context): raise JobFailed('no luck')"
    node = "exports.handler = async () => { const e = new Error('no luck'); e.name = 'JobFailed'; throw e; };"
    stack = Stack(server, unique("errors"))
    assert (
        stack.create({"Role": role(), "Python": function(python), "Node": function(node, Runtime="nodejs22.x")})
        == "CREATE_COMPLETE"
    ), stack.reasons()
    for kind in ("Python", "Node"):
        reply = server.client("lambda").invoke(FunctionName=stack.physical(kind))
        payload = json.load(reply["Payload"])
        assert (payload["errorType"], payload["errorMessage"]) == ("JobFailed", "no luck"), kind


@scenario
def functions_see_nothing_of_the_server(server: Localcloud) -> None:
    code = (
        "import importlib.util, os\n"
        "def handler(event, context):\n"
        "    found = [n for n in ('ministack', 'localcloud', 'hypercorn') if importlib.util.find_spec(n)]\n"
        "    return {'packages': found, 'sdk': bool(importlib.util.find_spec('boto3')), 'env': dict(os.environ)}"
    )
    stack = Stack(server, unique("worker"))
    stack.create({"Role": role(), "Function": function(code, {"MINE": "yes"})})
    seen = json.load(server.client("lambda").invoke(FunctionName=stack.physical("Function"))["Payload"])
    assert seen["packages"] == []
    assert seen["sdk"]
    assert seen["env"]["MINE"] == "yes"
    assert "LOCALCLOUD_PLANTED" not in seen["env"]  # set by the test that starts the servers
    assert not {"AUTH", "STATE_DIR", "GATEWAY_PORT"} & set(seen["env"])


@scenario
def functions_log_as_their_role(server: Localcloud) -> None:
    """Nothing without permission; into the group that is there; into a new one only with logs:CreateLogGroup."""
    logs, group = server.client("logs"), f"/test/{unique('group')}"
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    writes = ["logs:CreateLogStream", "logs:PutLogEvents"]

    def invoked(*actions: str) -> list[str]:
        allowed = [{"Effect": "Allow", "Action": list(actions), "Resource": arn}] if actions else []
        stack = Stack(server, unique("logging"))
        code = "def handler(event, context): print('hello')"
        made = function(code, LoggingConfig={"LogGroup": group})
        assert stack.create({"Role": role(*allowed), "Function": made}) == "CREATE_COMPLETE", stack.reasons()
        server.client("lambda").invoke(FunctionName=stack.physical("Function"))
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    assert invoked() == []
    assert invoked(*writes) == []
    assert any("hello" in line for line in invoked(*writes, "logs:CreateLogGroup"))
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert any("hello" in line for line in invoked(*writes))


@scenario
def workers_end_with_their_function(server: Localcloud) -> None:
    stack = Stack(server, unique("warm"))
    stack.create({"Role": role(), "Function": function("import os\ndef handler(e, c): return os.getpid()")})
    pid = json.load(server.client("lambda").invoke(FunctionName=stack.physical("Function"))["Payload"])
    os.kill(pid, 0)
    stack.delete()

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    eventually(gone, 3)
