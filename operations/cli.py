"""The ``sandcastle`` command: one function per subcommand, all with the same target, environment and output.

Exit codes: 0 done; 1 it failed, or something billable is left; 2 the command line or the environment file is
wrong and nothing was touched; 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from operations import target as targets
from operations.console import Console
from operations.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, OperationError, UsageError
from operations.project import REPORTS, ROOT, display, is_name
from sandcastle.config import ConfigError, Environment, environment_path, load_environment, written_region
from sandcastle.config.catalogue import regions

_DEFAULT_REGION = "us-east-1"
"""Region of the local target when neither the environment file nor the command line names one."""

_GOES_ON = "What CloudFormation began goes on in the target; `sandcastle status` shows it."

Handler = Callable[[argparse.Namespace, Console], int]


class _Terminated(Exception):
    """SIGTERM came."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(as_json="--json" in given)
    try:
        signal.signal(signal.SIGTERM, _terminated)
        options = _parser().parse_args(given)
        handler: Handler = options.handler
        return handler(options, console)
    except ConfigError as error:
        return _failed(console, str(error), EXIT_USAGE, [asdict(problem) for problem in error.problems])
    except OperationError as error:
        return _failed(console, str(error), error.exit_code)
    except _Terminated:
        return _failed(console, f"Terminated. {_GOES_ON}", 143)
    except KeyboardInterrupt:
        return _failed(console, f"Interrupted. {_GOES_ON}", 130)
    except Exception as error:
        # AWS's and botocore's own errors are for people; anything else is a defect of ours and shows where
        if not type(error).__module__.startswith("botocore."):
            raise
        return _failed(console, f"AWS refused: {error}", EXIT_FAILED)


def _terminated(*_: object) -> None:
    raise _Terminated


def _failed(console: Console, message: str, code: int, problems: Sequence[object] = ()) -> int:
    """Say what went wrong, to a person or as the one JSON document of the command."""
    console.error(message)
    console.finish({"error": {"message": message, "exit_code": code, "problems": list(problems)}})
    return code


def _deploy(options: argparse.Namespace, console: Console) -> int:
    from operations.deploy import deploy

    environment = load_environment(options.environment, ROOT, options.region)
    for note in environment.notes:
        console.warn(note)
    target = _target(options, start=True)
    for note in target.notes:
        console.warn(note)
    if target.name == "aws" and all(address.endswith("@example.com") for address in environment.notify):
        console.warn(f"Nobody would hear the budget: set `notify` in {display(environment.file)} to your address.")
    _confirm(options, target, f"deploy environment {environment.name} to")
    console.finish(deploy(target, environment.name, options.environment, console))
    return EXIT_OK


def _destroy(options: argparse.Namespace, console: Console) -> int:
    from operations.destroy import destroy

    target = _deployed_in(options, console)
    name = _name(options)
    if target is None:
        return EXIT_OK
    _confirm(options, target, f"destroy environment {name}, with its data, in")
    valid = _environment(options) is not None
    if not valid:
        console.warn("The environment file is not valid; destroying without it, through CloudFormation's API.")
    document = destroy(target, name, console, file=options.environment if valid else None)
    _insist_it_exists(options, target, bool(document["destroyed"] or document["swept"]) or not document["clean"])
    console.finish(document)
    return EXIT_OK if document["clean"] else EXIT_FAILED


def _status(options: argparse.Namespace, console: Console) -> int:
    from operations.status import status

    target = _deployed_in(options, console)
    if target is None:
        return EXIT_OK
    document = status(target, _name(options), console)
    _insist_it_exists(options, target, bool(document["stacks"]))
    console.finish(document)
    return EXIT_OK


def _audit(options: argparse.Namespace, console: Console) -> int:
    from operations.destroy import audit

    target = _deployed_in(options, console)
    if target is None:
        return EXIT_OK
    inventory = audit(target, _name(options), console)
    _insist_it_exists(options, target, not inventory.clean)
    console.finish(inventory.document())
    return EXIT_FAILED if inventory.billable or inventory.unanswered else EXIT_OK


def _deployed_in(options: argparse.Namespace, console: Console) -> targets.Target | None:
    """Return the target in the environment's region, or None (with an answer given) when localcloud does not run."""
    try:
        return _target(options, start=False)
    except targets.NotRunningError:
        name = _name(options)
        console.say(f"localcloud does not run: nothing of environment {name} exists in it, and nothing is billed.")
        console.finish({"environment": name, "clean": True, "findings": [], "stacks": [], "localcloud": "not running"})
        return None


def _insist_it_exists(options: argparse.Namespace, target: targets.Target, found: bool) -> None:
    """Raise UsageError when there is neither a file of the environment nor anything of it in the target."""
    from operations.stacks import deployed_environments

    if found or environment_path(options.environment, ROOT).exists():
        return
    name, deployed = _name(options), deployed_environments(target)
    known = sorted({*deployed, *(file.stem for file in (ROOT / "environments").glob("*.yaml"))})
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"There is no environment {name}: no file, and nothing of it in {target.name}, {target.region}."
        + (f" Did you mean {near[0]}?" if near else "")
        + f" Deployed here: {', '.join(deployed) or 'none'}."
    )


def _invoke(options: argparse.Namespace, console: Console) -> int:
    from operations.invoke import invoke_file, invoke_sample

    target = _target(options, start=False)
    if options.file:
        document = invoke_file(target, _name(options), options.workload, options.file, console)
    else:
        document = invoke_sample(target, _name(options), options.workload, options.sample, console)
    console.finish(document)
    return EXIT_OK


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    from operations.evaluate import evaluate_workload

    target = _target(options, start=False)
    console.finish(evaluate_workload(target, _name(options), options.workload, options.out, console))
    return EXIT_OK


def _logs(options: argparse.Namespace, console: Console) -> int:
    from operations.logs import logs

    console.finish(logs(_target(options, start=False), options.job, console))
    return EXIT_OK


def _env(options: argparse.Namespace, console: Console) -> int:
    """Print what a shell needs so that cdk, aws and boto3 work in the local target."""
    target = _target(options, start=True)
    for key, value in {**targets.TOOLS, **target.settings}.items():
        console.say(f"export {key}={shlex.quote(value)}")
    console.say(f'export PATH="{ROOT / ".venv" / "bin"}:{ROOT / "node_modules" / ".bin"}:$PATH"')
    console.say("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN")
    console.finish(dict(target.settings))
    return EXIT_OK


def _environment(options: argparse.Namespace) -> Environment | None:
    """Return the environment's file, or None when it is missing or wrong."""
    try:
        return load_environment(options.environment, ROOT, options.region)
    except ConfigError:
        return None


def _name(options: argparse.Namespace) -> str:
    """Return the environment's name: its file's, which need not exist any more when it is destroyed."""
    given: str = options.environment
    name = environment_path(given, ROOT).stem if given.endswith(".yaml") else given
    if not is_name(name):
        raise UsageError(f"--environment {given!r}: letters, digits and dashes, or a path to a .yaml file")
    return name


def _target(options: argparse.Namespace, *, start: bool) -> targets.Target:
    """Return where to work: in the region that the file names, else ``--region``, else where the environment is.

    Raises UsageError when ``--region`` contradicts the file.
    """
    name = _name(options)
    written = written_region(options.environment, ROOT)
    if written and options.region and written != options.region:
        raise UsageError(f"--region {options.region}: {options.environment}'s file says {written}. Nothing was done.")
    if options.region and options.region not in regions():
        raise UsageError(f"--region {options.region}: not a region of SageMaker. Nothing was done.")
    region = written or options.region
    target = targets.aws(region) if options.target == "aws" else targets.local(region or _DEFAULT_REGION, start=start)
    if region or start:
        return target
    from operations.regions import home_of

    return home_of(target, name)


def _confirm(options: argparse.Namespace, target: targets.Target, deed: str) -> None:
    """Ask before anything costs or loses something in an AWS account."""
    if target.name == "local" or options.yes:
        return
    question = f"About to {deed} AWS account {target.account}, region {target.region}. Type yes to go on: "
    if not sys.stdin.isatty() or input(question).strip() != "yes":
        raise UsageError("Not confirmed; nothing was done. In a script, say --yes.")


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line like every other mistake."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the usage and the reason."""
        raise UsageError(f"{self.format_usage()}{message}")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument(
        "--environment", "-e", default="local", help="a name from environments/, or a path to a .yaml file (local)"
    )
    common.add_argument("--target", choices=["local", "aws"], default="local", help="where to work (local)")
    common.add_argument("--region", help="AWS region, if not the environment file's")
    common.add_argument("--json", action="store_true", help="print one JSON document, progress on standard error")
    parser = _Parser(
        prog="sandcastle",
        description="A complete SageMaker environment: deploy it, use it, wash it away.",
        epilog="Exit codes: 0 done; 1 failed, or something billable is left; 2 wrong command or environment file.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, handler: Handler, summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=summary, description=summary)
        sub.set_defaults(handler=handler)
        return sub

    for name, handler, summary in (
        ("deploy", _deploy, "deploy an environment and end with a prediction"),
        ("destroy", _destroy, "destroy an environment and prove that nothing is left"),
    ):
        command(name, handler, summary).add_argument(
            "--yes", action="store_true", help="do not ask before working in an AWS account"
        )
    command("status", _status, "show stacks, endpoints and jobs")
    command("audit", _audit, "list what belongs to an environment with its cost; exit 1 if anything is billable")
    command("env", _env, 'print shell settings for cdk and aws against localcloud: eval "$(sandcastle env)"')
    sub = command("invoke", _invoke, "send one request to a workload's endpoint")
    sub.add_argument("workload")
    one = sub.add_mutually_exclusive_group(required=True)
    one.add_argument("file", nargs="?", type=Path, help="file whose bytes are the request")
    one.add_argument("--sample", type=int, metavar="N", help="row N (from 1) of the held-out test split")
    sub = command("evaluate", _evaluate, "run the test split through the endpoint and judge it")
    sub.add_argument("workload")
    sub.add_argument("--out", type=Path, default=REPORTS, help="folder for the PNG and JSON (reports/)")
    sub = command("logs", _logs, "print the log of a job or an endpoint")
    sub.add_argument("job")
    return parser


if __name__ == "__main__":
    sys.exit(main())
