"""Executions leave nothing but their records: no process, port, descriptor, thread or file, and little memory.

Each has a processing job, which really runs, a property file and a condition on it, a function, and a registered model.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from localcloud import processes
from tests.localcloud.conftest import Localcloud, started
from tests.localcloud.core.stacks import Stack, eventually, function, role
from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker import pipeline_parts as parts
from tests.localcloud.sagemaker.live import Workshop
from tests.localcloud.sagemaker.pipeline_parts import get

pytestmark = pytest.mark.localcloud

_REPORT = (
    """print('{"accuracy": 0.9}', file=open('/opt/ml/processing/output/report/report.json', 'w')); print('x' * 999)"""
)
#: executions at a time
_SIDE_BY_SIDE = 2
#: the function's warm workers, one for each execution at a time, and what starts them
_STAYING = _SIDE_BY_SIDE + 1


@dataclass(frozen=True)
class Belongings:
    """What a server holds of the machine."""

    processes: int
    listening: int
    descriptors: int
    threads: int
    files: int
    #: resident, KiB
    memory: int

    @classmethod
    def of(cls, server: Localcloud) -> Belongings:
        """Counted now."""
        proc = Path("/proc") / str(server.pid)
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        return cls(
            len(processes.descendants(server.pid, processes.table())),
            _listening(proc),
            len(list((proc / "fd").iterdir())),
            int(status["Threads"]),
            sum(len(names) for _, _, names in os.walk(server.state)),
            int(status["VmRSS"].split()[0]),
        )


def _listening(proc: Path) -> int:
    """How many of the machine's listening TCP sockets are the process's own."""
    sockets = [line.split() for line in (proc / "net" / "tcp").read_text().splitlines()[1:]]
    listening = {fields[9] for fields in sockets if fields[3] == "0A"}
    held = {str(entry.readlink()) for entry in (proc / "fd").iterdir() if entry.is_symlink()}
    return sum(f"socket:[{inode}]" in held for inode in listening)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localcloud]:
    """One that nobody else uses, so that everything it holds is ours."""
    with started(tmp_path_factory.mktemp("leaks")) as found:
        yield found


@pytest.fixture(scope="module")
def pipeline(server: Localcloud) -> str:
    workshop = Workshop.open(server, "leaks")
    stack = Stack(server, "leaks-function")
    code = "def handler(event, context): return {'verdict': 'good', 'seen': event['accuracy']}"
    assert stack.create({"Role": role(), "Function": function(code)}) == "CREATE_COMPLETE", stack.reasons()
    arn = f"arn:aws:lambda:us-east-1:{live.ACCOUNT}:function:{stack.physical('Function')}"
    pipeline_role = live.role(
        server,
        "leaks-pipeline",
        [
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": workshop.role},
            {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn},
            {"Effect": "Allow", "Action": "sagemaker:*", "Resource": f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:*"},
        ],
    )
    report = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]
    accuracy = {"Std:JsonGet": {"PropertyFile": get("Steps.Judge.PropertyFiles.Report"), "Path": "accuracy"}}
    judge = {"Name": "Judge", "Type": "Processing", "PropertyFiles": report, "Arguments": workshop.processing(_REPORT)}
    ask = {
        "Name": "Ask",
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": {"accuracy": accuracy},
        "OutputParameters": [{"OutputName": "verdict", "OutputType": "String"}],
    }
    good = {"Type": "Equals", "LeftValue": get("Steps.Ask.OutputParameters['verdict']"), "RightValue": "good"}
    keep = parts.register("Register", "s3://leaks/m")
    definition = parts.document(judge, ask, parts.condition("Good", [good], [keep], []))
    server.client("sagemaker").create_pipeline(
        PipelineName="leaks", PipelineDefinition=definition, RoleArn=pipeline_role
    )
    return "leaks"


def execute(server: Localcloud, name: str, count: int) -> None:
    """So many executions, a few at a time; all succeed."""
    sm = server.client("sagemaker")
    for _ in range(count // _SIDE_BY_SIDE):
        begun = [sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"] for _ in range(_SIDE_BY_SIDE)]
        for arn in begun:
            found = live.wait_for(
                lambda arn=arn: sm.describe_pipeline_execution(PipelineExecutionArn=arn),  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                lambda execution: execution["PipelineExecutionStatus"] not in ("Executing", "Stopping"),
            )
            steps = sm.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
            assert found["PipelineExecutionStatus"] == "Succeeded", [step.get("FailureReason") for step in steps]


def grown(server: Localcloud, name: str, warm_up: int, count: int) -> tuple[Belongings, Belongings]:
    """What the server holds before and after so many executions; ``warm_up`` of them fill its pools and caches."""
    execute(server, name, warm_up)
    before = settled(server)
    execute(server, name, count)
    return before, settled(server)


def settled(server: Localcloud) -> Belongings:
    """Once no job runs."""

    def quiet() -> Belongings | None:
        found = Belongings.of(server)
        return found if found.processes <= _STAYING else None

    found: Belongings = eventually(quiet)
    return found


def check(before: Belongings, after: Belongings) -> None:
    assert after.processes <= _STAYING
    assert after.listening == before.listening
    assert after.files <= before.files + 2, "files stay in the state directory"
    assert after.descriptors <= before.descriptors + 8, "descriptors stay open"
    assert after.threads <= before.threads + 8, "threads stay"


def test_a_few_executions_leave_nothing(server: Localcloud, pipeline: str) -> None:
    check(*grown(server, pipeline, warm_up=2, count=4))


@pytest.mark.exhaustive
def test_fifty_executions_leave_nothing_and_their_records_take_little_memory(server: Localcloud, pipeline: str) -> None:
    before, after = grown(server, pipeline, warm_up=20, count=50)
    check(before, after)
    assert (after.memory - before.memory) / 50 <= 100, "KiB for each execution"
