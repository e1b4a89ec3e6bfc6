"""Deploy and destroy on localcloud, and the whole way from an empty clone to a prediction."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from tests.benchmarks.measure import ROOT, line, seconds

_ONE_TOPIC = """
import aws_cdk as cdk
app = cdk.App(analytics_reporting=False, builtin_cloud_formation_validation=False)
cdk.CfnResource(cdk.Stack(app, "OneTopic"), "Topic", type="AWS::SNS::Topic")
app.synth()
"""


def run() -> None:
    """Print what one environment costs in time and memory when everything is installed."""
    with tempfile.TemporaryDirectory() as folder:
        env = _shell(Path(folder))
        print("localcloud")
        command = str(ROOT / ".localcloud" / "venv" / "bin" / "localcloud")
        line("start", seconds([command, "start"], env=env))
        state = json.loads(
            subprocess.run(
                [command, "status", "--json"], env=env, cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout
        )
        line("memory after the start, whole process group", _group_megabytes(state["pid"]), "MB")
        try:
            base = _floor(Path(folder), env)
            print(
                "environment local, everything installed (baseline: the same CLI bootstraps and deploys one SNS topic)"
            )
            line("cdk bootstrap and cdk deploy of one topic", base)
            line(
                "sandcastle deploy: two trained models, two predictions",
                seconds(_sandcastle("deploy"), env=env),
                base=base,
            )
            line("memory with two endpoints up, whole process group", _group_megabytes(state["pid"]), "MB")
            line("sandcastle deploy again, nothing changed", seconds(_sandcastle("deploy"), env=env), base=base)
            modelled = _modelled_minutes(state["endpoint"])
            line("minutes that this would have taken on AWS (modelled)", modelled, "min")
            line("sandcastle destroy, audit included", seconds(_sandcastle("destroy"), env=env), base=base)
            line("memory after the destroy, whole process group", _group_megabytes(state["pid"]), "MB")
        finally:
            seconds([command, "stop"], env=env)


def run_in_empty_clone() -> None:
    """Print what ``make deploy`` and ``make destroy`` take in a fresh clone, downloads included."""
    print("an empty clone, downloads included")
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "sandcastle"
        seconds(["git", "clone", "--quiet", str(ROOT), str(clone)])
        env = {
            key: value for key, value in os.environ.items() if key not in ("LOCALCLOUD_STATE", "MAKEFLAGS", "MAKELEVEL")
        }
        try:
            line("make deploy, from nothing to a prediction", seconds(["make", "deploy"], cwd=clone, env=env))
            line("make destroy", seconds(["make", "destroy"], cwd=clone, env=env))
        finally:
            seconds(["make", "localcloud-stop"], cwd=clone, env=env)


def _shell(folder: Path) -> dict[str, str]:
    path = f"{ROOT / '.venv' / 'bin'}:{ROOT / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    return {**os.environ, "LOCALCLOUD_STATE": str(folder / "state"), "PATH": path}


def _sandcastle(command: str) -> list[str]:
    return [str(ROOT / ".venv" / "bin" / "sandcastle"), command, "--json"]


def _floor(folder: Path, env: dict[str, str]) -> float:
    """Bootstrap, then deploy and destroy the smallest possible stack; return the seconds of bootstrap and deploy."""
    app = folder / "one_topic.py"
    app.write_text(_ONE_TOPIC, encoding="utf-8")
    cdk = f"cdk --app '{ROOT / '.venv' / 'bin' / 'python'} {app}' --output {folder / 'out'}"
    prepare = 'set -euo pipefail; eval "$(sandcastle env)"'
    took = seconds(
        ["bash", "-c", f"{prepare}; cdk bootstrap aws://000000000000/us-east-1; {cdk} deploy --require-approval never"],
        env=env,
    )
    seconds(["bash", "-c", f"{prepare}; {cdk} destroy --force"], env=env)
    return took


def _modelled_minutes(endpoint: str) -> float:
    with urllib.request.urlopen(f"{endpoint}/_localcloud/clock", timeout=30) as reply:
        return float(json.load(reply)["modelled_seconds"]) / 60


def _group_megabytes(pid: int) -> float:
    """Return the resident memory of the server and of everything that it started, in MB."""
    session = os.getsid(pid)
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    status = (entry / "status").read_text(encoding="utf-8")
                    total += sum(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS"))
            except (OSError, ProcessLookupError):
                continue  # it ended while we looked
    return total / 1024
