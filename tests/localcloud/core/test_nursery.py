"""Forked workers: to a function they are what a fresh interpreter is, and nothing outlives anything."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import processes
from tests.localcloud.conftest import ROOT, started
from tests.localcloud.core.stacks import Stack, eventually, function, role, unique

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.localcloud.conftest import Localcloud

pytestmark = [
    pytest.mark.localcloud,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is a nursery on Linux only"),
]

#: a variable that only a fresh interpreter can obey, so that the function gets one
FRESH = {"PYTHONHASHSEED": "0"}

LOOKS = """
import os, random, signal, sys, time
import __main__

def stream(s):
    return [s.fileno(), s.mode, s.encoding, s.errors, s.line_buffering, s.write_through, s.isatty(), s.seekable()]

LOOK = {
    "cwd": os.getcwd(), "argv": sys.argv, "path": sys.path[:], "main": [__main__.__name__, __main__.__file__],
    "files": sorted(int(n) for n in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + n)),
    "streams": [stream(s) for s in (sys.stdin, sys.__stdout__, sys.stderr)],
    "same": [sys.stdin is sys.__stdin__, sys.stderr is sys.__stderr__, sys.stdout is sys.stderr],
    "signals": [str(signal.getsignal(n)) for n in range(1, 32)], "zone": time.tzname,
    "blocked": str(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "umask": os.umask(0o22),
    "session": os.getsid(0), "group": os.getpgid(0),
}

def handler(event, context):
    return {"look": LOOK, "env": dict(os.environ), "parent": os.getppid(), "pid": os.getpid(), "dice": random.random()}
"""


def made(server: Localcloud, code: str, environment: Mapping[str, str] | None = None) -> str:
    """The name of a new function."""
    stack = Stack(server, unique("nursery"))
    resources = {"Role": role(), "Function": function(code, environment)}
    assert stack.create(resources) == "CREATE_COMPLETE", stack.reasons()
    return stack.physical("Function")


def made_of(server: Localcloud, files: Mapping[str, str], **more: Any) -> str:
    """The name of a new function made of several files."""
    name = unique("bundle")
    trust = role()["Properties"]["AssumeRolePolicyDocument"]
    arn = server.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    server.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=arn,
        Code={"ZipFile": zipped(files)},
        **more,
    )
    return name


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return buffer.getvalue()


def invoke(server: Localcloud, name: str) -> Any:
    return json.load(server.client("lambda").invoke(FunctionName=name)["Payload"])


def is_forked(server: Localcloud, seen: Mapping[str, Any]) -> bool:
    """Whether a worker that reported its ``parent`` came from the nursery: a fresh interpreter is the server's."""
    return bool(seen["parent"] != server.pid)


def without_names(value: Any, name: str) -> Any:
    """``value`` without what differs between any two workers: the function's name and its temporary folder."""
    text = json.dumps(value)
    for word in {part for part in text.replace('"', "/").split("/") if part.startswith("ministack-lambda-")}:
        text = text.replace(word, "FOLDER")
    return json.loads(text.replace(name, "NAME"))


def test_a_fork_looks_like_a_fresh_interpreter(localcloud: Localcloud) -> None:
    mine = {"MINE": "yes", "TZ": "Asia/Tokyo"}
    names = [made(localcloud, LOOKS, mine), made(localcloud, LOOKS, {**mine, **FRESH})]
    fork, fresh = (invoke(localcloud, name) for name in names)
    assert is_forked(localcloud, fork)
    assert not is_forked(localcloud, fresh)
    assert fork["look"]["files"] == [0, 1, 2]
    assert fork["look"]["zone"] == ["JST", "JST"]
    assert without_names(fork["look"], names[0]) == without_names(fresh["look"], names[1])
    own = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME"}
    environments = [
        {key: value for key, value in without_names(seen["env"], name).items() if key not in {*own, *FRESH}}
        for seen, name in zip((fork, fresh), names, strict=True)
    ]
    assert environments[0] == environments[1]
    assert fork["env"].keys() == fresh["env"].keys() - FRESH.keys()
    assert not own & {key for key in own if fork["env"].get(key, key) == fresh["env"].get(key)}


def test_forks_share_no_state(localcloud: Localcloud) -> None:
    code = (
        "import boto3, botocore.handlers, os, random\n"
        "def handler(event, context):\n"
        "    seen = [getattr(boto3, 'mark', None), len(botocore.handlers.BUILTIN_HANDLERS), os.environ.get('MARK')]\n"
        "    boto3.mark = os.environ['MARK'] = 'here'\n"
        "    botocore.handlers.BUILTIN_HANDLERS.append(1)\n"
        "    return {'seen': seen, 'parent': os.getppid(), 'dice': random.random()}\n"
    )
    first, second = (invoke(localcloud, made(localcloud, code)) for _ in range(2))
    assert is_forked(localcloud, first)
    assert first["parent"] == second["parent"]
    assert first["seen"] == second["seen"]
    assert first["seen"][0] is None
    assert first["dice"] != second["dice"]


@pytest.mark.parametrize("module", ["boto3", "jmespath", "queue", "certifi"])
@pytest.mark.parametrize("layer", [False, True])
def test_what_a_function_brings_goes_before_the_runtimes(localcloud: Localcloud, module: str, layer: bool) -> None:
    """Of the SDK, of the standard library, and what the SDK would use if it were there."""
    index = f"import {module}, os\ndef handler(e, c): return {{'own': {module}.OWN, 'parent': os.getppid()}}"
    # urllib3 needs the real one, and is imported before the function's code
    own = {"queue": "from _queue import *\nOWN = True\nclass LifoQueue: pass\nclass Full(Exception): pass\n"}
    package = {f"{module}/__init__.py": own.get(module, "OWN = True\ndef where(): return ''\ndef search(*_): pass\n")}
    more = {}
    if layer:
        content = zipped({f"python/{path}": text for path, text in package.items()})
        version = localcloud.client("lambda").publish_layer_version(LayerName=unique("l"), Content={"ZipFile": content})
        more = {"Layers": [version["LayerVersionArn"]]}
    name = made_of(localcloud, {"index.py": index, **({} if layer else package)}, **more)
    seen = invoke(localcloud, name)
    assert seen.get("own") is True, seen
    assert not is_forked(localcloud, seen)


def test_functions_of_several_files_are_forked(localcloud: Localcloud) -> None:
    index = "import helper, os\ndef handler(e, c): return {'parent': os.getppid(), 'helper': helper.NAME}"
    seen = invoke(localcloud, made_of(localcloud, {"index.py": index, "helper.py": "NAME = 'mine'"}))
    assert seen["helper"] == "mine"
    assert is_forked(localcloud, seen)


def test_a_killed_nursery_takes_its_workers_along_and_is_replaced(localcloud: Localcloud) -> None:
    name = made(localcloud, LOOKS)
    first = invoke(localcloud, name)
    os.kill(first["parent"], signal.SIGKILL)
    eventually(lambda: processes.find(first["pid"]) is None)
    second = invoke(localcloud, name)
    assert is_forked(localcloud, second)
    assert second["parent"] != first["parent"]


def test_a_worker_that_exits_is_reaped_and_replaced(localcloud: Localcloud) -> None:
    code = (
        "import os\n"
        "def handler(event, context):\n"
        "    if not os.path.exists(os.environ['FLAG']):\n"
        "        open(os.environ['FLAG'], 'w').write(f'{os.getpid()} {os.getppid()}')\n"
        "        os._exit(3)\n"
        "    return {'parent': os.getppid(), 'pid': os.getpid()}\n"
    )
    flag = localcloud.state / unique("flag")
    name = made(localcloud, code, {"FLAG": str(flag)})
    assert "errorType" in invoke(localcloud, name)
    pid, nursery = flag.read_text().split()
    assert invoke(localcloud, name)["parent"] == int(nursery)
    assert not Path(f"/proc/{pid}").exists(), "it is a zombie"


def local_files(pid: int) -> int:
    """How many files a process has open, without its TCP connections: those of clients stay for a while."""
    local = {line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
    targets = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return sum(1 for t in targets if not t.startswith("socket:[") or t[len("socket:[") : -1] in local)


def test_nothing_stays_open_after_a_function(localcloud: Localcloud) -> None:
    def cycle() -> int:
        stack = Stack(localcloud, unique("cycle"))
        stack.create({"Role": role(), "Function": function(LOOKS)})
        parent: int = invoke(localcloud, stack.physical("Function"))["parent"]
        stack.delete()
        return parent

    nursery = cycle()
    before = {pid: local_files(pid) for pid in (nursery, localcloud.pid)}
    for _ in range(5):
        cycle()
    eventually(lambda: all(local_files(pid) <= count for pid, count in before.items()))


def test_the_nursery_ends_with_a_killed_server(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        seen = invoke(server, made(server, LOOKS))
        assert is_forked(server, seen)
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: processes.find(seen["parent"]) is None)
        eventually(lambda: processes.find(seen["pid"]) is None)


def test_a_nursery_that_cannot_start_costs_speed_only(tmp_path: Path) -> None:
    real = ROOT / ".localcloud" / "functions" / "bin" / "python"
    python, tried = tmp_path / "python", tmp_path / "tried"
    python.write_text(f'#!/bin/sh\ncase "$1" in *program.py) echo >>"{tried}"; exit 1;; esac\nexec "{real}" "$@"\n')
    python.chmod(0o755)
    with started(tmp_path / "state", {"LOCALCLOUD_FUNCTIONS_PYTHON": str(python)}) as server:
        for _ in range(2):
            assert not is_forked(server, invoke(server, made(server, LOOKS)))
        assert "no nursery" in (server.state / "server.log").read_text()
    assert tried.read_text() == "\n"
