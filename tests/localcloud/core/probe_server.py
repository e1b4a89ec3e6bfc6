"""A localcloud with one more service, ``Probe``, whose operations call the adapter and answer what it said.

Run by localcloud's interpreter: ``python probe_server.py STATE_DIR``. Prints its endpoint.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud import adapter, launcher, server
from localcloud.settings import StateDir

DELETED: list[str] = []


def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: adapter.Query) -> adapter.Response:
    """Plain function, so on a thread of its own: it may block and call the server again."""
    if path.startswith("/probes/"):
        return 200, {}, json.dumps({"path": path, "method": method, "query": dict(query)}).encode()
    operation = headers["x-amz-target"].partition(".")[2]
    request = json.loads(body)
    try:
        answer = OPERATIONS[operation](headers, request)
    except adapter.AssumeRoleDenied as error:
        return 400, {}, json.dumps({"__type": "AssumeRoleDenied", "message": str(error)}).encode()
    return 200, {}, json.dumps(answer).encode()


def _authorize(headers: dict[str, str], request: dict[str, Any]) -> Any:
    caller = request.get("credentials") or headers
    denied = adapter.authorize(caller, request["action"], request["resource"], request.get("context"))
    return {"denied": None if denied is None else {"principal": denied.principal, "message": denied.message}}


def _metric(_: dict[str, str], request: dict[str, Any]) -> Any:
    adapter.put_metric("Probe", "Seconds", request["value"], {"Kind": "test"}, time.time(), "Seconds")
    return {}


def _create_bucket(_: dict[str, str], request: dict[str, Any]) -> Any:
    status, reply = adapter.call_json("logs", "Logs_20140328.CreateLogGroup", {"logGroupName": request["name"]})
    return {"status": status, "reply": reply, "account": adapter.account_id(), "region": adapter.region()}


OPERATIONS: dict[str, Callable[[dict[str, str], dict[str, Any]], Any]] = {
    "Authorize": _authorize,
    "Credentials": lambda _, request: adapter.role_credentials(request["role"], "probe", request["service"]),
    "Metric": _metric,
    "LogGroup": _create_bucket,
    "Endpoint": lambda _, __: {"endpoint": adapter.endpoint_url()},
    "Deleted": lambda _, __: DELETED,
}


def _create(_logical_id: str, props: dict[str, Any], _stack: str) -> adapter.Provisioned:
    if props.get("Fail"):
        raise adapter.CfnError("it broke half-way", physical_id=props["Name"])
    return props["Name"], {"Size": props.get("Size", 0), "Tags": json.dumps(props.get("Tags"))}


def _update(physical_id: str, _old: dict[str, Any], new: dict[str, Any], _stack: str) -> adapter.Provisioned:
    return physical_id, {"Size": new.get("Size", 0), "Tags": json.dumps(new.get("Tags"))}


def _delete(physical_id: str, _props: dict[str, Any]) -> None:
    DELETED.append(physical_id)


def main() -> None:
    """Install the probe, then serve like the command does."""
    state = StateDir(Path(sys.argv[1]))
    state.root.mkdir(parents=True, exist_ok=True)
    launcher.prepare(state)
    listener = socket.socket()
    listener.bind(("127.0.0.1", int(os.environ["GATEWAY_PORT"])))
    listener.listen()
    adapter.register_service(
        "probe",
        handle,
        target_prefixes=["Probe."],
        path_patterns=["/probes/"],
        iam_namespace="probe",
        iam_action=lambda _method, _path, headers, _body: (
            "probe:" + headers.get("x-amz-target", ".Path").partition(".")[2]
        ),
        resource_arn=lambda _method, _path, _headers, _body, _query, region, account: (
            f"arn:aws:probe:{region}:{account}:thing"
        ),
    )
    adapter.register_cfn_type(
        "AWS::Probe::Thing", create=_create, update=_update, delete=_delete, replacing=["Name"], tag_property="Tags"
    )
    server.run(listener, state)


if __name__ == "__main__":
    main()
