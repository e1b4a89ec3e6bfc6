"""Runs the pinned CDK command line in a target, its output passed on as progress."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from operations.errors import OperationError
from operations.project import ASSEMBLIES, CDK, NODE, ROOT
from operations.target import Target

_QUIET = ("--no-notices", "--no-version-reporting")


def cdk(target: Target, environment: str, command: str, *arguments: str) -> int:
    """Run ``cdk COMMAND ARGUMENTS`` for the environment and return its exit code.

    What the CLI prints goes to standard error, so that standard output stays free for the result.
    Raises OperationError when the CLI is not installed.
    """
    if not (CDK.exists() and NODE.exists()):
        raise OperationError("The CDK command line is not installed yet. Run: make install")
    assembly = ASSEMBLIES / Path(environment).stem  # one folder each, so that environments can be deployed side by side
    line = [
        str(NODE),
        str(CDK),
        command,
        *arguments,
        *_QUIET,
        "-c",
        f"environment={environment}",
        "--output",
        str(assembly),
    ]
    sys.stderr.flush()
    process = subprocess.Popen(line, cwd=ROOT, env=target.environ(), stdout=sys.stderr.fileno())
    try:
        return process.wait()
    finally:  # interrupted or terminated: a CLI that outlived this command would go on and hold its folder
        process.terminate()
        process.wait()


def bootstrap(target: Target, environment: str) -> bool:
    """Prepare account and region for CDK unless that was done before; say whether anything was done.

    Raises OperationError when the CLI fails.
    """
    from botocore.exceptions import ClientError

    try:
        stacks = target.client("cloudformation").describe_stacks(StackName="CDKToolkit")["Stacks"]
        if stacks and stacks[0]["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return False
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
    # without an app: CDK would synthesise it to look for further places, which are given
    if cdk(target, environment, "bootstrap", f"aws://{target.account}/{target.region}", "--app", ""):
        raise OperationError("cdk bootstrap failed; the lines above say why.")
    return True
